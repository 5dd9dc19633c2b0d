//! Much that is new goes to the disk while the rest is still coming: a disk and a wire can work at the same time, and
//! then little is left to wait for in the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The disk is told to begin whenever so many bytes more were written.
pub(super) const MUCH: u64 = 16 * 1024 * 1024;

/// Says when there is much to bring to the disk.
pub(super) struct WriteBack {
    /// Since it was said last.
    written: AtomicU64,
    due: Option<SyncSender<()>>,
}

impl WriteBack {
    /// Nobody brings anything to the disk meanwhile.
    pub(super) fn never() -> Self {
        Self {
            written: AtomicU64::new(0),
            due: None,
        }
    }

    /// And who is told of it, for as long as this lives.
    pub(super) fn told() -> (Self, Receiver<()>) {
        // One more is remembered while the disk is at work.
        let (due, told) = sync_channel(1);
        let written = AtomicU64::new(0);
        let due = Some(due);
        (Self { written, due }, told)
    }

    pub(super) fn wrote(&self, bytes: u64) {
        let Some(due) = &self.due else { return };
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before < MUCH && before + bytes >= MUCH {
            self.written.store(0, Ordering::Relaxed);
            // Where one waits already, that one will do.
            let _ = due.try_send(());
        }
    }
}
