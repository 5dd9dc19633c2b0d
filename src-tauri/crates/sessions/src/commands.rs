//! What a session's container is asked to carry out, and how far it is: the list in Mizzen's own state directory is the
//! truth, and `commands.json` in the project is written after it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_fsx::{PathError, SafeDir, UnsafeFile, UnsafeReason, Watch};
use mizzen_status::{Asked, CommandId, LOG_MAX, Outbox, Reading, Shown, read_status};

use crate::folder::FolderUser;
use crate::para::{self, ParaDirs};
use crate::record::Record;
use crate::reports::Commanded;

/// Below the state directory.
const DIR: &str = "commands";
/// Between two words in the log on a container that changes its queue.
const RARELY: Duration = Duration::from_secs(60);

/// The commands of one session.
pub(crate) struct Commands {
    /// Why there is none, in a sentence; also while it is at work elsewhere.
    outbox: Result<Outbox, String>,
    status: PathBuf,
    user: FolderUser,
    /// Who must have written its last report.
    reporter: Option<u32>,
    /// What the container last said, until it is taken in.
    told: Option<Commanded>,
    is_legacy: bool,
    /// The file is to be seen to whatever was said.
    unshown: bool,
    /// The container has ended: its last report is to be read.
    last_words: bool,
    warned: Option<Instant>,
}

impl Commands {
    /// Reads what is remembered of a session's commands.
    pub(crate) fn open(state_dir: &Path, record: &Record) -> Self {
        let file = file(state_dir, &record.name.key());
        let outbox = Outbox::open(file, &record.created_at.to_string());
        if let Ok(Some(aside)) = outbox.as_ref().map(Outbox::put_aside) {
            tracing::warn!(
                session = %record.name,
                aside = %aside.display(),
                "not all commands could be read; those that could not are forgotten, and the file was put aside"
            );
        }
        Self {
            outbox: outbox.map_err(|error| format!("Its commands cannot be read: {error}.")),
            status: ParaDirs::of(&record.project, &record.name).status,
            user: record.user,
            reporter: record.reports_owner(),
            told: None,
            is_legacy: false,
            unshown: false,
            last_words: false,
            warned: None,
        }
    }

    /// All that was asked for, the newest first.
    pub(crate) fn asked(&self) -> Arc<Vec<Asked>> {
        let asked = self.outbox.as_ref().map(Outbox::asked);
        Arc::new(asked.unwrap_or_default())
    }

    /// The container says how far it is.
    pub(crate) fn told(&mut self, said: Commanded) {
        self.told = Some(said);
    }

    /// A container has started: its file may be older than what is to be done.
    pub(crate) fn show_again(&mut self) {
        self.unshown = self
            .outbox
            .as_ref()
            .is_ok_and(|outbox| !outbox.asked().is_empty());
    }

    /// A container has ended, and may have said something since it was last heard.
    pub(crate) fn read_last_words(&mut self, record: &Record) {
        self.reporter = record.reports_owner();
        self.last_words = self.is_waiting();
    }

    /// Takes in what was said and sees to the file; whether there is news. Costs nothing while nobody waits for anything.
    pub(crate) async fn tend(&mut self) -> bool {
        let told = self.told.take();
        let last_words = std::mem::take(&mut self.last_words);
        let unshown = std::mem::take(&mut self.unshown);
        if !unshown && !(self.is_waiting() && (told.is_some() || last_words)) {
            return false;
        }
        let (status, uid) = (self.status.clone(), self.reporter);
        let heard = self.at_work(move |outbox| {
            let last = || {
                let dir = SafeDir::open(&status).ok()?;
                match read_status(&dir, uid) {
                    Reading::Good(status) => Some(Commanded::from(&status)),
                    Reading::Keep(_) | Reading::Absent => None,
                }
            };
            let said = last_words.then(last).flatten().or(told)?;
            Some((outbox.hear(&said.acks), said.is_legacy))
        });
        let is_news = match heard.await {
            Ok(Some((heard, is_legacy))) => {
                self.is_legacy = is_legacy;
                heard.unwrap_or_else(|error| {
                    self.warn(&format!("the end of a command is not kept: {error}"));
                    false
                })
            }
            Ok(None) => false,
            Err(_) => return false,
        };
        self.show().await || is_news
    }

    /// Makes the file hold what it should; whether the container has told of an end by it.
    pub(crate) async fn show(&mut self) -> bool {
        let (status, owner) = (self.status.clone(), para::give_to(self.user));
        let is_legacy = self.is_legacy;
        let shown = self.at_work(move |outbox| {
            let before = outbox.is_waiting();
            let shown = outbox.show(&status, owner, is_legacy);
            (shown, before != outbox.is_waiting() || is_legacy)
        });
        match shown.await {
            Ok((Ok(Shown::Restored), is_news)) => {
                self.warn("others had changed commands.json; it is as it was");
                is_news
            }
            Ok((Ok(Shown::AsItWas | Shown::Written), is_news)) => is_news,
            Ok((Err(error), _)) => {
                self.warn(&format!("commands are not handed over: {error}"));
                false
            }
            Err(_) => false,
        }
    }

    /// Works on the list where waiting for a disk holds nobody up.
    pub(crate) async fn at_work<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Outbox) -> T + Send + 'static,
    ) -> Result<T, String> {
        let away = Err("Its commands are at work.".to_owned());
        let mut outbox = match std::mem::replace(&mut self.outbox, away) {
            Ok(outbox) => outbox,
            Err(why) => {
                self.outbox = Err(why.clone());
                return Err(why);
            }
        };
        let worked = tokio::task::spawn_blocking(move || {
            let done = act(&mut outbox);
            (outbox, done)
        });
        let (outbox, done) = worked.await.expect("BUG: writing does not panic");
        self.outbox = Ok(outbox);
        Ok(done)
    }

    /// Whether the container has still to say something of one.
    pub(crate) fn is_waiting(&self) -> bool {
        self.outbox.as_ref().is_ok_and(Outbox::is_waiting)
    }

    /// Says so in the log, once in a while: a container can bring it about as often as it likes.
    fn warn(&mut self, what: &str) {
        if self.warned.is_none_or(|at| at.elapsed() >= RARELY) {
            self.warned = Some(Instant::now());
            tracing::warn!(status = %self.status.display(), "{what}");
        }
    }
}

/// Forgets the commands of a session that is gone. One that is made later begins anew also when this fails.
pub(crate) fn forget(state_dir: &Path, key: &str) {
    let _ = fs::remove_file(file(state_dir, key));
}

fn file(state_dir: &Path, key: &str) -> PathBuf {
    state_dir.join(DIR).join(format!("{key}.json"))
}

/// What a command has said, as its container keeps it: hostile, whatever it is.
#[derive(Clone, Debug)]
pub struct CommandOutput {
    logs: PathBuf,
    file: String,
    uid: Option<u32>,
}

impl CommandOutput {
    pub(crate) fn of(record: &Record, id: &CommandId) -> Self {
        let status = ParaDirs::of(&record.project, &record.name).status;
        Self {
            logs: status.join("logs"),
            file: format!("{id}.log"),
            uid: record.reports_owner(),
        }
    }

    /// At most `max` bytes from `offset` on; nothing of what is not there yet. Waits for the disk.
    ///
    /// # Errors
    /// What lies there is no output that is safe to read.
    pub fn read(&self, offset: u64, max: u64) -> Result<Vec<u8>, UnsafeFile> {
        let dir = match SafeDir::open(&self.logs) {
            Ok(dir) => dir,
            Err(PathError { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Vec::new());
            }
            Err(PathError { path, source }) => {
                let reason = UnsafeReason::Io(source);
                return Err(UnsafeFile { path, reason });
            }
        };
        match dir.read_part(&self.file, (offset, max), LOG_MAX, self.uid) {
            Err(refused) if matches!(refused.reason, UnsafeReason::Missing) => Ok(Vec::new()),
            read => read,
        }
    }

    /// Hints that there may be more; none where there are no file events, or nothing has ever been said.
    #[must_use]
    pub fn watch(&self, on_hint: impl FnMut() + Send + 'static) -> Option<Watch> {
        SafeDir::open(&self.logs).ok()?;
        Watch::new([&self.logs], on_hint).ok()
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
