//! A real Chromium without a window, driven over its DevTools socket.

mod devtools;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use mizzen_tasks::Owner;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use devtools::{Devtools, Failure};

/// For anything a page is waited for; a loaded machine needs tens of seconds for a workbench.
const PATIENCE: Duration = Duration::from_secs(120);

/// Flags that make a browser quiet and independent of its machine; a root user has no sandbox.
const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    // A name in a stranger's hands that leads to this machine.
    "--host-resolver-rules=MAP rebound.example 127.0.0.1",
    "--window-size=1360,860",
];

/// A browser with a profile of its own; ends when dropped.
pub struct Chromium {
    devtools: Devtools,
    // Dropped in this order: the process, then what it writes to.
    _child: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Starts a browser.
    ///
    /// # Errors
    /// It is not installed, or ends before it listens.
    pub async fn start(owner: &Owner) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut child = Command::new("chromium")
            .args(FLAGS)
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("chromium does not start; `make setup` installs it")?;
        let stderr = child.stderr.take().expect("BUG: asked for above");
        let url = tokio::time::timeout(PATIENCE, address(owner, stderr))
            .await
            .context("chromium does not listen")??;
        let devtools = Devtools::connect(owner, &url).await?;
        Ok(Self {
            devtools,
            _child: child,
            _profile: profile,
        })
    }

    /// Opens a tab; all tabs share the browser's cookies.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn tab(&self) -> Result<Tab> {
        let made = self
            .devtools
            .call(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = made.await?["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let attached = self
            .devtools
            .call(None, "Target.attachToTarget", attach)
            .await?;
        let session = attached["sessionId"]
            .as_str()
            .context("no session")?
            .to_owned();
        let tab = Tab {
            devtools: self.devtools.clone(),
            session,
        };
        tab.call("Runtime.enable", json!({})).await?;
        Ok(tab)
    }

    /// All cookies that the browser keeps.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn cookies(&self) -> Result<Vec<Value>> {
        let kept = self
            .devtools
            .call(None, "Storage.getCookies", json!({}))
            .await?;
        Ok(kept["cookies"].as_array().cloned().unwrap_or_default())
    }
}

/// Reads the line in which the browser says where it listens, and goes on reading so that it never blocks.
async fn address(owner: &Owner, stderr: ChildStderr) -> Result<String> {
    let mut lines = BufReader::new(stderr).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(url) = line.strip_prefix("DevTools listening on ") {
            let url = url.to_owned();
            owner.spawn("chromium-log", async move {
                while let Ok(Some(_)) = lines.next_line().await {}
            });
            return Ok(url);
        }
        said.push_str(&line);
        said.push('\n');
    }
    bail!("chromium ended: {said}")
}

/// One tab.
pub struct Tab {
    devtools: Devtools,
    session: String,
}

impl Tab {
    async fn call(&self, method: &str, params: Value) -> Result<Value, Failure> {
        self.devtools
            .call(Some(&self.session), method, params)
            .await
    }

    /// Goes to an address and returns when the answer has begun.
    ///
    /// # Errors
    /// There is no such host, or the browser blocks the address.
    pub async fn go(&self, url: &str) -> Result<()> {
        let went = self.call("Page.navigate", json!({"url": url})).await?;
        match went["errorText"].as_str() {
            None => Ok(()),
            // The token in it is nobody's business.
            Some(text) => bail!("{}: {text}", url.split('?').next().unwrap_or_default()),
        }
    }

    /// Loads the page again and returns when the old one is gone.
    ///
    /// # Errors
    /// The new one does not come.
    pub async fn reload(&self) -> Result<()> {
        // RACE: the old page still answers, and what it is asked for last is never done.
        self.value("window.old = true").await?;
        self.call("Page.reload", json!({})).await?;
        self.wait_for("!window.old").await.map(drop)
    }

    /// The value of an expression; a promise is waited for.
    ///
    /// # Errors
    /// It throws, or the page goes away meanwhile.
    pub async fn value(&self, expression: &str) -> Result<Value> {
        Ok(self.try_value(expression).await?)
    }

    async fn try_value(&self, expression: &str) -> Result<Value, Failure> {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", params).await?;
        match answer.get("exceptionDetails") {
            None => Ok(answer["result"]["value"].clone()),
            Some(thrown) => Err(Failure::Thrown(
                thrown["exception"]["description"].to_string(),
            )),
        }
    }

    /// Waits until an expression is true in whatever page the tab shows by then; answers with its value.
    ///
    /// # Errors
    /// It stays untrue for long; names what the page shows instead.
    pub async fn wait_for(&self, expression: &str) -> Result<Value> {
        match tokio::time::timeout(PATIENCE, self.watch(expression)).await {
            Ok(found) => found,
            Err(_) => {
                let shown = "document.title + ' ' + document.body?.innerText.slice(0, 600)";
                let shown = self.value(shown).await;
                Err(anyhow!(
                    "never true: {expression}; the page shows {shown:?}"
                ))
            }
        }
    }

    async fn watch(&self, expression: &str) -> Result<Value> {
        let watch = format!(
            "new Promise(done => {{
                const look = () => {{ let v; try {{ v = ({expression}) }} catch {{}} if (v) {{ clearInterval(timer); done(v) }} }};
                const timer = setInterval(look, 10); look();
            }})"
        );
        loop {
            let mut pages = self.devtools.events();
            match self.try_value(&watch).await {
                Ok(value) => return Ok(value),
                // RACE: the tab went to another page, which ends all that ran in this one: look again there.
                Err(Failure::PageGone) => {
                    pages
                        .wait_for(&self.session, "Runtime.executionContextCreated")
                        .await?
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Saves what the tab shows as a PNG.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        let shot = self
            .call("Page.captureScreenshot", json!({"format": "png"}))
            .await?;
        let png = base64::prelude::BASE64_STANDARD
            .decode(shot["data"].as_str().context("no picture")?)?;
        let folder = path.parent().context("no folder")?;
        tokio::fs::create_dir_all(folder).await?;
        tokio::fs::write(path, png)
            .await
            .with_context(|| path.display().to_string())
    }
}
