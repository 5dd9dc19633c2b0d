//! Writes the report: at every change of ours, soon after what others say, and every five seconds as a sign of life.

mod outlet;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_status::{Health, Report, STATUS_MAX};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::attach::REPORT_CAP;
use super::board::{Board, Facts, Reported, Stage, Steady, compose};
use super::journal::Journal;
use super::places;
use outlet::Outlet;

const HEARTBEAT: Duration = Duration::from_secs(5);
/// Between two reports of what others say: a script may say a thousand things a second.
const GAP: Duration = Duration::from_millis(250);

pub(crate) struct Reporter {
    facts: watch::Receiver<Facts>,
    reported: watch::Receiver<Reported>,
    board: Board,
    journal: Journal,
    seq: u64,
    /// How well others say it is.
    said: Steady<Option<Health>>,
    outlets: Vec<Outlet>,
}

impl Reporter {
    /// A reporter to the runtime directory, for `attach`, and to the status directory, for the
    /// host. Either may be missing. The first is no disk, and a start waits for what is in it.
    pub(crate) fn new(board: &Board, journal: &Journal, runtime: Option<&Path>) -> Self {
        let runtime = runtime.map(|dir| Outlet::new(dir.to_owned(), REPORT_CAP));
        let shared = places::status_dir().map(|dir| Outlet::new(dir, STATUS_MAX));
        Self {
            facts: board.watch(),
            reported: board.watch_reported(),
            board: board.clone(),
            journal: journal.clone(),
            seq: 0,
            said: Steady::default(),
            outlets: runtime.into_iter().chain(shared).collect(),
        }
    }

    /// Reports until the last report is written; it then ends.
    pub(crate) async fn run(mut self) {
        loop {
            self.adopt().await;
            let facts = self.facts.borrow_and_update().clone();
            self.report(&facts).await;
            if facts.stage == Stage::Stopped || !self.wait().await {
                return;
            }
        }
    }

    /// Waits until there is something to report; says whether there may be.
    async fn wait(&mut self) -> bool {
        let now = Instant::now();
        let retry = self.outlets.iter().filter_map(Outlet::due).min();
        let wake = retry.map_or(now + HEARTBEAT, |due| due.min(now + HEARTBEAT));
        let said = async {
            let changed = self.reported.changed().await;
            sleep_until(now + GAP).await;
            changed
        };
        tokio::select! {
            changed = self.facts.changed() => changed.is_ok(),
            changed = said => changed.is_ok(),
            () = sleep_until(wake) => true,
        }
    }

    /// Takes what a program in the container has written over our report. Ours is the newest again with the next one,
    /// with what that program said in it.
    async fn adopt(&mut self) {
        let found = self.on_disk(|outlet| outlet.foreign()).await;
        found.into_iter().for_each(|report: Report| {
            self.board.take(report);
        });
    }

    async fn report(&mut self, facts: &Facts) {
        self.seq += 1;
        let reported = self.reported.borrow_and_update().clone();
        let said = self.said.next(reported.health());
        let status = compose(facts, &reported, said, self.seq, Timestamp::now());
        let is_last = facts.stage == Stage::Stopped;
        let write = move |outlet: &mut Outlet| outlet.write(status.clone(), is_last);
        for outcome in self.on_disk(write).await {
            self.journal.note(outcome);
        }
    }

    /// On a thread of its own: a disk that hangs must not stop PID 1.
    async fn on_disk<T: Send + 'static>(
        &mut self,
        mut act: impl FnMut(&mut Outlet) -> Option<T> + Send + 'static,
    ) -> Vec<T> {
        let mut outlets = std::mem::take(&mut self.outlets);
        let acted = tokio::task::spawn_blocking(move || {
            let told: Vec<T> = outlets.iter_mut().filter_map(&mut act).collect();
            (outlets, told)
        });
        let (outlets, told) = acted.await.expect("BUG: writing a report panicked");
        self.outlets = outlets;
        told
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mizzen_fsx::SafeDir;
    use mizzen_status::read_status;
    use mizzen_tasks::Owner;

    use super::{Board, Journal, Reporter};

    /// Waits for a later report than this one. Time stands still meanwhile, and with it the sign of life: nobody sleeps.
    async fn report_after(seq: Option<u64>, dir: &Path) -> Option<u64> {
        loop {
            let report = read_status(&SafeDir::open(dir).unwrap(), None).good();
            match report.and_then(|report| report.seq) {
                newer if newer > seq => return newer,
                _ => tokio::task::yield_now().await,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_is_asked_for_is_made_at_once() {
        let (dir, owner) = (tempfile::tempdir().unwrap(), Owner::root("test"));
        let board = Board::new();
        let journal = Journal::start().unwrap();
        let reporter = Reporter::new(&board, &journal, Some(dir.path()));
        owner.spawn("reporter", reporter.run());
        let mut seq = report_after(None, dir.path()).await;
        for _ in 0..3 {
            board.report_now();
            seq = report_after(seq, dir.path()).await;
        }
    }
}
