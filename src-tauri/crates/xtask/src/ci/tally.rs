//! How many tests ran, read from the closing lines of the runners that CI uses.

use std::fmt;

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Tally {
    /// What one line of output adds: nothing, unless it closes a run.
    pub(crate) fn in_line(line: &str) -> Self {
        let line = line.trim();
        let nextest = || line.strip_prefix("Summary [")?.split_once(" run: ");
        let closes = line
            .strip_prefix("test result:") // cargo test: "ok. 5 passed; 0 failed; 0 ignored"
            .or_else(|| nextest().map(|(_, counts)| counts)) // "4 passed, 1 timed out"
            .or_else(|| line.strip_prefix("Tests  ")) // Vitest: "1 failed | 11 passed (12)"
            .unwrap_or_default();
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
    use super::Tally;

    #[track_caller]
    fn check(line: &str, passed: u32, failed: u32) {
        assert_eq!(Tally::in_line(line), Tally { passed, failed }, "{line}");
    }

    #[test]
    fn closing_lines_are_counted() {
        check(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out",
            5,
            0,
        );
        check("test result: FAILED. 4 passed; 2 failed; 0 ignored", 4, 2);
        check(
            "     Summary [   1.250s] 45 tests run: 45 passed (1 slow), 3 skipped",
            45,
            0,
        );
        check(
            "     Summary [   0.1s] 3 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped",
            1,
            2,
        );
        check(
            "     Summary [   0.1s] 2/3 tests run: 1 passed, 1 exec failed, 9 skipped",
            1,
            1,
        );
        check("      Tests  12 passed (12)", 12, 0);
        check("      Tests  1 failed | 11 passed | 1 skipped (13)", 11, 1);
    }

    #[test]
    fn other_lines_are_not() {
        check("5 passed, 0 failed", 0, 0);
        check(" Test Files  3 passed (3)", 0, 0);
        check("test sums::of_5_passed ... ok", 0, 0);
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
