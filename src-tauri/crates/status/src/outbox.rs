//! The host's own list of what one container is to do: the truth, of which `commands.json` is a copy.
//!
//! It lies where no container reaches. A command is in it, on the disk, before anybody is told that it was taken, and it
//! leaves the queue only by what the container says has become of it.

mod disk;
mod projection;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_fsx::{PathError, SafeDir};

use crate::ack::{Ack, AckState};
use crate::commands::{Command, CommandId, Order, QUEUE};
use crate::document::write_json;
use crate::text::sanitise;
use crate::{COMMANDS_FILE, Exec};
use disk::Kept;
use projection::Queue;

/// Commands that have ended and are remembered.
const PAST: usize = 256;
/// Longest command that is told of, in characters.
const WHAT: usize = 200;

/// What one container is asked for, and what has become of it.
pub struct Outbox {
    path: PathBuf,
    kept: Kept,
    put_aside: Option<PathBuf>,
    /// What `commands.json` held of ours when it was last seen to.
    shown: Option<Queue>,
}

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Which command.
    pub id: CommandId,
    /// Its place among all that were ever asked for.
    pub seq: u64,
    /// The program and its arguments, in one line for people; none for a signal.
    pub what: Option<String>,
    /// When it was asked for.
    pub asked_at: Option<String>,
    /// What the container last said of it; nothing yet without.
    pub ack: Option<Ack>,
}

/// Why a command is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The container would not carry it out, for this reason.
    #[error("{0}")]
    Invalid(String),
    /// Too many wait already.
    #[error("{QUEUE} commands wait already")]
    Full,
    /// It does not fit into the queue's file with those that wait.
    #[error("it is too long, or the commands that wait are")]
    TooLong,
    /// It could not be written down.
    #[error(transparent)]
    Write(#[from] PathError),
}

/// What seeing to `commands.json` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It held what it should.
    AsItWas,
    /// It was written.
    Written,
    /// It was written, since others had taken out or changed what stood there.
    Restored,
}

impl Outbox {
    /// Opens the list in this file, or begins one. `session` tells a session from a later one of the same name, which
    /// begins with nothing.
    ///
    /// # Errors
    /// It cannot be read. A file that makes no sense is no error: it is [put aside](Self::put_aside).
    pub fn open(path: PathBuf, session: &str) -> Result<Self, PathError> {
        let (kept, put_aside) = disk::read(&path, session)?;
        Ok(Self {
            path,
            kept,
            put_aside,
            shown: None,
        })
    }

    /// Where the file is of which not all could be read.
    #[must_use]
    pub fn put_aside(&self) -> Option<&Path> {
        self.put_aside.as_deref()
    }

    /// Takes a command; it is on the disk when this returns. One whose id was taken before is taken already.
    ///
    /// # Errors
    /// Why it is not taken, in words for whoever asked.
    pub fn put(&mut self, mut command: Command, now: Timestamp) -> Result<(), Refused> {
        if self.kept.knows(&command.id) {
            return Ok(());
        }
        let seq = self.kept.last_seq + 1;
        command.seq = Some(seq);
        command.timestamp = Some(now.to_string());
        let command = command.checked().map_err(Refused::Invalid)?;
        let is_signal = |order: &Order| matches!(order, Order::Signal(_));
        let alike = |it: &&disk::Waiting| is_signal(&it.command.order) == is_signal(&command.order);
        if self.kept.waiting.iter().filter(alike).count() >= QUEUE {
            return Err(Refused::Full);
        }
        self.kept.waiting.push(disk::Waiting::new(command));
        self.kept.last_seq = seq;
        let kept = match projection::fits(&self.kept) {
            true => disk::write(&self.path, &self.kept).map_err(Refused::from),
            false => Err(Refused::TooLong),
        };
        if kept.is_err() {
            self.kept.waiting.pop();
        }
        if let Err(Refused::Write(_)) = &kept {
            // It may have come to the disk all the same, and what was refused must not run later.
            let _ = disk::write(&self.path, &self.kept);
        }
        kept
    }

    /// Takes in what a container says; whether that was news.
    ///
    /// # Errors
    /// The end of a command could not be written down; it is heard again with the next report.
    pub fn hear(&mut self, acks: &[Ack]) -> Result<bool, PathError> {
        if !acks.iter().any(|ack| self.kept.is_news(ack)) {
            return Ok(false);
        }
        let mut next = self.kept.clone();
        acks.iter().for_each(|ack| next.hear(ack));
        // What has not ended is told again by the container: it needs no disk.
        if next.waiting.len() < self.kept.waiting.len() {
            disk::write(&self.path, &next)?;
        }
        self.kept = next;
        Ok(true)
    }

    /// Takes a command back that a container which does not run has not ended.
    ///
    /// # Errors
    /// That could not be written down.
    pub fn take_back(&mut self, id: &CommandId, why: &str) -> Result<bool, PathError> {
        let mut ack = Ack::new(id.clone(), AckState::Killed);
        ack.error = Some(why.to_owned());
        self.hear(&[ack])
    }

    /// Makes `commands.json` in this status directory hold what it should: our commands as they are here, and those of
    /// others as they stand there as far as there is room. Nothing that stands there counts for anything here.
    ///
    /// With `is_legacy`, the container tells of ends by writing `processed` itself.
    ///
    /// # Errors
    /// The directory is not one, or the file cannot be written.
    pub fn show(
        &mut self,
        status: &Path,
        owner: Option<(u32, u32)>,
        is_legacy: bool,
    ) -> Result<Shown, PathError> {
        let found = projection::read(&SafeDir::open(status)?);
        if is_legacy {
            let ended: Vec<Ack> = found.iter().flat_map(Queue::processed).collect();
            self.hear(&ended)?;
        }
        if self.kept.is_empty() && found.is_none() {
            return Ok(Shown::AsItWas);
        }
        let wanted = projection::wanted(&self.kept, found.as_ref());
        let is_disturbed = !is_legacy
            && self
                .shown
                .as_ref()
                .is_some_and(|shown| !shown.stands_in(found.as_ref()));
        self.shown = Some(projection::wanted(&self.kept, None));
        if found.as_ref() == Some(&wanted) {
            return Ok(Shown::AsItWas);
        }
        let written = write_json(status.join(COMMANDS_FILE), &wanted, owner);
        if written.is_err() {
            self.shown = None;
        }
        written.map(|()| match is_disturbed {
            true => Shown::Restored,
            false => Shown::Written,
        })
    }

    /// Whether something waits for the container.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.kept.waiting.is_empty()
    }

    /// All that was asked for, the newest first.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        let waiting = self.kept.waiting.iter().map(|it| it.asked());
        let mut all: Vec<Asked> = waiting.chain(self.kept.past.iter().cloned()).collect();
        all.sort_by_key(|asked| std::cmp::Reverse(asked.seq));
        all
    }
}

/// A program and its arguments in one line.
fn in_words(exec: &Exec) -> String {
    let mut line = match (exec.shell, exec.argv()) {
        (false, Ok(argv)) => shell_words::join(argv),
        _ => exec.command.clone(),
    };
    if exec.shell && !exec.args.is_empty() {
        line = format!("{line} {}", shell_words::join(&exec.args));
    }
    sanitise(&line.replace(['\n', '\t'], " "), WHAT)
}

#[cfg(test)]
mod tests;
