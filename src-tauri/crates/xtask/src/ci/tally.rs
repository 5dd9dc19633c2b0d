//! How many tests ran, read from the closing lines of the runners that CI uses.

use std::fmt;

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

/// Which program's closing lines are meant: a failing test's own output, shown by one runner,
/// may hold those of another.
#[derive(Clone, Copy)]
pub(crate) enum Runner {
    CargoTest,
    Nextest,
    Vitest,
}

impl Runner {
    /// The counts in a line that closes a run: "1 failed | 11 passed", "5 passed; 0 failed".
    fn counts(self, line: &str) -> Option<&str> {
        match self {
            Self::CargoTest => line.strip_prefix("test result:"),
            Self::Nextest => {
                let summary = line.trim_start().strip_prefix("Summary [")?;
                summary.split_once(" run: ").map(|(_, counts)| counts)
            }
            Self::Vitest => line.trim_start().strip_prefix("Tests  "),
        }
    }
}

impl Tally {
    /// What one line of output adds: nothing, unless it closes a run.
    pub(crate) fn in_line(runner: Runner, line: &str) -> Self {
        let closes = runner.counts(line).unwrap_or_default();
        let words: Vec<&str> = closes
            .split([' ', ',', ';', '|', '('])
            .filter(|word| !word.is_empty())
            .collect();
        let mut tally = Self::default();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u32>() else {
                continue;
            };
            match pair[1] {
                "passed" => tally.passed += count,
                "failed" | "timed" | "exec" => tally.failed += count,
                _ => {}
            }
        }
        tally
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// A runner that fails without naming a test, or runs none, has failed once.
    pub(crate) fn judged(self, success: bool) -> Self {
        let ran_none = self.passed + self.failed == 0;
        let unexplained = !success && self.failed == 0;
        Self {
            failed: self.failed + u32::from(ran_none || unexplained),
            ..self
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Runner, Runner::*, Tally};

    #[track_caller]
    fn check(runner: Runner, line: &str, passed: u32, failed: u32) {
        assert_eq!(
            Tally::in_line(runner, line),
            Tally { passed, failed },
            "{line}"
        );
    }

    #[test]
    fn closing_lines_are_counted() {
        check(
            CargoTest,
            "test result: ok. 5 passed; 0 failed; 1 ignored; 2 filtered out",
            5,
            0,
        );
        check(
            CargoTest,
            "test result: FAILED. 4 passed; 2 failed; 0 ignored",
            4,
            2,
        );
        check(
            Nextest,
            "     Summary [   1.2s] 45 tests run: 45 passed (1 slow), 3 skipped",
            45,
            0,
        );
        check(
            Nextest,
            "  Summary [ 0.1s] 3 tests run: 1 passed, 1 failed, 1 timed out",
            1,
            2,
        );
        check(
            Nextest,
            "  Summary [ 0.1s] 2/3 tests run: 1 passed, 1 exec failed",
            1,
            1,
        );
        check(Vitest, "      Tests  12 passed (12)", 12, 0);
        check(
            Vitest,
            "      Tests  1 failed | 11 passed | 1 skipped (13)",
            11,
            1,
        );
    }

    #[test]
    fn other_lines_are_not() {
        check(Nextest, "5 passed, 0 failed", 0, 0);
        check(
            Nextest,
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored",
            0,
            0,
        );
        check(Vitest, " Test Files  3 passed (3)", 0, 0);
        check(CargoTest, "test sums::of_5_passed ... ok", 0, 0);
    }

    #[test]
    fn a_failure_without_a_count_is_one() {
        let ten = Tally {
            passed: 10,
            failed: 0,
        };
        assert_eq!(ten.judged(true), ten);
        assert_eq!(ten.judged(false).failed, 1);
        assert_eq!(
            Tally {
                passed: 1,
                failed: 3
            }
            .judged(false)
            .failed,
            3
        );
        assert_eq!(
            Tally::default().judged(true).failed,
            1,
            "a runner that ran no test"
        );
    }
}
