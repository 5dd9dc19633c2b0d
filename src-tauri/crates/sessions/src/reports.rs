//! The container's own reports: `status.json`, read when the file system hints and, as a safety net, now and then.

mod looker;
mod lookout;
mod pulse;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use mizzen_fsx::{SafeDir, Watch};
use mizzen_status::{Ack, Health as Said, STATUS_FILE, Status, StatusWord, read_status, sanitise};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::fact::{CodeServer, Health, Progress, Report};
use crate::para::ParaDirs;
use crate::record::Record;

pub(crate) use lookout::Lookout;
pub(crate) use pulse::Pulse;

use looker::Looker;
use lookout::Following;

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

impl Heard {
    /// Whether two reports differ in nothing but when they were made.
    fn says_the_same(&self, other: &Self) -> bool {
        let Self::Report {
            beat: _,
            report,
            health,
            code_server,
            commands,
        } = self
        else {
            return self == other;
        };
        matches!(other, Self::Report { report: r, health: h, code_server: c, commands: a, .. }
            if (r, h, c, a) == (report, health, code_server, commands))
    }
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

/// Who listens to a container's reports.
#[derive(Clone)]
pub(crate) struct Listener {
    /// Who looks at all of them.
    pub(crate) lookout: Arc<Lookout>,
    /// Is told what is new.
    pub(crate) tell: mpsc::Sender<Heard>,
    /// Where each report is noted, new or not.
    pub(crate) pulse: Arc<Pulse>,
}

/// Follows a status directory until this is dropped, and tells each report that differs from the one before in more than
/// time and number.
pub(crate) async fn follow(dir: PathBuf, uid: Option<u32>, listener: Listener) {
    let tell = listener.tell.clone();
    let begun = spawn_blocking(move || begin(&dir, uid, listener));
    match begun.await.expect("BUG: opening does not panic") {
        Ok(_followed) => tell.closed().await,
        Err(error) => {
            let problem = format!("The container's reports are not followed: {error}.");
            let problem = Heard::Problem(sanitise(&problem, 300));
            let _nobody_listens = tell.send(problem).await;
        }
    }
}

/// Begins to follow one, where waiting for a disk holds nobody up.
fn begin(
    dir: &Path,
    uid: Option<u32>,
    listener: Listener,
) -> Result<(Following, Option<Watch>), String> {
    let looker = Looker::open(dir, uid, listener.pulse).map_err(|error| error.to_string())?;
    let joined = match looker.is_far() {
        true => listener.lookout.alone(),
        false => listener.lookout.join(),
    };
    let following = joined.map_err(|error| error.to_string())?;
    let hint = following.hint();
    // Without file events the poll alone serves.
    let watch = Watch::of_file(dir, STATUS_FILE, move || hint.give()).ok();
    // Once it is watched: what changed before is seen by the first look.
    following.begin(looker, listener.tell);
    Ok((following, watch))
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
