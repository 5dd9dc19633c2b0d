//! What was seen of an agent's reports.

use std::collections::HashSet;
use std::path::Path;

use mizzen_fsx::SafeDir;
use mizzen_status::{Ack, CommandId, Keep, Reading, STATUS_FILE, Status, read_status};

/// Everything so far.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) last: Option<Status>,
    /// Reports that differ from the one before.
    pub(super) beats: usize,
    /// Why the file was not used when it was looked at last.
    pub(super) unused: Option<String>,
    /// Looks that found half a report.
    pub(super) torn: usize,
    /// Of the files that held a report.
    inodes: HashSet<u64>,
}

impl Seen {
    /// Looks once.
    pub(super) fn look(&mut self, dir: &SafeDir, path: &Path) {
        let reading = read_status(dir, None);
        self.unused = match &reading {
            Reading::Keep(Keep::Invalid(why)) => Some(why.clone()),
            Reading::Keep(Keep::Unsafe(refused)) => Some(refused.reason.to_string()),
            Reading::Keep(keep) => Some(keep.to_string()),
            Reading::Good(_) | Reading::Absent => None,
        };
        match reading {
            Reading::Good(status) => {
                let last = self.last.as_ref();
                if last.is_none_or(|last| last.beat() != status.beat()) {
                    self.beats += 1;
                    self.inodes.extend(inode(&path.join(STATUS_FILE)));
                }
                self.last = Some(status);
            }
            Reading::Keep(Keep::Torn) => self.torn += 1,
            Reading::Keep(_) | Reading::Absent => {}
        }
    }

    /// Whether reports came in files of their own.
    pub(super) fn is_replaced(&self) -> bool {
        self.inodes.len() > 1
    }

    /// What the last report says of a command.
    pub(super) fn ack(&self, id: &CommandId) -> Option<&Ack> {
        let mut acks = self.last.as_ref()?.commands.iter();
        acks.rfind(|ack| ack.id == *id)
    }

    /// The same, once it says how the command ended.
    pub(super) fn end(&self, id: &CommandId) -> Option<&Ack> {
        self.ack(id).filter(|ack| ack.state.is_final())
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path)
        .ok()
        .map(|found| found.ino())
}

/// Without inodes, a report that is read is taken for a file of its own.
#[cfg(not(unix))]
fn inode(_path: &Path) -> Option<u64> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    Some(COUNT.fetch_add(1, Ordering::Relaxed))
}
