//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Doubles from 0.5 s to 30 s, with up to a fifth taken off so that many waiters spread.
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// Names the next wait; `spread` is a random number from 0 to 1.
    pub(crate) fn wait(&mut self, spread: f64) -> Duration {
        let wait = self.next.mul_f64(1.0 - 0.2 * spread);
        self.next = (self.next * 2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_thirty_seconds_and_spreads_downwards() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..9).map(|_| backoff.wait(0.0).as_millis()).collect();
        assert_eq!(
            waits,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        assert_eq!(Backoff::new().wait(1.0).as_millis(), 400);
    }
}
