//! Writes the report: at every change, and every five seconds as a sign of life.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use mizzen_fsx::{PathError, SafeDir, remove_leftovers};
use mizzen_status::{Reading, STATUS_FILE, Status, read_status, write_status};
use tokio::sync::watch;
use tokio::time::Instant;

use super::board::{Board, Facts, Foreign, compose};
use super::journal::Journal;
use super::places;
use super::retry::{Retry, chance};

const HEARTBEAT: Duration = Duration::from_secs(5);

pub(crate) struct Reporter {
    facts: watch::Receiver<Facts>,
    board: Board,
    journal: Journal,
    seq: u64,
    outlets: Vec<Outlet>,
}

/// A directory that the report is written to.
struct Outlet {
    dir: PathBuf,
    retry: Retry,
    /// When to try again; none after a success.
    due: Option<Instant>,
    /// The report as we wrote it, to notice when somebody else wrote one.
    written: Option<Status>,
    foreign: Foreign,
}

impl Reporter {
    /// A reporter to the runtime directory, for `attach`, and to the status directory, for the
    /// host. Either may be missing. The first is no disk, and a start waits for what is in it.
    pub(crate) fn new(board: &Board, journal: &Journal, runtime: Option<&Path>) -> Self {
        let dirs = runtime
            .map(Path::to_owned)
            .into_iter()
            .chain(places::status_dir());
        Self {
            facts: board.watch(),
            board: board.clone(),
            journal: journal.clone(),
            seq: 0,
            outlets: dirs.map(Outlet::new).collect(),
        }
    }

    /// Reports until the last report is written; it then ends.
    pub(crate) async fn run(mut self) {
        loop {
            let workspace = Path::new(places::WORKSPACE);
            self.board
                .set_error("workspace", places::workspace_problem(workspace));
            let facts = self.facts.borrow_and_update().clone();
            self.report(&facts).await;
            if facts.stage == super::board::Stage::Stopped {
                return;
            }
            let wake = self.outlets.iter().filter_map(|outlet| outlet.due).min();
            let heartbeat = Instant::now() + HEARTBEAT;
            tokio::select! {
                changed = self.facts.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(wake.map_or(heartbeat, |due| due.min(heartbeat))) => {}
            }
        }
    }

    async fn report(&mut self, facts: &Facts) {
        self.seq += 1;
        let mut outlets = std::mem::take(&mut self.outlets);
        let (facts, seq) = (facts.clone(), self.seq);
        // On a thread of its own: a disk that hangs must not stop PID 1.
        let write = tokio::task::spawn_blocking(move || {
            let outcomes: Vec<_> = outlets
                .iter_mut()
                .filter_map(|outlet| outlet.write(&facts, seq))
                .collect();
            (outlets, outcomes)
        });
        let (outlets, outcomes) = write.await.expect("BUG: writing a report panicked");
        self.outlets = outlets;
        for outcome in outcomes {
            self.journal.note(outcome);
        }
    }
}

impl Outlet {
    fn new(dir: PathBuf) -> Self {
        // Of an earlier life of this container that was killed. A failure shows when we write.
        let _ = remove_leftovers(dir.join(STATUS_FILE));
        Self {
            dir,
            retry: Retry::new(Duration::from_millis(100), Duration::from_secs(30)),
            due: None,
            written: None,
            foreign: Foreign::default(),
        }
    }

    /// Writes the report unless a retry is not due yet; says in words what has changed about that.
    fn write(&mut self, facts: &Facts, seq: u64) -> Option<String> {
        let now = Instant::now();
        let last = facts.stage == super::board::Stage::Stopped;
        if !last && self.due.is_some_and(|due| now < due) {
            return None;
        }
        self.adopt_foreign();
        let status = compose(facts, &self.foreign, seq, Timestamp::now());
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

    /// Keeps what a program in the container wrote over our report. Ours is the newest again with
    /// the next heartbeat, with its phase and progress in it.
    fn adopt_foreign(&mut self) {
        let Some(ours) = &self.written else { return };
        let Ok(dir) = SafeDir::open(&self.dir) else {
            return;
        };
        let Reading::Good(found) = read_status(&dir, None) else {
            return;
        };
        if found.beat() == ours.beat() {
            return;
        }
        self.foreign = Foreign {
            phase: found.phase.or(self.foreign.phase.take()),
            progress: found.progress.or(self.foreign.progress.take()),
            services: BTreeMap::from_iter(
                std::mem::take(&mut self.foreign.services)
                    .into_iter()
                    .chain(found.services),
            ),
            extra: found.extra,
        };
    }
}
