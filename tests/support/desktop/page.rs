//! The real window through WebKitWebDriver.

use std::net::TcpListener;
use std::process::Command;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::process::Group;
use super::{app, until, until_or};

/// A window that can be read and clicked.
pub struct Page {
    client: Option<Client>,
    runtime: Runtime,
    _driver: Group,
}

impl Page {
    pub(super) fn start(mut driver: Command) -> Self {
        let port = free_port();
        let driver = Group::start(driver.arg(format!("--port={port}")));
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("threads");
        let options = json!({ "binary": app::program(), "args": [] });
        let capabilities = [("webkitgtk:browserOptions".to_owned(), options)]
            .into_iter()
            .collect();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let address = format!("http://127.0.0.1:{port}");
        let client = until("WebKitWebDriver opens the window", || {
            runtime.block_on(builder.connect(&address)).ok()
        });
        Self {
            client: Some(client),
            runtime,
            _driver: driver,
        }
    }

    /// Waits until the page shows these words.
    pub fn wait_for_text(&self, words: &str) {
        until_or(
            || format!("the window shows `{words}`; it shows:\n{}", self.text()),
            || self.text().contains(words).then_some(()),
        );
    }

    /// All that the page shows.
    #[must_use]
    pub fn text(&self) -> String {
        let body = self.run("return document.body.innerText");
        body.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks on a part of the page, named by its test id, as soon as it can be clicked.
    pub fn click(&self, id: &str) {
        until_or(
            || format!("`{id}` can be clicked; the window shows:\n{}", self.text()),
            || {
                // Found anew on every try: a view that is redrawn in between makes elements stale.
                let element = self.find(id)?;
                self.runtime.block_on(async {
                    let disabled = element.attr("aria-disabled").await.ok()?;
                    if disabled.as_deref() == Some("true") {
                        return None;
                    }
                    element.click().await.ok()
                })
            },
        );
    }

    /// Clicks on a part until another one is there: a view that is redrawn under the pointer
    /// swallows the click.
    pub fn open(&self, id: &str, opens: &str) {
        until_or(
            || format!("`{id}` opens `{opens}`; the window shows:\n{}", self.text()),
            || {
                if self.find(opens).is_none() {
                    self.click(id);
                }
                self.find(opens)
            },
        );
    }

    /// Replaces the text of a field.
    pub fn fill(&self, id: &str, text: &str) {
        until_or(
            || format!("`{id}` can be filled; the window shows:\n{}", self.text()),
            || {
                let element = self.find(id)?;
                self.runtime.block_on(async {
                    element.clear().await.ok()?;
                    element.send_keys(text).await.ok()
                })
            },
        );
    }

    /// Waits until a part's `data-state` is this one.
    pub fn wait_for_state(&self, id: &str, state: &str) {
        until_or(
            || format!("`{id}` is {state}; the window shows:\n{}", self.text()),
            || {
                let element = self.find(id)?;
                let found = self.runtime.block_on(element.attr("data-state")).ok()?;
                (found.as_deref() == Some(state)).then_some(())
            },
        );
    }

    /// Whether this is the session that the list has selected and that is shown beside it.
    #[must_use]
    pub fn shows_session(&self, session: &str) -> bool {
        let shown = self.run(
            "return [document.querySelector('[role=option][aria-selected=true]')?.dataset.testid, \
             document.getElementById('detail-title')?.textContent]",
        );
        shown == json!([format!("session-row-{session}"), session])
    }

    /// Runs a script in the page.
    pub fn run(&self, script: &str) -> serde_json::Value {
        let answer = self
            .runtime
            .block_on(self.client().execute(script, Vec::new()));
        answer.unwrap_or_default()
    }

    fn find(&self, id: &str) -> Option<Element> {
        let css = format!("[data-testid='{id}']");
        self.runtime
            .block_on(self.client().find(Locator::Css(&css)))
            .ok()
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("BUG: closed on drop only")
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
    }
}

/// RACE: somebody may take it before the driver does; then the test fails and says so.
fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    socket.expect("a free port").port()
}
