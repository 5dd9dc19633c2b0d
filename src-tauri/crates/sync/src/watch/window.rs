//! How long changes are gathered before they are told.

use std::time::{Duration, Instant};

/// Time enough for an editor to write a file and to close it.
const SHORTEST: Duration = Duration::from_millis(1);
/// No change waits longer than that.
const LONGEST: Duration = Duration::from_millis(50);

/// So many events at once are part of something larger, which is better looked at in fewer pieces.
const STORM: usize = 32;

/// What was heard at once.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) events: usize,
    /// Whether a file is half-written, for all that is known.
    pub(super) writing: bool,
    /// Whether a directory has come that is about to be filled, for all that is known.
    pub(super) filling: bool,
}

/// Opens with the first change, and closes as soon as nothing says that more belongs to it.
pub(super) struct Window {
    opened: Instant,
    pause: Duration,
    filling: bool,
}

impl Window {
    pub(super) fn open(now: Instant) -> Self {
        Self {
            opened: now,
            pause: Duration::ZERO,
            filling: false,
        }
    }

    /// How long to wait for more; none when what there is should be told.
    pub(super) fn next(&mut self, now: Instant, told: &Told) -> Option<Duration> {
        let left = LONGEST.checked_sub(now - self.opened)?;
        let is_first = self.pause.is_zero();
        // A new directory that goes over half filled gets the rest file by file, which takes many times longer.
        let is_filled = self.filling && told.events > 0;
        self.filling |= told.filling;
        let goes_on = told.writing || told.events > STORM || is_filled;
        if left.is_zero() || !(is_first || goes_on) {
            return None;
        }
        self.pause = (self.pause * 2).max(SHORTEST);
        Some(self.pause.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses of a window in which this is told each time, as milliseconds.
    fn pauses(told: &Told) -> Vec<u128> {
        let mut now = Instant::now();
        let mut window = Window::open(now);
        let pauses = std::iter::from_fn(|| {
            let pause = window.next(now, told)?;
            now += pause;
            Some(pause.as_millis())
        });
        pauses.collect()
    }

    #[test]
    fn a_single_change_waits_for_a_moment_and_a_storm_not_for_ever() {
        for (events, writing, expected) in [
            (1, false, &[1][..]),
            (0, false, &[1]),
            (STORM + 1, false, &[1, 2, 4, 8, 16, 19]),
            (0, true, &[1, 2, 4, 8, 16, 19]),
        ] {
            let told = Told {
                events,
                writing,
                filling: false,
            };
            assert_eq!(pauses(&told), expected);
        }
    }

    #[test]
    fn a_new_directory_is_filled_before_it_is_told() {
        let told = |events, filling| Told {
            events,
            writing: false,
            filling,
        };
        let mut now = Instant::now();
        let mut window = Window::open(now);
        let mut pause = |told: &Told| {
            let pause = window.next(now, told)?;
            now += pause;
            Some(pause.as_millis())
        };
        assert_eq!(pause(&told(1, true)), Some(1));
        assert_eq!(pause(&told(4, false)), Some(2));
        assert_eq!(pause(&told(1, false)), Some(4));
        assert_eq!(pause(&told(0, false)), None);
        // One alone is told at once.
        let mut window = Window::open(now);
        assert!(window.next(now, &told(1, true)).is_some());
        assert_eq!(window.next(now, &told(0, false)), None);
    }

    #[test]
    fn a_window_that_was_slept_through_closes() {
        let start = Instant::now();
        let late = start + 2 * LONGEST;
        let told = Told {
            events: 0,
            writing: true,
            filling: false,
        };
        assert_eq!(Window::open(start).next(late, &told), None);
    }
}
