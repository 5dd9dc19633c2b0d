//! How well a container is, by the two who say so.

use crate::fact::Health;

/// What was said of one container's health, and what of it counts.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// By the image's own check; none when there is none.
    engine: Option<Health>,
    /// By its reports.
    report: Health,
    /// What the last report said, when that does not count yet.
    next: Option<Health>,
}

impl Verdict {
    /// The engine counts its failures itself.
    pub(crate) fn engine_says(&mut self, health: Option<Health>) -> Health {
        self.engine = health;
        self.counts()
    }

    /// One bad report is no illness and one good one no cure: a change counts when two in a row say so. Who has said
    /// nothing yet, or comes up, has not changed its mind.
    pub(crate) fn report_says(&mut self, health: Health) -> Health {
        let has_begun = !matches!(self.report, Health::Unknown | Health::Starting);
        let is_first = !has_begun && health != Health::Unhealthy;
        if health == self.report || is_first || self.next == Some(health) {
            (self.report, self.next) = (health, None);
        } else {
            self.next = Some(health);
        }
        self.counts()
    }

    /// Where the engine checks, its word stands.
    fn counts(&self) -> Health {
        self.engine.unwrap_or(self.report)
    }
}

#[cfg(test)]
mod tests {
    use super::Health::{Degraded, Healthy, Starting, Unhealthy, Unknown};
    use super::Verdict;

    #[test]
    fn a_report_changes_health_when_two_in_a_row_say_so() {
        for (what, reports, expected) in [
            ("a start", vec![Starting, Healthy], vec![Starting, Healthy]),
            (
                "one bad report",
                vec![Healthy, Unhealthy, Healthy],
                vec![Healthy; 3],
            ),
            (
                "an illness and its cure",
                vec![Healthy, Unhealthy, Unhealthy, Healthy, Healthy],
                vec![Healthy, Healthy, Unhealthy, Unhealthy, Healthy],
            ),
            (
                "reports that differ",
                vec![Healthy, Unhealthy, Degraded, Unhealthy],
                vec![Healthy; 4],
            ),
            (
                "ill from the first report on",
                vec![Unhealthy, Unhealthy],
                vec![Unknown, Unhealthy],
            ),
            (
                "ill while it comes up",
                vec![Starting, Unhealthy, Healthy],
                vec![Starting, Starting, Healthy],
            ),
        ] {
            let mut verdict = Verdict::default();
            let shown: Vec<_> = reports
                .into_iter()
                .map(|it| verdict.report_says(it))
                .collect();
            assert_eq!(shown, expected, "{what}");
        }
    }

    #[test]
    fn where_the_engine_checks_its_word_stands() {
        let mut verdict = Verdict::default();
        assert_eq!(verdict.engine_says(Some(Unhealthy)), Unhealthy);
        assert_eq!(verdict.report_says(Healthy), Unhealthy);
        assert_eq!(verdict.engine_says(Some(Healthy)), Healthy);
        for _ in 0..2 {
            assert_eq!(verdict.report_says(Unhealthy), Healthy);
        }
        assert_eq!(verdict.engine_says(None), Unhealthy);
    }
}
