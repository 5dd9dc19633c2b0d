//! Keeps code-server running on a Unix socket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mizzen_fsx::Watch;
use mizzen_tasks::Owner;
use mizzen_wire::pty::Exit;
use std::process::Command;
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::board::{Board, CODE_SERVER, Stage, Steady};
use super::children::{Child, Children};
use super::http;
use super::identity::Identity;
use super::journal::Journal;
use super::places;
use super::retry::{Retry, chance};

/// code-server has no login of its own: its socket lies in a directory that only its user can
/// enter. Its port proxy is off: forwards do that, with the gateway's checks before them. Extension
/// hosts of closed tabs would stay for three hours, at 160 MB each; five minutes are enough to
/// come back.
const FLAGS: [&str; 10] = [
    "--socket-mode=600",
    "--auth=none",
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-workspace-trust",
    "--disable-getting-started-override",
    "--disable-proxy",
    "--reconnection-grace-time=300",
    "--app-name=Mizzen",
    places::WORKSPACE,
];

/// Between two questions whether it answers.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two looks whether it still does, and between two when the last one found something else.
const LOOKS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(2));
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Up this long, a crash is a new one and not a part of a series.
const STEADY: Duration = Duration::from_secs(60);

pub(crate) struct CodeServer {
    pub(crate) board: Board,
    pub(crate) journal: Journal,
    pub(crate) children: Children,
    pub(crate) identity: Identity,
    pub(crate) runtime: Option<PathBuf>,
    /// Owns the tasks that forward its output.
    pub(crate) owner: Owner,
}

impl CodeServer {
    /// Runs it again and again until the task is stopped. Whatever happens, the container is
    /// ready after the first attempt: the rest of it serves.
    pub(crate) async fn run(self) {
        let Err(missing) = self.keep_running().await;
        self.journal.note(&missing);
        self.board.set_warning(CODE_SERVER, Some(missing));
        self.board.set_service(CODE_SERVER, "missing");
        self.board.set_stage(Stage::Ready);
    }

    async fn keep_running(&self) -> Result<std::convert::Infallible, String> {
        let program = places::find_program(CODE_SERVER).ok_or("code-server is not installed")?;
        let runtime = self
            .runtime
            .as_ref()
            .ok_or("code-server has no place for its socket")?;
        let socket = places::code_server_socket(runtime);
        let mut retry = Retry::new(Duration::from_secs(1), Duration::from_secs(30));
        loop {
            let started = Instant::now();
            let failure = self.run_once(&program, &socket).await;
            if self.board.is_ending() {
                // RACE: it was told to end, and this task is about to be.
                return std::future::pending().await;
            }
            if started.elapsed() >= STEADY {
                retry.succeeded();
            }
            let pause = retry.pause(chance());
            self.journal.note(format_args!(
                "{failure}; next attempt in {:.1} s",
                pause.as_secs_f32()
            ));
            self.board.set_error(CODE_SERVER, Some(failure));
            self.board.set_service(CODE_SERVER, "restarting");
            self.board.set_stage(Stage::Ready);
            sleep(pause).await;
        }
    }

    /// One life of it; says in words how that ended.
    async fn run_once(&self, program: &Path, socket: &Path) -> String {
        self.board.set_service(CODE_SERVER, "starting");
        let mut child = match self.start(program, socket) {
            Ok(child) => child,
            Err(error) => return format!("code-server cannot be started: {error}"),
        };
        self.owner.spawn(
            "stdout",
            self.journal.clone().forward(CODE_SERVER, child.stdout),
        );
        self.owner.spawn(
            "stderr",
            self.journal.clone().forward(CODE_SERVER, child.stderr),
        );
        tokio::select! {
            () = answers(socket) => {
                self.board.set_error(CODE_SERVER, None);
                self.board.set_service(CODE_SERVER, "running");
                self.board.set_stage(Stage::Ready);
            }
            exit = &mut child.exit => return ended(exit.ok()),
        }
        tokio::select! {
            never = self.watch_over(socket) => match never {},
            exit = &mut child.exit => ended(exit.ok()),
        }
    }

    /// Looks again and again whether it answers. It is left alone when it does not: what hangs may come back, and has
    /// somebody's unsaved text in it.
    async fn watch_over(&self, socket: &Path) -> std::convert::Infallible {
        let mut health = Steady::of(true);
        let mut shown = true;
        loop {
            sleep(if health.is_settled() {
                LOOKS.0
            } else {
                LOOKS.1
            })
            .await;
            let answers = health.next(is_healthy_soon(socket).await);
            if answers == shown || self.board.is_ending() {
                continue;
            }
            shown = answers;
            let (word, error) = match answers {
                true => ("running", None),
                false => (
                    "unresponsive",
                    Some("code-server does not answer".to_owned()),
                ),
            };
            self.journal.note(format_args!("code-server is {word}"));
            self.board.set_error(CODE_SERVER, error);
            self.board.set_service(CODE_SERVER, word);
        }
    }

    fn start(&self, program: &Path, socket: &Path) -> io::Result<Child> {
        remove_stale(socket)?;
        let mut command = Command::new(program);
        command
            .arg("--socket")
            .arg(socket)
            .args(FLAGS)
            .current_dir(places::start_dir());
        self.identity.dress(&mut command);
        let child = self.children.start(command)?;
        self.journal.note(format_args!(
            "code-server is process {}",
            child.pid.as_raw_nonzero()
        ));
        Ok(child)
    }
}

/// code-server does not start on a socket that an earlier one left.
fn remove_stale(socket: &Path) -> io::Result<()> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn ended(exit: Option<Exit>) -> String {
    match exit {
        Some(Exit::Code(code)) => format!("code-server ended with exit code {code}"),
        Some(Exit::Signal(signal)) => format!("code-server was ended by signal {signal}"),
        None => "code-server ended".to_owned(),
    }
}

/// Waits until code-server answers, which it does from the moment its socket is there.
async fn answers(socket: &Path) {
    let changed = Arc::new(Notify::new());
    let hint = changed.clone();
    // Without file events, and for one that listens before it answers, the pause serves.
    let _watch = Watch::new(socket.parent(), move || hint.notify_one()).ok();
    while !is_healthy_soon(socket).await {
        let _ = timeout(PAUSE, changed.notified()).await;
    }
}

async fn is_healthy_soon(socket: &Path) -> bool {
    let answer = timeout(PATIENCE, is_healthy(socket)).await;
    answer.is_ok_and(|answer| answer)
}

async fn is_healthy(socket: &Path) -> bool {
    const REQUEST: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let ask = async { http::status(UnixStream::connect(socket).await?, REQUEST).await };
    ask.await.is_ok_and(|status| status == 200)
}
