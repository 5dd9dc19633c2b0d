//! Whether a container died for want of memory.
//!
//! The engine says so in two places, and neither can be taken at its word. The `oom` event means
//! that the kernel killed some process: the container may live on, and the event may come before
//! or after `die`. `State.OOMKilled` only repeats that there was such an event in this run, so it
//! is also true for a container that lost a child to it hours before it ended well.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::ContainerFact;

/// How far an `oom` event and the death it caused may lie apart, by the engine's clock.
const WINDOW_NANOS: i128 = 3_000_000_000;

/// Exit code of a process that was killed, by the kernel for want of memory or by somebody.
pub const KILLED: i64 = 137;

/// When the newest `oom` event of each container was, by the engine's clock.
#[derive(Default)]
pub(crate) struct Ooms {
    newest: HashMap<String, Timestamp>,
}

impl Ooms {
    pub(crate) fn note(&mut self, id: &str, at: Timestamp) {
        self.newest.insert(id.to_owned(), at);
    }

    pub(crate) fn forget(&mut self, id: &str) {
        self.newest.remove(id);
    }

    pub(crate) fn keep_only(&mut self, known: impl Fn(&str) -> bool) {
        self.newest.retain(|id, _| known(id));
    }

    /// Decides by the times of both: a process that was killed right when the kernel ran out of
    /// memory died of it. Without an event (it came before us) the engine's flag has to do.
    pub(crate) fn settle(&self, fact: &mut ContainerFact) {
        let Some((oom, finished)) = self.newest.get(&fact.id).zip(fact.finished_at) else {
            return;
        };
        let apart = (oom.as_nanosecond() - finished.as_nanosecond()).abs();
        fact.oom_killed = fact.exit_code == Some(KILLED) && apart <= WINDOW_NANOS;
    }
}

/// What a look alone can tell, from `State.OOMKilled` and the exit code.
pub(crate) fn by_flag(flag: bool, exit_code: Option<i64>) -> bool {
    flag && exit_code == Some(KILLED)
}

#[cfg(test)]
mod tests;
