//! The wire to a session's supervisor: one `attach` in its container, made again when it dies.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mizzen_docker::{Engine, ExecSpec};
use mizzen_tasks::Owner;
use mizzen_wire::{Hello, StreamKind, Target, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, watch};

use crate::direct_line;
use crate::folder::FolderUser;
use crate::provision::SUPERVISOR_PATH;

/// First wait before another attempt, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// How long code-server may take over one answer: a frozen one never answers.
const HEALTH_DEADLINE: Duration = Duration::from_secs(5);
/// How long it may take to load its editor, on a slow machine.
const EDITOR_DEADLINE: Duration = Duration::from_secs(30);
/// `HTTP/1.1 200`.
const ANSWER_BYTES: usize = 12;

/// The wire as it stands.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// It stands.
    Up(Wire),
    /// It does not, for this reason as far as one is known.
    Down(Option<String>),
}

/// Where the line is published, and how its keeper is told to try now.
#[derive(Clone)]
pub(crate) struct LinePort {
    pub(crate) line: Arc<watch::Sender<Line>>,
    pub(crate) retry: Arc<Notify>,
}

impl LinePort {
    pub(crate) fn new() -> Self {
        Self {
            line: Arc::new(watch::Sender::new(Line::Down(None))),
            retry: Arc::new(Notify::new()),
        }
    }

    /// The wire, if one stands.
    pub(crate) fn now(&self) -> Option<Wire> {
        match &*self.line.borrow() {
            Line::Up(wire) => Some(wire.clone()),
            Line::Down(_) => None,
        }
    }
}

/// Whom a wire leads to.
pub(crate) struct Peer {
    pub(crate) engine: Engine,
    pub(crate) container: String,
    /// The session's status directory, on this side.
    pub(crate) status: PathBuf,
    pub(crate) user: FolderUser,
    /// Whether the status directory is mounted.
    pub(crate) shares_files: bool,
}

/// Keeps a wire to a container until it is dropped.
pub(crate) async fn keep(owner: Owner, peer: Peer, port: LinePort) {
    let container = peer.container.as_str();
    // Whoever holds the port learns that the line is down also when this task is dropped.
    let _down = Down(port.clone());
    let mut wait = BACKOFF.0;
    loop {
        match attach(&owner, &peer).await {
            Ok(wire) => {
                wait = BACKOFF.0;
                tracing::debug!(container, way = ?wire.way(), "the wire stands");
                port.line.send_replace(Line::Up(wire.clone()));
                let why = mizzen_status::sanitise(&wire.closed().await.to_string(), 200);
                tracing::debug!(container, why, "the wire ended");
                port.line.send_replace(Line::Down(Some(why)));
            }
            Err(why) => {
                tracing::debug!(container, why, "no wire");
                port.line.send_replace(Line::Down(Some(why)));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(BACKOFF.1),
            () = port.retry.notified() => wait = BACKOFF.0,
        }
    }
}

struct Down(LinePort);

impl Drop for Down {
    fn drop(&mut self) {
        self.0.line.send_replace(Line::Down(None));
    }
}

async fn attach(owner: &Owner, peer: &Peer) -> Result<Wire, String> {
    let spec = ExecSpec::new([SUPERVISOR_PATH, "attach"]);
    let stream = peer
        .engine
        .exec(&peer.container, &spec)
        .await
        .map_err(|error| error.message)?;
    let hello = Hello::new("mizzen", env!("CARGO_PKG_VERSION"));
    // Once the exec has begun, so that the socket is there for a moment only.
    let offer = || direct_line::offer(&peer.engine.endpoint(), &peer.status, peer.user);
    let line = peer.shares_files.then(offer).flatten();
    mizzen_wire::connect(owner, stream.io, hello, line)
        .await
        .map_err(|error| {
            let said = stream.stderr.text();
            let text = if said.trim().is_empty() {
                error.to_string()
            } else {
                said
            };
            mizzen_status::sanitise(text.trim(), 200)
        })
}

/// Asks code-server whether it is well.
pub(crate) async fn code_server_answers(wire: &Wire) -> bool {
    let answer = ask_code_server(wire, "/healthz", HEALTH_DEADLINE).await;
    answer.is_some_and(|answer| is_ok(&answer))
}

/// Asks for the page that a browser is about to ask for: code-server loads its editor with the first one.
pub(crate) async fn load_editor(wire: Wire) {
    // Whether it was loaded shows when somebody opens it.
    let _ = ask_code_server(&wire, "/", EDITOR_DEADLINE).await;
}

/// The beginning of an answer, which is all that counts: not every server closes when asked to.
async fn ask_code_server(
    wire: &Wire,
    path: &str,
    deadline: Duration,
) -> Option<[u8; ANSWER_BYTES]> {
    let asked = async {
        let mut stream = wire
            .open(StreamKind::Forward(Target::CodeServer))
            .await
            .ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = [0; ANSWER_BYTES];
        stream.read_exact(&mut answer).await.ok()?;
        Some(answer)
    };
    tokio::time::timeout(deadline, asked).await.ok().flatten()
}

/// Whether an HTTP answer's status is 200.
fn is_ok(answer: &[u8]) -> bool {
    let line = answer
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    line.starts_with(b"HTTP/1.") && line.get(8..12) == Some(b" 200")
}

#[cfg(test)]
mod tests {
    use super::is_ok;

    #[test]
    fn only_an_http_answer_with_status_200_is_well() {
        for (answer, well) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.0 200\r\n\r\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("SSH-2.0-x\r\n 200", false),
            ("", false),
        ] {
            assert_eq!(is_ok(answer.as_bytes()), well, "{answer:?}");
        }
    }
}
