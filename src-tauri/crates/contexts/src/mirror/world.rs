//! What the mirror takes from around it, so that tests can give another.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Time, and a place to look in from outside.
pub trait World: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// A clock that only goes forward.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn pause(&self, time: Duration);
    /// Called before everything that changes a disk, with a word for it.
    fn before(&self, _what: &'static str) {}
}

/// The machine's own.
pub struct Machine {
    started: Instant,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl World for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
