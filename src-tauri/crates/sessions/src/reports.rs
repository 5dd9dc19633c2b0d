//! The container's own reports: `status.json`, read when the file system hints and, as a safety net, now and then.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_fsx::{Mark, SafeDir, Watch, disk_without_events};
use mizzen_status::{
    Ack, Health as Said, Keep, Reading, STATUS_FILE, Status, StatusWord, read_status, sanitise,
};
use tokio::sync::{Notify, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::fact::{CodeServer, Health, Progress, Report};
use crate::para::ParaDirs;
use crate::record::Record;

/// The safety net under lost hints: a heartbeat comes every 5 s and its hint is waited for, and 15 s old is fresh.
const POLL: Duration = Duration::from_secs(7);
/// Looks at one file: a container that writes a thousand times a second is shown four times.
const SPACING: Duration = Duration::from_millis(250);
/// After a torn file, so many times.
const SOON: Duration = Duration::from_millis(50);
const TORN: u32 = 3;
/// File systems tell times in steps, of two seconds at worst: what has stood for longer tells of every change to come.
const SETTLED: Duration = Duration::from_secs(3);

/// One new report, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// The container reports this.
    Report {
        beat: Beat,
        report: Report,
        health: Health,
        code_server: CodeServer,
        commands: Commanded,
    },
    /// Its file cannot be used, and this is why; the last report stays.
    Problem(String),
}

/// How far a container says that its commands are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Commanded {
    pub(crate) acks: Vec<Ack>,
    /// Agents of the first hour tell of no states: they write that a command is done into the queue itself.
    pub(crate) is_legacy: bool,
}

impl From<&Status> for Commanded {
    fn from(status: &Status) -> Self {
        Self {
            acks: status.commands.clone(),
            is_legacy: status.schema.is_none(),
        }
    }
}

/// Which of a container's reports one is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Beat {
    seq: Option<u64>,
    at: Option<Timestamp>,
}

impl Beat {
    /// The container's clock as it reported.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// Whether both its number and its time are before another's: a container that was started again counts anew, and
    /// its clock may have been set.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.seq < other.seq && self.at < other.at
    }
}

/// What the last look met.
#[derive(Default)]
struct Met {
    mark: Option<Mark>,
    since: Option<Instant>,
    /// It was read when its mark had settled.
    is_known: bool,
    /// Whether it lies on a disk that others may change without a word; none before the first look.
    is_silent: Option<bool>,
}

impl Met {
    /// Takes what stands there now; whether it is what was read, so that a look would find nothing new.
    fn again(&mut self, dir: &SafeDir, now: Instant) -> bool {
        // A disk of others may tell an old mark.
        let asked = || disk_without_events(dir.path()).is_some();
        let is_silent = *self.is_silent.get_or_insert_with(asked);
        let mark = match is_silent {
            false => dir.mark(STATUS_FILE, 0, 0),
            true => None,
        };
        if mark.is_none() || mark != self.mark {
            *self = Self {
                mark,
                since: Some(now),
                is_known: false,
                is_silent: Some(is_silent),
            };
        }
        self.is_known
    }

    /// It has been read since.
    fn read(&mut self, now: Instant) {
        let settled = self.since.is_some_and(|since| now >= since + SETTLED);
        self.is_known = self.mark.is_some() && settled;
    }
}

/// Who looks at a status directory, and what was told of it. A look may wait for a disk and parses what a container
/// wrote, so the runtime's own threads never take one.
struct Looker {
    dir: SafeDir,
    uid: Option<u32>,
    met: Met,
    /// Looks in a row that found a torn file.
    torn: u32,
    last_beat: Option<(Option<u64>, String)>,
    last_problem: String,
}

/// What a look came to.
enum Found {
    /// Nothing that was not told.
    Nothing,
    /// A file that may be on its way: to be looked at again soon.
    Torn,
    /// This is to be told.
    News(Box<Heard>),
}

impl Looker {
    fn new(dir: SafeDir, uid: Option<u32>) -> Self {
        Self {
            dir,
            uid,
            met: Met::default(),
            torn: 0,
            last_beat: None,
            last_problem: String::new(),
        }
    }

    fn look(&mut self, now: Instant) -> Found {
        // Before it is read: what changes meanwhile has another mark at the next look.
        if self.met.again(&self.dir, now) {
            return Found::Nothing;
        }
        let read = read_status(&self.dir, self.uid);
        self.met.read(now);
        let is_torn = matches!(read, Reading::Keep(Keep::Torn));
        self.torn = if is_torn { self.torn + 1 } else { 0 };
        match read {
            Reading::Good(status) => self.report(status),
            // One that stays torn is no more worth than any other that is not used.
            Reading::Keep(Keep::Torn) if self.torn <= TORN => Found::Torn,
            Reading::Keep(Keep::Torn) | Reading::Absent => Found::Nothing,
            Reading::Keep(keep) => self.problem(&keep),
        }
    }

    fn report(&mut self, status: Status) -> Found {
        self.last_problem.clear();
        let beat = (status.beat().0, status.beat().1.to_owned());
        match self.last_beat.replace(beat.clone()) == Some(beat) {
            true => Found::Nothing,
            false => Found::News(Box::new(heard(status))),
        }
    }

    fn problem(&mut self, keep: &Keep) -> Found {
        let problem = format!("The container's status.json is not used: {keep}.");
        if problem == self.last_problem {
            return Found::Nothing;
        }
        let told = Heard::Problem(sanitise(&problem, 300));
        self.last_problem = problem;
        Found::News(Box::new(told))
    }
}

/// Follows a status directory and tells each report that differs from the one before in time or number.
pub(crate) async fn follow(dir: PathBuf, uid: Option<u32>, tell: mpsc::Sender<Heard>) {
    let hinted = Arc::new(Notify::new());
    let hint = hinted.clone();
    // Without file events the poll alone serves.
    let _watch = Watch::of_file(&dir, STATUS_FILE, move || hint.notify_one()).ok();
    let Ok(dir) = SafeDir::open(&dir) else {
        let _ = tell
            .send(Heard::Problem("The status directory is gone.".to_owned()))
            .await;
        return;
    };
    let mut looker = Looker::new(dir, uid);
    loop {
        let now = Instant::now();
        let looked = spawn_blocking(move || {
            let found = looker.look(now);
            (looker, found)
        });
        let (again, found) = looked.await.expect("BUG: looking does not panic");
        looker = again;
        let again_in = match found {
            Found::Torn => SOON,
            Found::Nothing => POLL,
            Found::News(heard) => match tell.send(*heard).await {
                Ok(()) => POLL,
                Err(_) => return,
            },
        };
        let _ = tokio::time::timeout(again_in, hinted.notified()).await;
        // A hint that comes late, as those of heartbeats do, is followed at once: nobody wakes for the spacing alone.
        tokio::time::sleep_until(now + SPACING.min(again_in)).await;
    }
}

/// Whether the last report of a container that has ended says that what it mirrors is in step.
pub(crate) async fn ended_in_step(record: &Record) -> bool {
    let dir = ParaDirs::of(&record.project, &record.name).status;
    let uid = record.reports_owner();
    let read = spawn_blocking(move || read_status(&SafeDir::open(&dir).ok()?, uid).good());
    let last = read.await.expect("BUG: reading does not panic");
    last.is_some_and(|status| {
        let sync = status.services.get("sync").map(String::as_str);
        status.last && sync == Some("stopped")
    })
}

/// The same report, as the supervisor passes it on.
pub(crate) fn passed_on(json: &str) -> Option<Heard> {
    json.parse().ok().map(heard)
}

fn heard(status: Status) -> Heard {
    let beat = Beat {
        seq: status.seq,
        at: status.time(),
    };
    let health = match status.health.as_ref() {
        Some(Said::Starting) => Health::Starting,
        Some(Said::Healthy) => Health::Healthy,
        Some(Said::Degraded) => Health::Degraded,
        Some(Said::Unhealthy) => Health::Unhealthy,
        Some(Said::None | Said::Unknown(_)) | None => match status.status {
            StatusWord::Error => Health::Unhealthy,
            _ => Health::Unknown,
        },
    };
    let newest_first = |notices: &[mizzen_status::Notice]| {
        notices
            .iter()
            .rev()
            .map(|notice| notice.message.clone())
            .collect::<Vec<_>>()
    };
    let (errors, warnings) = (newest_first(&status.errors), newest_first(&status.warnings));
    let commands = Commanded::from(&status);
    let code_server = code_server(status.services.get("code-server").map(String::as_str));
    let progress = status
        .progress
        .filter(|progress| progress.message.is_some() || progress.total.is_some());
    let report = Report {
        phase: status.phase.or_else(|| Some(status.status.to_string())),
        progress: progress.map(|progress| Progress {
            current: progress.current.unwrap_or(0.0),
            total: progress.total.unwrap_or(0.0),
            message: progress.message.unwrap_or_default(),
        }),
        services: status.services,
        errors,
        warnings,
    };
    Heard::Report {
        beat,
        report,
        health,
        code_server,
        commands,
    }
}

/// What the supervisor's word for code-server means.
pub(crate) fn code_server(word: Option<&str>) -> CodeServer {
    match word {
        Some("running") => CodeServer::Running,
        Some("starting" | "restarting") => CodeServer::Starting,
        Some("missing") => CodeServer::Missing,
        Some("failed" | "stopped") => CodeServer::Failed,
        Some(_) | None => CodeServer::Unknown,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
