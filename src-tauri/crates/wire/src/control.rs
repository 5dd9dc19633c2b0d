//! Questions to the supervisor about itself: one frame asks, one frame answers.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::frame::{read_frame, write_frame};
use crate::kind::StreamKind;
use crate::mux::{OpenError, Wire};
use crate::stream::Stream;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long the supervisor waits for code-server before it answers [`Question::SettledReport`].
pub const SETTLE_MAX: Duration = Duration::from_secs(5);

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Are you there?
    Ping,
    /// How do things stand in the container?
    Report,
    /// How do they stand once code-server runs or is known to be missing? Answered after
    /// [`SETTLE_MAX`] in any case.
    SettledReport,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Pong,
    /// Like this.
    Report(Box<SupervisorReport>),
}

/// How things stand in the container, in its own words: none of it is sanitised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupervisorReport {
    /// The supervisor's version.
    pub version: String,
    /// User id that everything runs as.
    pub uid: u32,
    /// Group id that everything runs as.
    pub gid: u32,
    /// Name of that user; none when the container does not know one.
    pub user: Option<String>,
    /// Whether `/workspace` can be worked in.
    pub workspace_ok: bool,
    /// Why it cannot, in words.
    pub workspace_problem: Option<String>,
    /// State word of each service, by its name.
    pub services: BTreeMap<String, String>,
    /// Where code-server listens; none when the container has no place for its socket.
    pub code_server_socket: Option<PathBuf>,
    /// The newest status.json as PID 1 wrote it; none before the first.
    pub status_json: Option<String>,
}

/// Asks one question at a time over a stream of its own.
#[derive(Debug)]
pub struct Control {
    /// None after an answer that did not come: question and answer would no longer match.
    stream: Option<Stream>,
}

impl Control {
    /// Opens the stream.
    ///
    /// # Errors
    /// As [`Wire::open`].
    pub async fn open(wire: &Wire) -> Result<Self, OpenError> {
        Ok(Self {
            stream: Some(wire.open(StreamKind::Control).await?),
        })
    }

    /// Makes sure that the supervisor answers.
    ///
    /// # Errors
    /// It does not, in time.
    pub async fn ping(&mut self) -> io::Result<()> {
        match self.ask(&Question::Ping).await? {
            Answer::Pong => Ok(()),
            Answer::Report(_) => Err(mismatch()),
        }
    }

    /// Asks how things stand.
    ///
    /// # Errors
    /// No answer in time.
    pub async fn report(&mut self) -> io::Result<SupervisorReport> {
        self.ask_for_report(&Question::Report).await
    }

    /// Asks how things stand once code-server runs or is known to be missing, and waits for that
    /// no longer than [`SETTLE_MAX`].
    ///
    /// # Errors
    /// No answer in time.
    pub async fn settled_report(&mut self) -> io::Result<SupervisorReport> {
        self.ask_for_report(&Question::SettledReport).await
    }

    async fn ask_for_report(&mut self, question: &Question) -> io::Result<SupervisorReport> {
        match self.ask(question).await? {
            Answer::Report(report) => Ok(*report),
            Answer::Pong => Err(mismatch()),
        }
    }

    async fn ask(&mut self, question: &Question) -> io::Result<Answer> {
        // Taken, so that a question that is given up in the middle spoils the stream for the next.
        let mut stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        let exchange = async {
            write_frame(&mut stream, question).await?;
            read_frame(&mut stream).await
        };
        let answer = tokio::time::timeout(DEADLINE, exchange).await??;
        self.stream = Some(stream);
        Ok(answer)
    }
}

fn mismatch() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer to another question")
}

/// The supervisor's side: answers until the core closes the stream.
///
/// # Errors
/// The stream failed, or a question makes no sense.
pub async fn serve<F>(mut stream: Stream, mut answer: impl FnMut(Question) -> F) -> io::Result<()>
where
    F: Future<Output = Answer>,
{
    loop {
        match read_frame(&mut stream).await {
            Ok(question) => write_frame(&mut stream, &answer(question).await).await?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
