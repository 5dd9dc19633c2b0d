//! One directory that the report is written to.

use std::path::PathBuf;
use std::time::Duration;

use mizzen_fsx::{PathError, SafeDir, remove_leftovers};
use mizzen_status::{Notice, Report, STATUS_FILE, Status, read_status, write_status};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::super::retry::{Retry, chance};

pub(super) struct Outlet {
    dir: PathBuf,
    /// Largest report that is read there.
    max: u64,
    retry: Retry,
    /// When to try again; none after a success.
    due: Option<Instant>,
    /// The report as we wrote it, to notice when somebody else wrote one.
    written: Option<Status>,
}

impl Outlet {
    pub(super) fn new(dir: PathBuf, max: u64) -> Self {
        // Of an earlier life of this container that was killed. A failure shows when we write.
        let _ = remove_leftovers(dir.join(STATUS_FILE));
        Self {
            dir,
            max,
            retry: Retry::new(Duration::from_millis(100), Duration::from_secs(30)),
            due: None,
            written: None,
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Writes a report unless a retry is not due yet; says in words what has changed about that.
    pub(super) fn write(&mut self, mut status: Status, is_last: bool) -> Option<String> {
        let now = Instant::now();
        if !is_last && self.due.is_some_and(|due| now < due) {
            return None;
        }
        status.fit(self.max);
        let outcome = write_status(&self.dir, &status);
        self.note(outcome, status, now)
    }

    fn note(
        &mut self,
        outcome: Result<(), PathError>,
        status: Status,
        now: Instant,
    ) -> Option<String> {
        let failed_before = self.due.is_some();
        match outcome {
            Ok(()) => {
                self.written = Some(status);
                self.retry.succeeded();
                self.due = None;
                failed_before.then(|| format!("reports to {} again", self.dir.display()))
            }
            Err(error) => {
                self.due = Some(now + self.retry.pause(chance()));
                (!failed_before).then(|| format!("cannot report: {error}"))
            }
        }
    }

    /// What a program in the container says that wrote over our report.
    pub(super) fn foreign(&mut self) -> Option<Report> {
        let ours = self.written.as_ref()?;
        let dir = SafeDir::open(&self.dir).ok()?;
        let found = read_status(&dir, None).good()?;
        if found.beat() == ours.beat() {
            return None;
        }
        let said = said(ours, &found);
        self.written = Some(found);
        Some(said)
    }
}

/// What is new in a report that somebody wrote over ours: it may hold what it found in ours.
fn said(ours: &Status, found: &Status) -> Report {
    let new = |found: &[Notice], ours: &[Notice]| -> Vec<Notice> {
        let is_new = |notice: &&Notice| !ours.iter().any(|it| it.message == notice.message);
        found.iter().filter(is_new).cloned().collect()
    };
    let services = found.services.iter();
    let mut extra = found.extra.clone();
    let custom = match extra.remove("custom") {
        Some(Value::Object(custom)) => custom,
        _ => Map::new(),
    };
    Report {
        clear: false,
        // The first agents call themselves healthy whatever they find.
        health: None,
        phase: found
            .phase
            .clone()
            .filter(|it| ours.phase.as_ref() != Some(it)),
        progress: found
            .progress
            .clone()
            .filter(|it| ours.progress.as_ref() != Some(it)),
        services: services
            .filter(|(name, state)| ours.services.get(*name) != Some(state))
            .map(|(name, state)| (name.clone(), state.clone()))
            .collect(),
        errors: new(&found.errors, &ours.errors),
        warnings: new(&found.warnings, &ours.warnings),
        custom,
        extra,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use mizzen_status::{STATUS_MAX, StatusWord};

    use super::*;

    /// D4: 100 ms at first, twice as long each time, 30 s at most, each a fifth more or less.
    #[test]
    fn a_report_that_cannot_be_written_is_tried_again_later_and_later() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("gone");
        let mut outlet = Outlet::new(dir.clone(), STATUS_MAX);
        let status = Status::new(StatusWord::Running, Timestamp::UNIX_EPOCH);
        let millis = [
            100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
        ];
        for (number, millis) in millis.into_iter().enumerate() {
            let before = Instant::now();
            // The last report waits for nothing.
            let told = outlet.write(status.clone(), true);
            let after = Instant::now();
            let due = outlet.due().unwrap();
            let nominal = Duration::from_millis(millis);
            assert!(due >= before + nominal * 4 / 5, "{nominal:?}");
            assert!(due <= after + nominal * 6 / 5, "{nominal:?}");
            assert_eq!(told.is_some(), number == 0, "it is told once");
        }
        std::fs::create_dir(&dir).unwrap();
        assert_eq!(outlet.write(status.clone(), false), None);
        assert!(!dir.join(STATUS_FILE).exists(), "it is not due yet");
        let told = outlet.write(status, true).unwrap();
        assert!(told.starts_with("reports to "), "{told}");
        assert_eq!(outlet.due(), None);
    }
}
