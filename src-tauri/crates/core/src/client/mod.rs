//! The core as every program sees it: the desktop, the command line and the tests.

mod connection;
mod output;
mod shell;
mod stream;

use std::io;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::control::frame::{Answer, Call, Item, PROTOCOL};
use crate::dirs::Dirs;
use crate::doctor::DoctorReport;
use crate::lock::CoreLock;
use crate::verb::{ApiError, ErrorCode, Outcome, Verb};
use crate::view::{
    ContextsAnswer, ContextsQuestion, EngineChoice, ImageView, Snapshot, SyncAnswer, SyncQuestion,
    VerbProgress,
};

use connection::Connection;
pub use output::{OutputOptions, OutputPiece, OutputSaid, OutputStream, OutputText};
pub use shell::{Keys, Screen, Terminal, TerminalOutput};
pub use stream::{EventStream, FollowEnd, LineStream, Look};

/// A connection to the core. Clones share it; it ends with the core, and a caller that wants
/// another connects anew.
#[derive(Clone)]
pub struct Client {
    dirs: Dirs,
    connection: Connection,
}

/// Why there is no connection to a core.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// None runs.
    #[error("Mizzen does not run")]
    NoCore,
    /// Its version speaks another language.
    #[error("the running core is version {theirs}, this program is {}", env!("CARGO_PKG_VERSION"))]
    Incompatible {
        /// Version of the core.
        theirs: String,
    },
    /// The socket answers, but not as a core does; for one, when it belongs to another user.
    #[error("the core's socket does not answer as it should: {0}")]
    Io(#[from] io::Error),
}

impl From<ConnectError> for ApiError {
    fn from(error: ConnectError) -> Self {
        let hint = match error {
            ConnectError::NoCore => "start it with `mizzen serve`, or open Mizzen",
            ConnectError::Incompatible { .. } => {
                "end the old one with `mizzen serve --stop`, or quit Mizzen, and try again"
            }
            ConnectError::Io(_) => "run `mizzen doctor`",
        };
        Self::new(ErrorCode::CoreUnreachable, error.to_string(), hint)
    }
}

/// Which lines of a session's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct LogOptions {
    /// Only so many of the newest; all when none.
    pub tail: Option<u32>,
    /// Go on with new lines as they come.
    pub follow: bool,
}

/// One line of a session's log, sanitised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogLine {
    /// When the engine received it.
    pub at: Option<String>,
    /// Whether it came from standard error.
    pub is_error: bool,
    /// Its text.
    pub text: String,
}

/// A program in a terminal in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShellSpec {
    /// The program and its arguments; the user's shell when empty.
    pub argv: Vec<String>,
    /// Columns of the terminal.
    pub cols: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// `TERM` of the caller's terminal.
    pub term: Option<String>,
}

impl Client {
    /// Connects to the running core of these directories.
    ///
    /// # Errors
    /// When none runs, or it is of another version.
    pub async fn connect(dirs: &Dirs) -> Result<Self, ConnectError> {
        let connection = Connection::open(dirs).await?;
        Ok(Self {
            dirs: dirs.clone(),
            connection,
        })
    }

    /// Process id of the core.
    #[must_use]
    pub fn core_pid(&self) -> u32 {
        self.connection.greeting.pid
    }

    /// Resolves when the connection has ended.
    pub async fn closed(&self) {
        self.connection.closed().await;
    }

    /// Everything as it stands.
    ///
    /// # Errors
    /// When the core is gone.
    pub async fn snapshot(&self) -> Result<Snapshot, ApiError> {
        match self.connection.ask(Call::Snapshot).await? {
            Answer::Snapshot(snapshot) => Ok(*snapshot),
            other => Err(unexpected(&other)),
        }
    }

    /// Everything as it stands, and every event from there on without a gap.
    ///
    /// # Errors
    /// When the core is gone.
    pub async fn follow(&self) -> Result<(Snapshot, EventStream), ApiError> {
        EventStream::open(&self.connection).await
    }

    /// Asks for something and waits for what comes of it.
    ///
    /// The core goes on with it when the caller stops waiting.
    ///
    /// # Errors
    /// When it did not come about.
    pub async fn run(&self, verb: Verb) -> Result<Outcome, ApiError> {
        self.run_with(verb, |_| {}).await
    }

    /// The same, hearing its progress.
    ///
    /// # Errors
    /// When it did not come about.
    pub async fn run_with(
        &self,
        verb: Verb,
        mut on_progress: impl FnMut(VerbProgress),
    ) -> Result<Outcome, ApiError> {
        let mut call = self.connection.call(Call::Run { verb }).await?;
        let answer = call
            .finish(|item| match item {
                Item::Progress(progress) => on_progress(progress),
                Item::Snapshot(_) | Item::Event(_) | Item::Line(_) | Item::Output(_) => {}
            })
            .await?;
        match answer {
            Answer::Outcome(outcome) => Ok(*outcome),
            other => Err(unexpected(&other)),
        }
    }

    /// A session's log. It has a connection of its own: a slow reader holds up nothing else.
    ///
    /// # Errors
    /// When the core is gone; a session that is not there is told by the first line.
    pub async fn logs(&self, session: &str, options: LogOptions) -> Result<LineStream, ApiError> {
        LineStream::open(&self.dirs, session, options).await
    }

    /// What a command of a session says, on a connection of its own.
    ///
    /// # Errors
    /// When the core is gone; a command that is not there is told by the first piece.
    pub async fn output(
        &self,
        session: &str,
        options: OutputOptions,
    ) -> Result<OutputStream, ApiError> {
        OutputStream::open(&self.dirs, session, options).await
    }

    /// A one-time URL that opens code-server, or what listens on `port` in the session.
    ///
    /// # Errors
    /// When there is no such session, it does not run, or the gateway is down.
    pub async fn launch_url(&self, session: &str, port: Option<u16>) -> Result<String, ApiError> {
        let session = session.to_owned();
        match self
            .connection
            .ask(Call::LaunchUrl { session, port })
            .await?
        {
            Answer::Url(url) => Ok(url),
            other => Err(unexpected(&other)),
        }
    }

    /// Every engine that sessions could live on, and those in use.
    ///
    /// # Errors
    /// The contexts cannot be listed, or the core is gone.
    pub async fn engines(&self) -> Result<Vec<EngineChoice>, ApiError> {
        match self.connection.ask(Call::Engines).await? {
            Answer::Engines(engines) => Ok(engines),
            other => Err(unexpected(&other)),
        }
    }

    /// Session images on an engine; the selected one without.
    ///
    /// # Errors
    /// When the engine does not answer, or the core is gone.
    pub async fn images(&self, engine: Option<String>) -> Result<Vec<ImageView>, ApiError> {
        match self.connection.ask(Call::Images { engine }).await? {
            Answer::Images(images) => Ok(images),
            other => Err(unexpected(&other)),
        }
    }

    /// Looks for what is missing.
    ///
    /// # Errors
    /// When the core is gone.
    pub async fn doctor(&self) -> Result<DoctorReport, ApiError> {
        match self.connection.ask(Call::Doctor).await? {
            Answer::Doctor(report) => Ok(report),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks a synced workspace, or tells it a wish.
    ///
    /// # Errors
    /// When there is no such session, its workspace cannot be reached or refuses, or the core is gone.
    pub async fn ask_sync(
        &self,
        session: &str,
        question: SyncQuestion,
    ) -> Result<SyncAnswer, ApiError> {
        let session = session.to_owned();
        match self
            .connection
            .ask(Call::Sync { session, question })
            .await?
        {
            Answer::Sync(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks the mirror of Docker contexts, or tells it a wish.
    ///
    /// # Errors
    /// When it refuses, a store cannot be used, or the core is gone.
    pub async fn ask_contexts(
        &self,
        question: ContextsQuestion,
    ) -> Result<ContextsAnswer, ApiError> {
        match self.connection.ask(Call::Contexts { question }).await? {
            Answer::Contexts(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    /// Lets CPU and memory use flow into the session's view until the answer is dropped.
    ///
    /// # Errors
    /// When the core is gone.
    pub async fn look(&self, session: &str) -> Result<Look, ApiError> {
        Look::open(&self.connection, session).await
    }

    /// Opens a terminal in a session, on a connection of its own.
    ///
    /// # Errors
    /// When there is no such session, it does not run, or the program cannot be started.
    pub async fn shell(&self, session: &str, spec: ShellSpec) -> Result<Terminal, ApiError> {
        Terminal::open(&self.dirs, session, spec).await
    }

    /// Ends the core; sessions go on running. Returns when another one can start.
    pub async fn stop_core(&self) {
        // The core may be gone before its answer is written: gone is what was asked for.
        let _answer = self.connection.ask(Call::StopCore).await;
        self.closed().await;
        CoreLock::released(self.dirs.lock_file()).await;
    }
}

/// Only a core of another version answers so, and those were turned away by [`PROTOCOL`].
fn unexpected(answer: &Answer) -> ApiError {
    tracing::error!(?answer, protocol = PROTOCOL, "answer of the wrong kind");
    let hint = "end it with `mizzen serve --stop`, or quit Mizzen, and try again";
    let message = "the core gave an answer of the wrong kind";
    ApiError::new(ErrorCode::CoreUnreachable, message, hint)
}

/// The core went away during a call.
pub(crate) fn core_gone() -> ApiError {
    let hint = "try again; its log tells why: `mizzen doctor` names the file";
    ApiError::new(
        ErrorCode::CoreUnreachable,
        "the core ended before it answered",
        hint,
    )
}
