//! How soon what has come is read: what belongs together comes within a moment, and wakes a processor once.

use std::time::{Duration, Instant};

/// What matters to nobody may go on and on, as the writes to a large file that is not in its place yet.
const SHORT: Duration = Duration::from_millis(1);

/// How soon what comes next is read.
pub(super) struct Pace {
    window: Duration,
    rests_until: Instant,
    /// The last that was read mattered to somebody.
    is_told: bool,
    /// It came in a rest, and so will what is next: the rest is slept through, and no event ends the sleep.
    pub(super) is_busy: bool,
}

impl Pace {
    pub(super) fn new(window: Duration, now: Instant) -> Self {
        Self {
            window,
            rests_until: now,
            is_told: true,
            is_busy: false,
        }
    }

    pub(super) fn rest(&self, now: Instant) -> Duration {
        self.rests_until.saturating_duration_since(now)
    }

    /// There is something to read.
    pub(super) fn came(&mut self, now: Instant) {
        self.is_busy = now < self.rests_until + SHORT;
    }

    /// A new file's rename follows what nobody cares for so soon that a rest would be a wake of its own.
    pub(super) fn heard(&mut self, is_told: bool, now: Instant) {
        let rest = match (is_told, self.is_told) {
            (true, _) => self.window,
            (false, true) => Duration::ZERO,
            (false, false) => SHORT,
        };
        self.rests_until = self.rests_until.max(now + rest);
        self.is_told = is_told;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(10);

    #[test]
    fn what_matters_is_followed_by_a_rest_and_what_does_not_by_a_short_one_when_it_goes_on() {
        let begun = Instant::now();
        let mut pace = Pace::new(WINDOW, begun);
        let mut rest = |is_told, millis| {
            let now = begun + SHORT * millis;
            pace.heard(is_told, now);
            pace.rest(now)
        };
        assert_eq!(rest(true, 0), WINDOW);
        // It came when the rest was over.
        assert_eq!(rest(false, 10), Duration::ZERO);
        assert_eq!(rest(false, 10), SHORT);
        assert_eq!(rest(false, 11), SHORT);
        assert_eq!(rest(true, 12), WINDOW);
        assert_eq!(rest(false, 13), WINDOW - SHORT);
    }

    /// Wakes and reads in so many windows, where something comes once in so much time.
    fn busy(every: Duration, windows: u32) -> (u32, u32) {
        let begun = Instant::now();
        let (mut pace, mut now, mut next) = (Pace::new(WINDOW, begun), begun, begun);
        let (mut wakes, mut reads) = (0, 0);
        while now < begun + WINDOW * windows {
            let mut sleep_until = |until: Instant| {
                wakes += u32::from(until > now);
                now = now.max(until);
                now
            };
            if pace.is_busy {
                sleep_until(pace.rests_until);
            }
            pace.came(sleep_until(next));
            sleep_until(pace.rests_until);
            pace.heard(true, now);
            reads += 1;
            while next <= now {
                next += every;
            }
        }
        (wakes, reads)
    }

    #[test]
    fn however_many_events_come_each_window_wakes_a_processor_once() {
        for (every, expected) in [
            (WINDOW / 100, (101, 101)),
            (WINDOW / 3, (101, 101)),
            (WINDOW * 4, (24, 25)),
        ] {
            let (wakes, reads) = busy(every, 100);
            assert!(wakes.abs_diff(expected.0) <= 2, "{wakes} of {every:?}");
            assert!(reads.abs_diff(expected.1) <= 1, "{reads} of {every:?}");
        }
    }
}
