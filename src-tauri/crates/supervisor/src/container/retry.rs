use std::time::Duration;

/// Growing pauses between attempts, each 20 % shorter or longer than its nominal length.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Retry {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// The pause before the next attempt. `chance` is random, from 0 to 255.
    pub(crate) fn pause(&mut self, chance: u8) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        doubled.min(self.longest) * (204 + u32::from(chance) * 102 / 255) / 255
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

/// A random byte from the kernel; the middle of the range when it gives none.
pub(crate) fn chance() -> u8 {
    let mut byte = [128];
    let _ = rustix::rand::getrandom(&mut byte, rustix::rand::GetRandomFlags::NONBLOCK);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::{Duration, Retry};

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_a_success() {
        let mut retry = Retry::new(Duration::from_secs(1), Duration::from_secs(30));
        let mut pauses = |n| {
            (0..n)
                .map(|_| retry.pause(128).as_secs())
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(7), [1, 2, 4, 8, 16, 30, 30]);
        retry.succeeded();
        assert_eq!(retry.pause(128).as_secs(), 1);
        let mut worn = Retry {
            failures: u32::MAX - 1,
            ..retry
        };
        assert_eq!(worn.pause(128).as_secs(), 30);
    }

    #[test]
    fn chance_moves_a_pause_by_a_fifth() {
        let first = Duration::from_secs(10);
        let pause = |chance| Retry::new(first, first).pause(chance).as_millis();
        assert_eq!((pause(0), pause(255)), (8000, 12_000));
    }
}
