//! When a container was last heard, for its actor to look at: most reports say nothing new, and are told in no other way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Silence of which somebody may have been told when it ends: a little less than 15 s, since that is told by another thread.
const LATE: Duration = Duration::from_secs(14);

/// The last sign of life of one session's containers.
#[derive(Default)]
pub(crate) struct Pulse {
    last: Mutex<Option<Instant>>,
    is_each_wanted: AtomicBool,
}

impl Pulse {
    /// When the last new report was found.
    pub(crate) fn last(&self) -> Option<Instant> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new report is there; whether the one before it is so long ago that somebody may have been told of the silence.
    pub(crate) fn beats(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace(now);
        before.is_none_or(|before| now.saturating_duration_since(before) > LATE)
    }

    /// Whether somebody waits for something that a report brings about by coming.
    pub(crate) fn is_each_wanted(&self) -> bool {
        self.is_each_wanted.load(Ordering::Relaxed)
    }

    /// Has each report told from now on, or only those with something new.
    pub(crate) fn want_each(&self, is_wanted: bool) {
        self.is_each_wanted.store(is_wanted, Ordering::Relaxed);
    }
}
