//! What a link writes down: a line for each cycle, and apart from these, a line for each thing that a person asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mizzen_sync_core::{Halt, RelPath, Side};
use serde::Serialize;

use super::{Both, Cycle, CycleError, Keep, Undone};
use crate::apply::Applied;
use crate::trash::CycleId;

/// At this size a file becomes the old one, and a new one begins.
const SIZE_MAX: u64 = 4 * 1024 * 1024;

/// A link's log and audit log: `log.jsonl` and `audit.jsonl`, one JSON object a line. Nothing depends on them, so that a
/// line that cannot be written is left out.
#[derive(Debug)]
pub struct LinkLog {
    cycles: Lines,
    audit: Lines,
}

impl LinkLog {
    /// Writes to files in a folder that is there.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self::with_size(dir, SIZE_MAX)
    }

    fn with_size(dir: &Path, size_max: u64) -> Self {
        let lines = |name: &str| Lines {
            path: dir.join(name),
            size_max,
            open: None,
        };
        Self {
            cycles: lines("log.jsonl"),
            audit: lines("audit.jsonl"),
        }
    }

    pub(super) fn cycle(&mut self, cycle: &Cycle, ended: Option<&CycleError>) {
        let _ = self.cycles.add(&CycleLine::new(cycle, ended));
    }

    pub(super) fn audit(&mut self, audit: &Audit) {
        let _ = self.audit.add(audit);
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

/// One thing that a person asked for.
#[derive(Serialize)]
pub(super) struct Audit {
    cycle: String,
    asked: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
    /// The cycle that is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
    /// What was agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    done: usize,
    failed: usize,
    refused: usize,
}

impl Audit {
    fn new(asked: &'static str, id: CycleId) -> Self {
        Self {
            cycle: id.to_string(),
            asked,
            path: None,
            side: None,
            of: None,
            keep: None,
            beside: None,
            to: None,
            done: 0,
            failed: 0,
            refused: 0,
        }
    }

    fn did(self, cycle: &Cycle) -> Self {
        let Both { host, container } = &cycle.applied;
        Self {
            done: host.done.len() + container.done.len(),
            failed: host.failed.len() + container.failed.len(),
            ..self
        }
    }

    fn undid(self, undone: &Undone) -> Self {
        Self {
            refused: undone.refused.host.len() + undone.refused.container.len(),
            ..self.did(&undone.cycle)
        }
    }

    pub(super) fn consent(id: CycleId, halt: Halt) -> Self {
        Self {
            to: Some(halt.to_string()),
            ..Self::new("consent", id)
        }
    }

    pub(super) fn resolve(
        cycle: &Cycle,
        path: &RelPath,
        keep: Keep,
        beside: Option<&RelPath>,
    ) -> Self {
        Self {
            path: Some(path.to_string()),
            keep: Some(keep.name()),
            beside: beside.map(ToString::to_string),
            ..Self::new("resolve", cycle.id).did(cycle)
        }
    }

    pub(super) fn undo(undone: &Undone, of: CycleId) -> Self {
        Self {
            of: Some(of.to_string()),
            ..Self::new("undo", undone.cycle.id).undid(undone)
        }
    }

    pub(super) fn restore(undone: &Undone, path: &RelPath, of: CycleId, side: Side) -> Self {
        Self {
            path: Some(path.to_string()),
            side: Some(side.to_string()),
            of: Some(of.to_string()),
            ..Self::new("restore", undone.cycle.id).undid(undone)
        }
    }
}

/// A file of lines that cannot grow without end.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    size_max: u64,
    /// With its size.
    open: Option<(File, u64)>,
}

impl Lines {
    fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        let size = line.len() as u64;
        let (file, before) = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let (mut file, before) = match before > 0 && before + size > self.size_max {
            true => {
                drop(file);
                self.put_aside()?;
                self.open()?
            }
            false => (file, before),
        };
        // At once, so that a line is whole or not there at all.
        file.write_all(&line)?;
        self.open = Some((file, before + size));
        Ok(())
    }

    fn open(&self) -> io::Result<(File, u64)> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the older generation gives way to the newer one"
    )]
    fn put_aside(&self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("old.jsonl"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_starts_over_at_its_size_and_one_older_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = LinkLog::with_size(dir.path(), 600);
        for id in 0..9 {
            log.audit(&Audit::new("test", CycleId(id)));
            if id == 4 {
                log = LinkLog::with_size(dir.path(), 600);
            }
        }
        let read = |name: &str| -> Vec<String> {
            let text = fs::read_to_string(dir.path().join(name)).unwrap();
            assert!(text.len() <= 600, "{name}");
            let lines = text.lines();
            let value = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
            lines
                .map(|line| value(line)["cycle"].as_str().unwrap().to_owned())
                .collect()
        };
        let mut all = read("audit.old.jsonl");
        all.extend(read("audit.jsonl"));
        let newest = (9 - all.len() as i64..9).map(|id| CycleId(id).to_string());
        assert!(all.len() >= 7, "{all:?}");
        assert_eq!(all, newest.collect::<Vec<_>>());
    }

    #[test]
    fn a_log_that_cannot_be_written_is_no_matter() {
        let mut log = LinkLog::new(Path::new("no/such/dir"));
        log.audit(&Audit::new("test", CycleId(0)));
        assert!(!Path::new("no").exists());
    }
}
