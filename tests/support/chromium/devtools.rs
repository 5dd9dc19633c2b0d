//! The DevTools protocol: numbered calls and events, as JSON on one websocket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use mizzen_tasks::Owner;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// For the answer to a call, be it a page that first has to load.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("chromium does not answer {0}")]
    Silent(String),
    #[error("chromium is gone")]
    BrowserGone,
    #[error("the page went away")]
    PageGone,
    #[error("the page throws {0}")]
    Thrown(String),
    #[error("chromium refuses: {0}")]
    Refused(String),
}

/// A connection to a browser; cheap to clone.
#[derive(Clone)]
pub(super) struct Devtools {
    next: Arc<AtomicU64>,
    waiting: Waiting,
    // An async lock: held while one message is written.
    sink: Arc<tokio::sync::Mutex<SplitSink<Socket, Message>>>,
    events: broadcast::Sender<Value>,
}

impl Devtools {
    pub(super) async fn connect(owner: &Owner, url: &str) -> Result<Self> {
        // A screenshot is one message of several MiB.
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _) =
            tokio_tungstenite::connect_async_with_config(url, Some(config), true).await?;
        let (sink, stream) = socket.split();
        let (waiting, events) = (Waiting::default(), broadcast::Sender::new(1024));
        owner.spawn("devtools", read(stream, waiting.clone(), events.clone()));
        let sink = Arc::new(tokio::sync::Mutex::new(sink));
        Ok(Self {
            next: Arc::default(),
            waiting,
            sink,
            events,
        })
    }

    /// Calls a method of the browser, or of one tab.
    pub(super) async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, Failure> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut call = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            call["sessionId"] = json!(session);
        }
        let (answer, answered) = oneshot::channel();
        self.waiting
            .lock()
            .expect("BUG: a panic under the lock")
            .insert(id, answer);
        let message = Message::text(call.to_string());
        self.sink
            .lock()
            .await
            .send(message)
            .await
            .map_err(|_| Failure::BrowserGone)?;
        let mut answer = tokio::time::timeout(PATIENCE, answered)
            .await
            .map_err(|_| Failure::Silent(method.to_owned()))?
            .map_err(|_| Failure::BrowserGone)?;
        match answer["error"]["message"].as_str() {
            None => Ok(answer["result"].take()),
            Some(text) if is_page_gone(text) => Err(Failure::PageGone),
            Some(text) => Err(Failure::Refused(text.to_owned())),
        }
    }

    /// Events from now on.
    pub(super) fn events(&self) -> Events {
        Events(self.events.subscribe())
    }
}

/// DevTools has no error codes that tell these apart from its other errors.
fn is_page_gone(text: &str) -> bool {
    [
        "context was destroyed",
        "navigated or closed",
        "Cannot find context",
        "Promise was collected",
    ]
    .iter()
    .any(|gone| text.contains(gone))
}

/// What browser and tabs tell unasked.
pub(super) struct Events(broadcast::Receiver<Value>);

impl Events {
    pub(super) async fn wait_for(&mut self, session: &str, method: &str) -> Result<()> {
        loop {
            let event = match self.0.recv().await {
                Ok(event) => event,
                // What was missed may be what is waited for.
                Err(RecvError::Lagged(_)) => return Ok(()),
                Err(RecvError::Closed) => bail!(Failure::BrowserGone),
            };
            if event["method"] == method && event["sessionId"] == session {
                return Ok(());
            }
        }
    }
}

async fn read(mut stream: SplitStream<Socket>, waiting: Waiting, events: broadcast::Sender<Value>) {
    while let Some(Ok(message)) = stream.next().await {
        let Ok(value) = serde_json::from_slice::<Value>(&message.into_data()) else {
            continue;
        };
        let Some(id) = value["id"].as_u64() else {
            let _ = events.send(value);
            continue;
        };
        if let Some(answer) = waiting
            .lock()
            .expect("BUG: a panic under the lock")
            .remove(&id)
        {
            let _ = answer.send(value);
        }
    }
    // Whoever still waits learns that nothing will come.
    waiting.lock().expect("BUG: a panic under the lock").clear();
}
