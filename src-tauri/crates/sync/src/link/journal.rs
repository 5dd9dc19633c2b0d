//! What a link writes down: a line for each cycle, a line for each thing that a person asked for, and what a cycle
//! displaced that had not been agreed on.

mod audit;
mod lines;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use mizzen_sync_core::RelPath;
use serde::{Deserialize, Serialize};

use super::{Cycle, CycleError};
use crate::apply::Applied;
use crate::trash::CycleId;

pub(super) use audit::Audit;

use lines::Lines;

/// At this size a file becomes the old one, and a new one begins.
const SIZE_MAX: u64 = 4 * 1024 * 1024;

/// A link's log and audit log, `log.jsonl` and `audit.jsonl`, and its notes, `contested.jsonl`: one JSON object a line.
/// A line that cannot be written is left out. Without a note, what is taken back goes over to the other side, although
/// that had something of its own.
#[derive(Debug)]
pub struct Journal {
    cycles: Lines,
    audit: Lines,
    contested: Lines,
}

impl Journal {
    /// Writes to files in a folder that is there.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        let lines = |name: &str| Lines::new(dir.join(name), SIZE_MAX);
        Self {
            cycles: lines("log.jsonl"),
            audit: lines("audit.jsonl"),
            contested: lines("contested.jsonl"),
        }
    }

    pub(super) fn cycle(&mut self, cycle: &Cycle, ended: Option<&CycleError>) {
        let _ = self.cycles.add(&CycleLine::new(cycle, ended));
    }

    pub(super) fn audit(&mut self, audit: &Audit) {
        let _ = self.audit.add(audit);
    }

    /// Notes places where a cycle displaces what both sides had not agreed on.
    pub(super) fn contest(&mut self, id: CycleId, places: &[&RelPath]) {
        let line = Contested {
            cycle: id.to_string(),
            places: places.iter().map(|place| Place::new(place)).collect(),
        };
        let _ = self.contested.add(&line);
    }

    /// The places that were noted of a cycle.
    pub(super) fn contested(&self, id: CycleId) -> HashSet<RelPath> {
        let id = id.to_string();
        let mut found = HashSet::new();
        self.contested.each(|line: Contested| {
            if line.cycle == id {
                found.extend(line.places.iter().filter_map(Place::path));
            }
        });
        found
    }
}

#[derive(Serialize, Deserialize)]
struct Contested {
    cycle: String,
    places: Vec<Place>,
}

/// A path, as a text where it is one.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Place {
    Text(String),
    Bytes(Vec<u8>),
}

impl Place {
    fn new(path: &RelPath) -> Self {
        let bytes = path.as_bytes().to_vec();
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }

    fn path(&self) -> Option<RelPath> {
        match self {
            Self::Text(text) => RelPath::new(text.as_bytes()).ok(),
            Self::Bytes(bytes) => RelPath::new(bytes).ok(),
        }
    }
}

/// One cycle.
#[derive(Serialize)]
struct CycleLine {
    cycle: String,
    whole_ms: f64,
    looking_ms: f64,
    host: SideLine,
    container: SideLine,
    deleted: u64,
    merged: usize,
    conflicts: usize,
    problems: usize,
    withheld: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tripwires: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// What a cycle did to a side.
#[derive(Serialize)]
struct SideLine {
    hashed: u64,
    done: usize,
    failed: usize,
    files: u64,
    bytes: u64,
    reused: u64,
}

impl CycleLine {
    fn new(cycle: &Cycle, ended: Option<&CycleError>) -> Self {
        let (halted, failed) = match ended {
            None => (None, None),
            Some(CycleError::Halted(halt)) => (Some(halt.to_string()), None),
            Some(error) => (None, Some(error.to_string())),
        };
        Self {
            cycle: cycle.id.to_string(),
            whole_ms: milliseconds(cycle.took.whole),
            looking_ms: milliseconds(cycle.took.looking),
            host: SideLine::new(&cycle.applied.host, cycle.hashed.host),
            container: SideLine::new(&cycle.applied.container, cycle.hashed.container),
            deleted: cycle.deleted,
            merged: cycle.merged.len(),
            conflicts: cycle.conflicts.len(),
            problems: cycle.problems.len(),
            withheld: cycle.withheld.len(),
            tripwires: cycle.tripwires.iter().map(Place::new).collect(),
            halted,
            failed,
        }
    }
}

impl SideLine {
    fn new(applied: &Applied, hashed: u64) -> Self {
        Self {
            hashed,
            done: applied.done.len(),
            failed: applied.failed.len(),
            files: applied.files,
            bytes: applied.bytes,
            reused: applied.reused,
        }
    }
}

/// To a thousandth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_noted_whatever_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let places = [&b"a/b"[..], b"", b"\xff\n"].map(|path| RelPath::new(path).unwrap());
        let mut journal = Journal::new(dir.path());
        journal.contest(CycleId(1), &places.each_ref());
        journal.contest(CycleId(2), &[&places[0]]);
        let journal = Journal::new(dir.path());
        assert_eq!(journal.contested(CycleId(1)), places.clone().into());
        assert_eq!(journal.contested(CycleId(2)), [places[0].clone()].into());
        assert_eq!(journal.contested(CycleId(3)), HashSet::new());
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_no_matter() {
        let mut journal = Journal::new(Path::new("no/such/dir"));
        journal.contest(CycleId(0), &[]);
        assert!(journal.contested(CycleId(0)).is_empty());
        assert!(!Path::new("no").exists());
    }
}
