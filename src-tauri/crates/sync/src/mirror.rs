//! How a link that runs in a container is spoken with: a line of JSON there, and one back.

use serde::{Deserialize, Serialize};

use crate::question::Question;
use crate::refusal::Refusal;
use crate::told::{Answer, Stand};

/// Name of the socket, in the supervisor's private directory.
pub const SOCKET: &str = "mirror.sock";

/// Longest line there.
pub const REQUEST_MAX: u64 = 64 * 1024;
/// Longest line back.
pub const REPLY_MAX: u64 = 8 * 1024 * 1024;

/// What is wanted of the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// How it stands.
    Status,
    /// How it stands, now and whenever that changes, a line each.
    Follow,
    /// To look at everything and carry what is to be carried, also in a pause.
    Flush {
        /// Whether a person has agreed to what has stopped it.
        consent: bool,
    },
    /// To carry nothing until it is to go on.
    Pause,
    /// To go on.
    Resume,
    /// To answer a question, or to fulfil a wish.
    Ask(Question),
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// How it stands.
    Stand(Stand),
    /// It was done; this is what came of it, in a sentence.
    Said(String),
    /// The answer.
    Answer(Answer),
    /// Why there is none.
    Refused(Refusal),
}
