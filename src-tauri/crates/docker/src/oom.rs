//! Whether a container died for want of memory.
//!
//! The engine says so twice and reliably in neither place: `State.OOMKilled` may stay false, the
//! `oom` event may come before or after `die`, and a killed child raises the event while the
//! container lives on.

use std::collections::HashMap;

use crate::ContainerFact;

/// How far an `oom` event and the death it caused may lie apart, by the engine's clock.
const WINDOW_NANOS: i128 = 3_000_000_000;

/// Exit code of a process that was killed.
const KILLED: i64 = 137;

/// The newest `oom` event of each container, in nanoseconds of the engine's clock.
#[derive(Default)]
pub(crate) struct Ooms {
    newest: HashMap<String, i64>,
}

impl Ooms {
    pub(crate) fn note(&mut self, id: &str, time_nano: i64) {
        self.newest.insert(id.to_owned(), time_nano);
    }

    pub(crate) fn forget(&mut self, id: &str) {
        self.newest.remove(id);
    }

    pub(crate) fn keep_only(&mut self, known: impl Fn(&str) -> bool) {
        self.newest.retain(|id, _| known(id));
    }

    /// Adds to a fact what the events said about it.
    pub(crate) fn settle(&self, fact: &mut ContainerFact) {
        let Some((oom, finished)) = self.newest.get(&fact.id).zip(fact.finished_at) else {
            return;
        };
        let apart = (i128::from(*oom) - finished.as_nanosecond()).abs();
        if fact.exit_code == Some(KILLED) && apart <= WINDOW_NANOS {
            fact.oom_killed = true;
        }
    }
}
