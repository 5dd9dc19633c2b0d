use std::time::Duration;

/// How far a report may be trusted, by the reader's monotonic time since it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// At most 15 s old: three heartbeats.
    Fresh,
    /// At most a minute old.
    Stale,
    /// Older: the supervisor does not respond, whatever its last report says.
    Lost,
}

impl Freshness {
    /// Judges an age.
    #[must_use]
    pub fn of(age: Duration) -> Self {
        match age {
            age if age <= Duration::from_secs(15) => Self::Fresh,
            age if age <= Duration::from_secs(60) => Self::Stale,
            _ => Self::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Freshness};

    #[test]
    fn borders_belong_to_the_better_side() {
        for (millis, expected) in [
            (0, Freshness::Fresh),
            (15_000, Freshness::Fresh),
            (15_001, Freshness::Stale),
            (60_000, Freshness::Stale),
            (60_001, Freshness::Lost),
        ] {
            assert_eq!(
                Freshness::of(Duration::from_millis(millis)),
                expected,
                "{millis} ms"
            );
        }
    }
}
