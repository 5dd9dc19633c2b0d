//! What programs in the container have reported themselves: kept until they say something else, whatever we report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mizzen_status::{Health, NOTICES, Notice, Progress, Report};
use serde_json::{Map, Value};

/// Most services and most fields of `custom` that are kept.
const NAMES: usize = 64;

/// Words for a service that does not do its work.
const AILING: [&str; 8] = [
    "unhealthy",
    "failed",
    "error",
    "crashed",
    "dead",
    "down",
    "unresponsive",
    "exited",
];

/// Everything that was reported, with the newest word on each thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reported {
    health: Option<Health>,
    pub(super) phase: Option<String>,
    pub(super) progress: Option<Progress>,
    pub(super) services: BTreeMap<String, String>,
    pub(super) errors: Vec<Notice>,
    pub(super) warnings: Vec<Notice>,
    custom: Map<String, Value>,
    /// Fields that we do not know.
    extra: Map<String, Value>,
}

impl Reported {
    /// Takes an addition.
    pub(crate) fn take(&mut self, report: Report, now: Timestamp) {
        if report.clear {
            *self = Self::default();
        }
        self.health = report.health.or(self.health.take());
        // Progress belongs to its phase: a new phase begins without the old one's.
        if report.phase.is_some() && report.phase != self.phase {
            self.progress = None;
        }
        self.phase = report.phase.or(self.phase.take());
        if let Some(new) = report.progress {
            let kept = self.progress.take().unwrap_or_default();
            self.progress = Some(Progress {
                current: new.current.or(kept.current),
                total: new.total.or(kept.total.filter(|_| new.current.is_none())),
                message: new.message.or(kept.message),
            });
        }
        for (name, state) in report.services {
            if self.services.len() < NAMES || self.services.contains_key(&name) {
                self.services.insert(name, state);
            }
        }
        add(&mut self.errors, report.errors, now);
        add(&mut self.warnings, report.warnings, now);
        merge(&mut self.custom, report.custom);
        merge(&mut self.extra, report.extra);
    }

    /// Fields of the report that are not ours.
    pub(super) fn extra(&self) -> Map<String, Value> {
        let mut extra = self.extra.clone();
        if !self.custom.is_empty() {
            extra.insert("custom".to_owned(), self.custom.clone().into());
        }
        extra
    }

    /// How well it is by what was reported; none when nothing says.
    pub(crate) fn health(&self) -> Option<Health> {
        let ails = |state: &String| AILING.contains(&state.as_str());
        let ailing = self.services.values().any(ails).then_some(Health::Degraded);
        match &self.health {
            Some(Health::Healthy | Health::Starting | Health::None) | None => {
                ailing.or(self.health.clone())
            }
            said => said.clone(),
        }
    }
}

/// The newest value of each field; `null` takes a field away.
fn merge(kept: &mut Map<String, Value>, new: Map<String, Value>) {
    for (name, value) in new {
        if value.is_null() {
            kept.remove(&name);
        } else if kept.len() < NAMES || kept.contains_key(&name) {
            kept.insert(name, value);
        }
    }
}

/// The newest are kept; what is the same as the last one is not told again.
fn add(kept: &mut Vec<Notice>, new: Vec<Notice>, now: Timestamp) {
    for mut notice in new {
        if kept
            .last()
            .is_some_and(|last| last.message == notice.message)
        {
            continue;
        }
        notice.timestamp.get_or_insert_with(|| now.to_string());
        kept.push(notice);
    }
    let old = kept.len().saturating_sub(NOTICES);
    kept.drain(..old);
}

/// A state that changes only when it was found twice in a row: one bad look is no illness, one good look no cure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steady<T> {
    shown: T,
    before: T,
}

impl<T: Clone + PartialEq> Steady<T> {
    /// Known to be so by now.
    pub(crate) fn of(known: T) -> Self {
        Self {
            shown: known.clone(),
            before: known,
        }
    }

    /// Whether what was found last is what is shown.
    pub(crate) fn is_settled(&self) -> bool {
        self.shown == self.before
    }

    /// Takes what was found now; answers with what is shown.
    pub(crate) fn next(&mut self, found: T) -> T {
        if found == self.before {
            self.shown = found.clone();
        }
        self.before = found;
        self.shown.clone()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use mizzen_status::{Health, NOTICES};
    use serde_json::{Value, json};

    use super::{Reported, Steady};

    fn taken(reports: &[Value]) -> Reported {
        let mut reported = Reported::default();
        for report in reports {
            reported.take(report.to_string().parse().unwrap(), Timestamp::UNIX_EPOCH);
        }
        reported
    }

    #[test]
    fn what_is_not_said_stays() {
        let reported = taken(&[
            json!({"phase": "building", "progress": {"current": 4, "total": 9}, "services": {"db": "up"}}),
            json!({"progress": {"current": 5, "total": 9}, "services": {"web": "starting"}}),
            json!({"custom": {"passed": 1, "gone": 2}}),
            json!({"phase": "building", "custom": {"passed": 3, "gone": null}}),
            json!({"progress": {"message": "Linking"}}),
        ]);
        assert_eq!(reported.phase.as_deref(), Some("building"));
        assert_eq!(reported.services.len(), 2);
        assert_eq!(
            Value::from(reported.extra()),
            json!({"custom": {"passed": 3}})
        );
        let progress = reported.progress.unwrap();
        assert_eq!((progress.current, progress.total), (Some(5.0), Some(9.0)));
        assert_eq!(progress.message.as_deref(), Some("Linking"));
    }

    #[test]
    fn a_new_phase_begins_without_progress_and_clear_forgets_all() {
        let first = json!({"phase": "a", "progress": {"current": 4}, "errors": ["x"]});
        assert_eq!(
            taken(&[first.clone(), json!({"phase": "b"})]).progress,
            None
        );
        let cleared = taken(&[first, json!({"clear": true, "phase": "c"})]);
        assert_eq!(cleared, taken(&[json!({"phase": "c"})]));
    }

    #[test]
    fn of_notices_the_newest_are_kept_and_a_repeated_one_once() {
        let many: Vec<_> = (0..NOTICES + 9).map(|n| format!("w{n}")).collect();
        let last = many.last().cloned();
        let reported = taken(&[json!({"warnings": many}), json!({"warnings": [last]})]);
        assert_eq!(reported.warnings.len(), NOTICES);
        assert_eq!(reported.warnings[0].message, "w9");
        let time = Timestamp::UNIX_EPOCH.to_string();
        assert_eq!(reported.warnings[0].timestamp, Some(time));
    }

    #[test]
    fn a_service_that_ails_outweighs_a_healthy_word() {
        for (report, expected) in [
            (json!({}), None),
            (json!({"services": {"db": "running"}}), None),
            (
                json!({"services": {"db": "failed"}}),
                Some(Health::Degraded),
            ),
            (
                json!({"services": {"db": "down"}, "health": "healthy"}),
                Some(Health::Degraded),
            ),
            (
                json!({"services": {"db": "down"}, "health": "unhealthy"}),
                Some(Health::Unhealthy),
            ),
        ] {
            assert_eq!(
                taken(std::slice::from_ref(&report)).health(),
                expected,
                "{report}"
            );
        }
    }

    #[test]
    fn a_state_flips_when_it_was_found_twice_in_a_row() {
        let mut steady = Steady::default();
        let shown = [true, false, true, true, false, true, false, false].map(|it| steady.next(it));
        assert_eq!(shown, [false, false, false, true, true, true, true, false]);
    }
}
