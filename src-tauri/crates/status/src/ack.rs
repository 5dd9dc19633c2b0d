//! What a container says of the commands that it was given: in `status.json`, and in its own ledger.

use serde::Serialize;
use serde_json::Value;

use crate::commands::CommandId;
use crate::document::parse_object;
use crate::fields::{self, Object};
use crate::words::words;

/// Most commands that a report tells of: all that may wait, and as many that have ended.
pub const ACKS: usize = 164;
/// Name of the file below `logs` in which a container writes down what has become of each command.
pub const LEDGER_FILE: &str = "commands.jsonl";
/// Largest such file that is read. It is made short long before.
pub const LEDGER_MAX: u64 = 4 * 1024 * 1024;

words! {
    /// How far a command is.
    pub enum AckState {
        /// It waits for its turn.
        Accepted = "accepted",
        /// It runs.
        Running = "running",
        /// It ended with exit code 0.
        Succeeded = "succeeded",
        /// It ended otherwise.
        Failed = "failed",
        /// It took too long, and was ended.
        TimedOut = "timed_out",
        /// It was cancelled, or ended with its container.
        Killed = "killed",
        /// It cannot be carried out; nothing was run.
        Rejected = "rejected",
        /// It came too late; nothing was run.
        Expired = "expired",
        /// It was begun, and nobody knows how it ended. It is not run again.
        Interrupted = "interrupted",
    }
}

impl AckState {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Accepted | Self::Running)
    }
}

/// How far one command is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ack {
    /// Which command.
    pub id: CommandId,
    /// How far it is.
    pub state: AckState,
    /// The code that it ended with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i64>,
    /// When it was begun, by the container's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended, by the container's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Name of the file in `logs` that holds its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Whether some of its output is missing there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Processes that it has left running.
    #[serde(skip_serializing_if = "is_none_left")]
    pub left_running: u64,
    /// Why it was not carried out, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Ack {
    /// Says nothing but the state.
    #[must_use]
    pub fn new(id: CommandId, state: AckState) -> Self {
        Self {
            id,
            state,
            exit_code: None,
            signal: None,
            started_at: None,
            finished_at: None,
            log: None,
            truncated: false,
            left_running: 0,
            error: None,
        }
    }

    /// What a line of the ledger says; none for one that is not whole, or not one of ours.
    #[must_use]
    pub fn from_line(line: &[u8]) -> Option<Self> {
        parse_object(line).ok().and_then(Self::from_object)
    }

    pub(crate) fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(object) => Self::from_object(object),
            _ => None,
        }
    }

    fn from_object(mut object: Object) -> Option<Self> {
        let from = &mut object;
        Some(Self {
            id: CommandId::from_value(&from.remove("id")?)?,
            state: AckState::from(fields::word(from, "state")?),
            exit_code: from.remove("exit_code").and_then(|code| code.as_i64()),
            signal: from.remove("signal").and_then(|signal| signal.as_i64()),
            started_at: fields::word(from, "started_at"),
            finished_at: fields::word(from, "finished_at"),
            log: fields::text(from, "log").filter(|name| is_log_name(name)),
            truncated: fields::flag(from, "truncated"),
            left_running: fields::whole(from, "left_running").unwrap_or_default(),
            error: fields::text(from, "error"),
        })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_none_left(count: &u64) -> bool {
    *count == 0
}

/// A name of a file in `logs`, and of no other place.
fn is_log_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=72).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Ack, AckState};
    use crate::commands::CommandId;

    fn read(value: &Value) -> Option<Ack> {
        Ack::from_line(value.to_string().as_bytes())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut ack = Ack::new(CommandId::new("cmd-1").unwrap(), AckState::Failed);
        ack.exit_code = Some(2);
        ack.log = Some("cmd-1.log".to_owned());
        ack.truncated = true;
        ack.left_running = 2;
        ack.error = Some("why".to_owned());
        assert_eq!(read(&serde_json::to_value(&ack).unwrap()), Some(ack));
    }

    #[test]
    fn row_43_a_log_lies_in_its_directory() {
        for log in ["../../.bashrc", ".hidden", "a/b", ""] {
            let ack = read(&json!({ "id": "a", "state": "failed", "log": log })).unwrap();
            assert_eq!(ack.log, None, "{log}");
        }
    }

    #[test]
    fn what_is_not_whole_or_nobodys_is_nothing() {
        assert_eq!(Ack::from_line(br#"{"id":"a","state":"runn"#), None);
        assert_eq!(read(&json!({ "id": "../a", "state": "running" })), None);
        assert_eq!(read(&json!({ "id": "a" })), None);
        assert_eq!(read(&json!(["a"])), None);
    }

    #[test]
    fn a_word_of_a_later_version_is_an_end() {
        // Whoever waits would wait for ever otherwise.
        assert!(AckState::Unknown("gone".to_owned()).is_final());
        assert!(!AckState::Running.is_final());
    }
}
