//! What was carried over, one line of JSON each.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_fsx::{At as _, PathError, write_atomic};
use serde::{Deserialize, Serialize};

use super::Side;

/// Older changes are forgotten; their versions leave the trash by age anyway.
const KEPT: usize = 1000;

/// What was done to a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Created,
    /// It replaced an older version.
    Changed,
    /// It is gone.
    Deleted,
    /// It won over the other side's version.
    Won,
    /// A change of the other side was taken back.
    Dropped,
    /// A change was undone.
    Undone,
    /// It came out of the trash.
    Restored,
}

/// A change that was carried over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Which context.
    pub name: String,
    /// Whose change it was.
    pub from: Side,
    /// What was done.
    pub action: Action,
    /// In a sentence.
    pub message: String,
    /// Whether it says where commands go, or that a context is gone.
    pub is_grave: bool,
    /// What stood there before, in the trash.
    pub(super) before: Option<String>,
    /// What both sides hold since.
    pub(super) after: Option<String>,
    /// The change that this one takes back.
    #[serde(default)]
    pub(super) undoes: Option<u64>,
}

impl Change {
    /// Whether a container did it, and no person had a say.
    fn is_a_container_s(&self) -> bool {
        let is_plain = matches!(
            self.action,
            Action::Created | Action::Changed | Action::Deleted
        );
        is_plain && self.from == Side::Container
    }
}

pub(crate) struct History {
    path: PathBuf,
    changes: Vec<Change>,
    /// Something could not be written yet.
    is_behind: bool,
}

impl History {
    pub(crate) fn open(state: &Path) -> Result<Self, PathError> {
        let path = state.join("history.jsonl");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).at(&path),
        };
        // A line that a kill cut short tells of a change that is seen again.
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let changes: Vec<Change> = lines.collect();
        let ends_well = text.is_empty() || text.ends_with('\n');
        let is_behind = false;
        let mut history = Self {
            path,
            changes,
            is_behind,
        };
        if !ends_well {
            history.shorten()?;
        }
        Ok(history)
    }

    /// Keeps a change and numbers it. It has happened: where it cannot be written, it is kept in memory until it can.
    pub(crate) fn add(&mut self, mut change: Change) -> Change {
        change.id = self.changes.last().map_or(1, |last| last.id + 1);
        self.changes.push(change.clone());
        let written = match self.is_behind || self.changes.len() > KEPT * 2 {
            true => self.shorten(),
            false => self.append(&change),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "a change of Docker contexts is not in the history's file yet");
            self.is_behind = true;
        }
        change
    }

    /// Writes what could not be written when it happened; whether all is written.
    pub(crate) fn catch_up(&mut self) -> bool {
        if self.is_behind
            && let Err(error) = self.shorten()
        {
            tracing::warn!(%error, "changes of Docker contexts are not in the history's file yet");
        }
        !self.is_behind
    }

    fn append(&self, change: &Change) -> Result<(), PathError> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Closed at once: not every system lets a shorter history take the place of an open file.
        let mut file = options.open(&self.path).at(&self.path)?;
        file.write_all(line(change).as_bytes()).at(&self.path)
    }

    /// A container that changes a context without end must not fill the disk.
    fn shorten(&mut self) -> Result<(), PathError> {
        let old = self.changes.len().saturating_sub(KEPT);
        self.changes.drain(..old);
        let text: String = self.changes.iter().map(line).collect();
        write_atomic(&self.path, text.as_bytes())?;
        self.is_behind = false;
        Ok(())
    }

    /// The last first.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().rev()
    }

    pub(crate) fn find(&self, id: u64) -> Option<&Change> {
        self.changes.iter().find(|change| change.id == id)
    }

    /// Whether it was taken back, by itself or with one before it.
    pub(crate) fn is_undone(&self, change: &Change) -> bool {
        let mut later = self.of(&change.name).filter(|later| later.id > change.id);
        later.any(|later| later.undoes.is_some_and(|first| first <= change.id))
    }

    /// The last of the changes that a container has made to a context since this one, with nobody's in between.
    pub(crate) fn run_after<'a>(&'a self, change: &'a Change) -> &'a Change {
        let later = self.of(&change.name).filter(|later| later.id > change.id);
        let run = later.take_while(|later| later.is_a_container_s());
        run.last()
            .filter(|_| change.is_a_container_s())
            .unwrap_or(change)
    }

    /// The first of the changes that a container has made to a context up to this one, with nobody's in between.
    pub(crate) fn run_before<'a>(&'a self, change: &'a Change) -> &'a Change {
        let earlier = self.of(&change.name).rev();
        let earlier = earlier.filter(|earlier| earlier.id < change.id);
        let run = earlier.take_while(|earlier| earlier.is_a_container_s());
        run.last()
            .filter(|_| change.is_a_container_s())
            .unwrap_or(change)
    }

    /// Whether a container wrote the version that one side holds of a context.
    pub(crate) fn is_from_a_container(&self, side: Side, name: &str, print: &str) -> bool {
        let last = self.of(name).next_back();
        let carried = last.filter(|last| last.after.as_deref() == Some(print));
        carried.map_or(side == Side::Container, Change::is_a_container_s)
    }

    fn of(&self, name: &str) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.name == name)
    }
}

fn line(change: &Change) -> String {
    let text = serde_json::to_string(change).expect("BUG: a change is plain values");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str) -> Change {
        Change {
            id: 0,
            at: Timestamp::UNIX_EPOCH,
            name: name.to_owned(),
            from: Side::Host,
            action: Action::Created,
            message: String::new(),
            is_grave: false,
            before: None,
            after: None,
            undoes: None,
        }
    }

    #[test]
    fn a_history_goes_on_behind_a_line_that_a_kill_cut_short() {
        let state = tempfile::tempdir().unwrap();
        let mut history = History::open(state.path()).unwrap();
        history.add(change("one"));
        let path = state.path().join("history.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        write_atomic(&path, format!("{text}{}", &text[..20]).as_bytes()).unwrap();
        let mut history = History::open(state.path()).unwrap();
        assert_eq!(history.add(change("two")).id, 2);
        let history = History::open(state.path()).unwrap();
        let names: Vec<&str> = history.list().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["two", "one"]);
    }

    #[test]
    fn what_cannot_be_written_is_kept_until_it_can() {
        let home = tempfile::tempdir().unwrap();
        let (state, aside) = (home.path().join("state"), home.path().join("aside"));
        fs::create_dir(&state).unwrap();
        let mut history = History::open(&state).unwrap();
        history.add(change("one"));
        let moved = |from: &Path, to: &Path| {
            let names = [from.join("history.jsonl"), to.join("history.jsonl")];
            fs::create_dir(to).unwrap();
            fs::hard_link(&names[0], &names[1]).unwrap();
            fs::remove_file(&names[0]).unwrap();
            fs::remove_dir(from).unwrap();
        };
        moved(&state, &aside);
        assert_eq!(history.add(change("two")).id, 2, "it has happened");
        assert!(!history.catch_up());
        moved(&aside, &state);
        assert!(history.catch_up());
        assert_eq!(history.add(change("three")).id, 3);
        let history = History::open(&state).unwrap();
        let names: Vec<&str> = history.list().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["three", "two", "one"]);
    }

    #[test]
    fn a_history_does_not_grow_without_end() {
        let state = tempfile::tempdir().unwrap();
        let mut history = History::open(state.path()).unwrap();
        for _ in 0..=KEPT * 2 {
            history.add(change("one"));
        }
        let lines = fs::read_to_string(state.path().join("history.jsonl")).unwrap();
        assert_eq!(lines.lines().count(), KEPT);
        let last = u64::try_from(KEPT * 2 + 1).unwrap();
        assert_eq!(history.list().next().unwrap().id, last);
    }
}
