use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use mizzen_fsx::{PathError, SafeDir};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ack::{ACKS, Ack};
use crate::document::{Reading, document, parse_object, read_object, write_json};
use crate::fields::{self, Object};
use crate::words::words;
use crate::{Keep, STATUS_FILE};

/// Largest status.json that is read.
pub const STATUS_MAX: u64 = 256 * 1024;
/// Most errors and most warnings that are kept, the newest.
pub const NOTICES: usize = 50;

words! {
    /// What a container says it is doing.
    pub enum StatusWord {
        /// Services are coming up.
        Starting = "starting",
        /// At work.
        Running = "running",
        /// Up, with nothing to do.
        Idle = "idle",
        /// Frozen.
        Paused = "paused",
        /// Shutting down.
        Stopping = "stopping",
        /// Shut down; the last report.
        Stopped = "stopped",
        /// Cannot do its work.
        Error = "error",
    }
}

words! {
    /// How well a container says it is.
    pub enum Health {
        /// Too early to say.
        Starting = "starting",
        /// All is well.
        Healthy = "healthy",
        /// Something is missing, the rest serves.
        Degraded = "degraded",
        /// Not usable.
        Unhealthy = "unhealthy",
        /// Not checked.
        None = "none",
    }
}

/// A container's report about itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Schema that it was written with; the first writers gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
    /// Number of the report, rising.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The writer's clock as it wrote it: for people, never for freshness. See [`Status::time`].
    pub timestamp: String,
    /// What it is doing.
    pub status: StatusWord,
    /// How well it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Step it is in, in its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// No report will follow this one.
    #[serde(rename = "final", skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// How far the step is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// State word of each service, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
    /// What is wrong, the newest last.
    pub errors: Vec<Notice>,
    /// What may become wrong, the newest last.
    pub warnings: Vec<Notice>,
    /// How far the commands are that it was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Ack>,
    /// Fields that this version does not know, `custom` among them. Not sanitised.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How far a step is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Done so far, at most `total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<f64>,
    /// All there is to do; none when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// When, by the writer's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// In words.
    pub message: String,
}

impl Status {
    /// A first report, with nothing in it but the word and the time.
    #[must_use]
    pub fn new(status: StatusWord, now: Timestamp) -> Self {
        Self {
            schema: Some(crate::SCHEMA),
            seq: Some(0),
            timestamp: now.to_string(),
            status,
            health: None,
            phase: None,
            last: false,
            progress: None,
            services: BTreeMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            commands: Vec::new(),
            extra: Map::new(),
        }
    }

    /// The writer's clock, when it makes sense at all.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.timestamp.parse().ok()
    }

    /// Changes with every report: the arrival of a new one is what freshness counts from.
    #[must_use]
    pub fn beat(&self) -> (Option<u64>, &str) {
        (self.seq, &self.timestamp)
    }

    /// Leaves out what makes the file larger than `max` bytes: first what nobody knows the meaning of, then the older
    /// half of what it tells of most, again and again. A report that no reader takes would be as good as none.
    pub fn fit(&mut self, max: u64) {
        let is_large = |it: &Self| document(it).len() as u64 > max;
        if is_large(self) {
            self.extra.clear();
        }
        while is_large(self) {
            let lengths = [&self.errors, &self.warnings].map(Vec::len);
            let longest = lengths
                .into_iter()
                .max()
                .unwrap_or(0)
                .max(self.commands.len());
            match longest {
                0 => return,
                n if n == self.commands.len() => halve(&mut self.commands),
                n if n == self.warnings.len() => halve(&mut self.warnings),
                _ => halve(&mut self.errors),
            }
        }
    }

    pub(crate) fn from_object(mut object: Object) -> Result<Self, Keep> {
        let from = &mut object;
        let Some(status) = fields::word(from, "status") else {
            return Err(Keep::Invalid("no `status`".to_owned()));
        };
        Ok(Self {
            schema: fields::whole(from, "schema"),
            seq: fields::whole(from, "seq"),
            timestamp: fields::word(from, "timestamp").unwrap_or_default(),
            status: StatusWord::from(status),
            health: fields::word(from, "health").map(Health::from),
            phase: fields::word(from, "phase"),
            last: fields::flag(from, "final"),
            progress: fields::object(from, "progress").map(Progress::from_object),
            services: fields::words(from, "services"),
            errors: notices(fields::list(from, "errors")),
            warnings: notices(fields::list(from, "warnings")),
            commands: acks(fields::list(from, "commands")),
            extra: object,
        })
    }
}

impl Progress {
    pub(crate) fn from_object(mut object: Object) -> Self {
        // The first agents say 0 of 0 when they do not know.
        let total = fields::amount(&mut object, "total").filter(|total| *total > 0.0);
        let current = fields::amount(&mut object, "current");
        Self {
            current: current.map(|n| total.map_or(n, |total| n.min(total))),
            total,
            message: fields::text(&mut object, "message"),
        }
    }
}

/// Drops the older half, the last one included.
fn halve<T>(items: &mut Vec<T>) {
    items.drain(..items.len().div_ceil(2));
}

fn acks(items: Vec<Value>) -> Vec<Ack> {
    let items = items.into_iter().take(ACKS);
    items.filter_map(Ack::from_value).collect()
}

pub(crate) fn notices(items: Vec<Value>) -> Vec<Notice> {
    let skip = items.len().saturating_sub(NOTICES);
    items.into_iter().skip(skip).filter_map(notice).collect()
}

/// Both forms are in use: a text, and an object with a text and a time.
fn notice(item: Value) -> Option<Notice> {
    let mut object = match item {
        Value::Object(object) => object,
        text => Map::from_iter([("message".to_owned(), text)]),
    };
    let message = fields::text(&mut object, "message")?;
    Some(Notice {
        timestamp: fields::word(&mut object, "timestamp"),
        message,
    })
}

/// Reads a session's status.json; `uid` is the only owner it may have.
///
/// One look, without waiting: [`Keep::Torn`] asks the caller for another one 50 ms later.
#[must_use]
pub fn read_status(dir: &SafeDir, uid: Option<u32>) -> Reading<Status> {
    read_object(dir, STATUS_FILE, STATUS_MAX, uid).and_then(Status::from_object)
}

impl std::str::FromStr for Status {
    type Err = Keep;

    /// Reads a report that came another way than by a file, with the same tolerance.
    fn from_str(json: &str) -> Result<Self, Keep> {
        if json.len() as u64 > STATUS_MAX {
            return Err(Keep::Invalid(format!("larger than {STATUS_MAX} bytes")));
        }
        parse_object(json.as_bytes()).and_then(Self::from_object)
    }
}

/// Replaces the status.json of a status directory whole.
///
/// # Errors
/// Names the path that could not be written.
pub fn write_status(dir: &Path, status: &Status) -> Result<(), PathError> {
    write_json(dir.join(STATUS_FILE), status, None)
}

#[cfg(test)]
mod tests;
