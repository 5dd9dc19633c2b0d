//! How far a container's clock is from ours: shown to people, and used for nothing.

use jiff::Timestamp;

/// A difference is shown above so many seconds.
const SHOWN: u64 = 30;
/// A report takes a while to arrive, once more and once less. What differs by so many seconds from what is shown is that.
const STEADY: u64 = 5;

/// What the reports of one container say of its clock.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    /// Of the last report, in seconds that the container is ahead; none for one without a time.
    last: Option<i64>,
    /// As it is shown.
    shown: Option<i64>,
}

impl Skew {
    /// Takes in a report that arrived now, and says what is to be shown.
    ///
    /// The first report may have lain there for long, as may one that was written just before this machine slept: so
    /// what counts is two in a row that are both far off, and the second is the one that is told.
    pub(crate) fn hear(&mut self, said: Option<Timestamp>, now: Timestamp) -> Option<i64> {
        let ahead = said.map(|said| said.as_second().saturating_sub(now.as_second()));
        let far = |ahead: Option<i64>| ahead.filter(|it| it.unsigned_abs() > SHOWN);
        let before = far(std::mem::replace(&mut self.last, ahead));
        self.shown = match (before, far(ahead), self.shown) {
            (Some(_), Some(now), Some(shown)) if now.abs_diff(shown) <= STEADY => Some(shown),
            (Some(_), now, _) => now,
            (None, _, _) => None,
        };
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::{Skew, Timestamp};

    fn shown(reports: &[i64]) -> Vec<Option<i64>> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut skew = Skew::default();
        let hear = |ahead: &i64| {
            let said = Timestamp::from_second(now.as_second() + ahead).unwrap();
            skew.hear(Some(said), now)
        };
        reports.iter().map(hear).collect()
    }

    #[test]
    fn row_17_a_difference_is_shown_above_30_seconds_and_by_two_reports() {
        for (what, reports, expected) in [
            ("a clock that is right", vec![0, -3], vec![None, None]),
            ("the border", vec![30, 30, -30], vec![None, None, None]),
            ("ahead", vec![31, 31], vec![None, Some(31)]),
            ("behind", vec![-300, -300], vec![None, Some(-300)]),
            ("a file that lay there", vec![-3600, 0, 0], vec![None; 3]),
            (
                "a file that lay there, and a clock that is behind",
                vec![-3600, -300, -300],
                vec![None, Some(-300), Some(-300)],
            ),
            (
                "a report of before this machine slept",
                vec![0, 0, -3600, 0],
                vec![None; 4],
            ),
            (
                "reports that take their time",
                vec![-300, -301, -305, -299, -307],
                vec![None, Some(-301), Some(-301), Some(-301), Some(-307)],
            ),
            (
                "a clock that is set right",
                vec![90, 90, 0, 0],
                vec![None, Some(90), None, None],
            ),
        ] {
            assert_eq!(shown(&reports), expected, "{what}");
        }
    }

    #[test]
    fn row_17_a_time_that_makes_no_sense_is_no_clock() {
        let now = Timestamp::UNIX_EPOCH;
        let mut skew = Skew::default();
        for said in [Some(Timestamp::MAX), None, Some(Timestamp::MAX)] {
            assert_eq!(skew.hear(said, now), None);
        }
        let year_9999 = skew.hear(Some(Timestamp::MAX), now);
        assert_eq!(year_9999, Some(Timestamp::MAX.as_second()));
    }
}
