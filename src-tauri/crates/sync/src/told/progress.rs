//! How far a cycle has come, and how that is said; pure.

use std::fmt;
use std::time::Duration;

use mizzen_sync_core::sized;
use serde::{Deserialize, Serialize};

/// Files that are carried, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How far a cycle has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What has been carried.
    pub done: Amount,
    /// Of so much.
    pub all: Amount,
    /// Bytes in a second, so far.
    pub per_second: u64,
    /// If it goes on as it went so far; none while nothing did.
    pub seconds_left: Option<u32>,
}

/// To carry a small file takes about as long as so many bytes of a large one.
const FILE: u64 = 32 * 1024;

impl Amount {
    fn work(self) -> u128 {
        u128::from(self.bytes) + u128::from(self.files) * u128::from(FILE)
    }
}

impl Progress {
    /// So much is done of all, and it took so long.
    #[must_use]
    pub fn new(done: Amount, all: Amount, took: Duration) -> Self {
        let ms = took.as_millis().max(1);
        let left = all.work().saturating_sub(done.work());
        let seconds = (left * ms).div_ceil(done.work().max(1) * 1000);
        Self {
            done,
            all,
            per_second: small(u128::from(done.bytes) * 1000 / ms),
            seconds_left: (done.work() > 0).then(|| small(seconds)),
        }
    }

    /// How fast it goes: `45 MiB/s`.
    #[must_use]
    pub fn rate(&self) -> String {
        format!("{}/s", sized(self.per_second))
    }

    /// The same, where somebody may have told nonsense.
    #[must_use]
    pub fn plausible(self) -> Self {
        let Self { done, all, .. } = self;
        let done = Amount {
            files: done.files.min(all.files),
            bytes: done.bytes.min(all.bytes),
        };
        Self { done, ..self }
    }
}

fn small<T: TryFrom<u128> + From<u32>>(number: u128) -> T {
    T::try_from(number).unwrap_or_else(|_| u32::MAX.into())
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, all, .. } = self;
        let (files, of) = (grouped(done.files), grouped(all.files));
        write!(f, "{files} of {of} files, {}", sized(done.bytes))?;
        match self.seconds_left {
            None => Ok(()),
            Some(seconds @ 0..120) => write!(f, ", {seconds} s left"),
            Some(seconds) => write!(f, ", {} min left", seconds.div_ceil(60)),
        }
    }
}

/// `12 340`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(' ');
        }
        told.push(digit);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(done: (u64, u64), all: (u64, u64), ms: u64) -> String {
        let [done, all] = [done, all].map(|(files, bytes)| Amount { files, bytes });
        Progress::new(done, all, Duration::from_millis(ms)).to_string()
    }

    #[test]
    fn it_says_how_much_of_all_and_how_long_it_will_take() {
        for (done, all, ms, expected) in [
            ((0, 0), (20_000, 200_000_000), 300, "0 of 20 000 files, 0 B"),
            (
                (10_000, 100_000_000),
                (20_000, 200_000_000),
                3000,
                "10 000 of 20 000 files, 95.4 MiB, 3 s left",
            ),
            (
                (0, 2_500_000_000),
                (1, 10_000_000_000),
                99_000,
                "0 of 1 files, 2.3 GiB, 5 min left",
            ),
            (
                (999, 9_999),
                (1_000, 10_000),
                1,
                "999 of 1 000 files, 9.8 KiB, 1 s left",
            ),
            ((7, 70), (7, 70), 500, "7 of 7 files, 70 B, 0 s left"),
            (
                (u64::MAX, u64::MAX),
                (u64::MAX, u64::MAX),
                u64::MAX,
                "18 446 744 073 709 551 615 of 18 446 744 073 709 551 615 files, 16777216 TiB, 0 s left",
            ),
        ] {
            assert_eq!(told(done, all, ms), expected);
        }
    }

    #[test]
    fn the_rate_is_that_of_all_that_was_carried_so_far() {
        let [done, all] =
            [(9, 90 << 20), (20, 1 << 30)].map(|(files, bytes)| Amount { files, bytes });
        let progress = Progress::new(done, all, Duration::from_secs(2));
        assert_eq!(progress.rate(), "45 MiB/s");
    }

    #[test]
    fn no_more_is_shown_as_done_than_there_is() {
        let [done, all] = [(9, 1), (8, 10)].map(|(files, bytes)| Amount { files, bytes });
        let progress = Progress::new(done, all, Duration::from_secs(1)).plausible();
        assert_eq!(progress.done, Amount { files: 8, bytes: 1 });
    }
}
