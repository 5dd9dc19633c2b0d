//! `commands.json`: what the host wants done in a container, and what it has seen done.

mod order;

use std::path::Path;

use mizzen_fsx::{PathError, SafeDir};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::COMMANDS_FILE;
use crate::document::{Keep, Reading, parse_object, read_object, write_json};
use crate::fields::{self, Object};
use crate::words::words;

pub use order::{Exec, LOG_MAX, OUTPUT_MAX, Order, Signal, TIMEOUT_DEFAULT, TIMEOUT_MAX, one_word};

/// Most commands that wait at once.
pub const QUEUE: usize = 100;

/// Largest commands.json that is read.
pub(crate) const CAP: u64 = 256 * 1024;
/// Most ids that are read of those that the host has seen through.
const PROCESSED: usize = 1000;

words! {
    /// Which command goes first.
    pub enum Priority {
        /// Before all others.
        High = "high",
        /// As it comes.
        Normal = "normal",
        /// When nothing else waits.
        Low = "low",
    }
}

impl Priority {
    /// The smaller goes first. A word of a later version is as good as none.
    fn rank(&self) -> u8 {
        match self {
            Self::High => 0,
            Self::Normal | Self::Unknown(_) => 1,
            Self::Low => 2,
        }
    }
}

/// What tells a command from all others, for ever: 1 to 64 letters, digits, `.`, `_` and `-`, the first a letter or a
/// digit. It is safe as a file's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CommandId(String);

impl CommandId {
    /// The id of this text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::new)
    }
}

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Command {
    /// Which command.
    pub id: CommandId,
    /// Its place among those of the same priority; the first writers gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When it was asked for, by the host's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// After this time, by the container's clock, it is not begun any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether it goes before others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What to do.
    #[serde(flatten)]
    pub order: Order,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Command {
    /// A command to be carried out in its turn.
    #[must_use]
    pub fn new(id: CommandId, order: Order) -> Self {
        Self {
            id,
            seq: None,
            timestamp: None,
            expires_at: None,
            priority: None,
            order,
            extra: Map::new(),
        }
    }

    /// The command as a container will read it.
    ///
    /// # Errors
    /// Why it will not be carried out, in words for whoever asked.
    pub fn checked(self) -> Result<Self, String> {
        let read = serde_json::to_value(&self).ok().and_then(queued);
        read.map_or_else(
            || Err("it cannot be written as JSON".to_owned()),
            |it| it.command,
        )
    }

    /// Smaller goes first; of those that are alike, the one that is listed first.
    #[must_use]
    pub fn turn(&self) -> (u8, u64) {
        let rank = self.priority.as_ref().unwrap_or(&Priority::Normal).rank();
        (rank, self.seq.unwrap_or(0))
    }
}

/// One entry of the queue as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// Which command.
    pub id: CommandId,
    /// What it is, or why it cannot be carried out, in words for whoever asked.
    pub command: Result<Command, String>,
}

/// A queue as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commands {
    /// At most [`QUEUE`], as they are listed. Those without an id are nobody's, and dropped.
    pub queued: Vec<Queued>,
    /// What the host has seen through: the container may forget it.
    pub processed: Vec<CommandId>,
}

impl Commands {
    pub(crate) fn from_object(mut object: Object) -> Self {
        let commands = fields::list(&mut object, "commands").into_iter();
        let processed = fields::list(&mut object, "processed").into_iter();
        Self {
            queued: commands.filter_map(queued).take(QUEUE).collect(),
            processed: processed
                .filter_map(|id| CommandId::from_value(&id))
                .take(PROCESSED)
                .collect(),
        }
    }
}

impl std::str::FromStr for Commands {
    type Err = Keep;

    /// Reads a queue that came another way than by a file, with the same tolerance.
    fn from_str(json: &str) -> Result<Self, Keep> {
        if json.len() as u64 > CAP {
            return Err(Keep::Invalid(format!("larger than {CAP} bytes")));
        }
        parse_object(json.as_bytes()).map(Self::from_object)
    }
}

/// One command that was written by us.
pub(crate) fn command_of(value: Value) -> Option<Command> {
    queued(value)?.command.ok()
}

fn queued(value: Value) -> Option<Queued> {
    let Value::Object(mut object) = value else {
        return None;
    };
    let id = CommandId::from_value(&object.remove("id")?)?;
    let command = command(id.clone(), object);
    Some(Queued { id, command })
}

fn command(id: CommandId, mut object: Object) -> Result<Command, String> {
    let from = &mut object;
    Ok(Command {
        id,
        order: Order::take(from)?,
        seq: fields::whole(from, "seq"),
        timestamp: fields::word(from, "timestamp"),
        expires_at: fields::word(from, "expires_at"),
        priority: fields::word(from, "priority").map(Priority::from),
        extra: object,
    })
}

/// Reads the queue; `uid` is the only owner that the file may have.
#[must_use]
pub fn read_commands(dir: &SafeDir, uid: Option<u32>) -> Reading<Commands> {
    read_object(dir, COMMANDS_FILE, CAP, uid).and_then(|object| Ok(Commands::from_object(object)))
}

/// Replaces the queue whole.
///
/// # Errors
/// Names the path that could not be written.
pub fn write_commands(
    dir: &Path,
    commands: &[Command],
    processed: &[CommandId],
    owner: Option<(u32, u32)>,
) -> Result<(), PathError> {
    let queue = json!({ "commands": commands, "processed": processed });
    write_json(dir.join(COMMANDS_FILE), &queue, owner)
}

#[cfg(test)]
mod tests;
