//! What is said on the control socket: one JSON object per line.
//!
//! The core greets first. Then each side speaks when it likes: a client sends [`Request`]s with
//! ids of its own choice, the core answers each id with any number of items and one end. A
//! connection whose first request is [`Call::Shell`] carries raw terminal frames after the answer.

use serde::{Deserialize, Serialize};

use crate::client::{LogLine, LogOptions, OutputOptions, OutputPiece, ShellSpec};
use crate::doctor::DoctorReport;
use crate::verb::{ApiError, Outcome, Verb};
use crate::view::{
    CommandView, ContextsAnswer, ContextsQuestion, EngineChoice, Event, ImageView, Snapshot,
    SyncAnswer, SyncQuestion, VerbProgress,
};

/// Raised when old and new programs can no longer talk to each other.
pub(crate) const PROTOCOL: u32 = 1;
/// Longest line a client may send.
pub(crate) const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Longest line the core may send: a snapshot of thousands of sessions.
pub(crate) const RESPONSE_BYTES_MAX: usize = 64 << 20;

/// First line of a connection, from the core.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Greeting {
    pub(crate) protocol: u32,
    pub(crate) version: String,
    pub(crate) pid: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) call: Call,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub(crate) enum Call {
    Snapshot,
    /// Items: the snapshot, then every event after it.
    Follow,
    /// Items: progress. Goes on when the client leaves.
    Run {
        verb: Verb,
    },
    /// Items: lines.
    Logs {
        session: String,
        options: LogOptions,
    },
    LaunchUrl {
        session: String,
        port: Option<u16>,
    },
    Engines,
    Images {
        /// None means the selected engine.
        engine: Option<String>,
    },
    Doctor,
    /// Statistics flow into the session's view until the request ends.
    Look {
        session: String,
    },
    Shell {
        session: String,
        spec: ShellSpec,
    },
    /// Items: what a command says, in pieces.
    Output {
        session: String,
        options: OutputOptions,
    },
    Sync {
        session: String,
        question: SyncQuestion,
    },
    Contexts {
        question: ContextsQuestion,
    },
    StopCore,
    /// Ends another request of this connection; has no answer of its own.
    Cancel {
        request: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Response {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) body: Body,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    /// One of many.
    Item(Item),
    /// The end: it came about.
    Done(Answer),
    /// The end: it did not.
    Failed(ApiError),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Item {
    Snapshot(Box<Snapshot>),
    Event(Box<Event>),
    Progress(VerbProgress),
    Line(LogLine),
    Output(OutputPiece),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Nothing more to say; also the orderly end of a stream.
    Nothing,
    Snapshot(Box<Snapshot>),
    Outcome(Box<Outcome>),
    Url(String),
    Images(Vec<ImageView>),
    Engines(Vec<EngineChoice>),
    Doctor(DoctorReport),
    Sync(Box<SyncAnswer>),
    Contexts(Box<ContextsAnswer>),
    /// The output's end; none for a command that is not ours.
    Command(Option<Box<CommandView>>),
    /// The client read too slowly and missed events: it must follow anew.
    Lagged,
}
