//! Fills the new files of a directory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mizzen_sync_core::{File, RelPath};

use super::Why;
use super::contents::{FromHandle, Supply, SupplyError};
use super::order::Here;
use super::sink::{Made, Refused, Sink};
use super::stage::{Stage, lock};
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory, is_shortage};

/// New files of one directory.
pub(super) struct Batch {
    pub(super) change: usize,
    pub(super) dir: Arc<DirHandle>,
    pub(super) jobs: Vec<Job>,
    /// Whether the directory is as new as they are.
    pub(super) is_new: bool,
}

pub(super) struct Job {
    pub(super) name: Box<[u8]>,
    pub(super) path: RelPath,
    pub(super) file: File,
    /// What the file that it replaces was allowed.
    pub(super) mode: Option<u32>,
}

/// Fills files.
pub(super) struct Worker<'a> {
    stage: &'a Stage<'a>,
    supplier: Box<dyn Supply + 'a>,
    here: FromHandle,
}

impl<'a> Worker<'a> {
    pub(super) fn new(stage: &'a Stage<'a>) -> Self {
        Self {
            stage,
            supplier: stage.contents.supplier(),
            here: FromHandle::new(stage.root.handle()),
        }
    }

    pub(super) fn take(&mut self, batch: Batch) {
        for job in batch.jobs {
            if self.stage.has_ended() {
                return;
            }
            if let Err(why) = self.make(batch.change, &batch.dir, &job) {
                self.stage.fail(batch.change, job.path, why);
            }
        }
        if self.stage.sync_each
            && batch.is_new
            && let Err(error) = batch.dir.sync()
        {
            self.stage.spoil(batch.change, error);
        }
    }

    fn make(&mut self, change: usize, dir: &DirHandle, job: &Job) -> Result<(), Why> {
        let here = self.stage.here.get(&job.path);
        if let Some(Here::Moved(from, stamp)) = here
            && self.name_twice(change, from, stamp, dir, &job.name)?
        {
            return Ok(());
        }
        let bits = if job.file.executable { 0o777 } else { 0o666 };
        let mode = job.mode.unwrap_or(bits & !self.stage.options.umask);
        let new = dir.create_file(&job.name, mode)?;
        let filled = self.fill(Sink::new(new, job.file), job, here);
        if filled.is_err()
            && let Err(error) = dir.remove_file(&job.name)
        {
            self.stage.spoil(change, error);
        }
        filled
    }

    fn fill(&mut self, mut sink: Sink, job: &Job, here: Option<&Here>) -> Result<(), Why> {
        let (supplied, changed) = match here {
            _ if job.file.size == 0 => (Ok(()), Why::ChangedThere),
            Some(Here::Moved(from, _) | Here::Copied(from)) => (
                self.here.supply(from, &job.file, &mut sink),
                Why::ChangedHere,
            ),
            None => (
                self.supplier.supply(&job.path, &job.file, &mut sink),
                Why::ChangedThere,
            ),
        };
        match sink.refused() {
            None => {}
            Some(Refused::TooLong) => return Err(changed),
            Some(Refused::System(error)) => return Err(Why::System(error)),
        }
        match supplied {
            Ok(()) => {}
            Err(SupplyError::All(error)) => return Err(Why::Supply(error)),
            Err(SupplyError::File(_)) => return Err(changed),
        }
        match sink.finish(job.mode, self.stage.sync_each)? {
            Made::Whole => {}
            Made::Wrong => return Err(changed),
        }
        let report = &self.stage.report;
        match here {
            Some(_) => {
                report.reused.fetch_add(1, Ordering::Relaxed);
            }
            None if job.file.size > 0 => {
                report.files.fetch_add(1, Ordering::Relaxed);
                report.bytes.fetch_add(job.file.size, Ordering::Relaxed);
            }
            None => {}
        }
        Ok(())
    }

    /// Gives a file that goes its new name as well, while it is the one that was seen. False where a file can have one
    /// name only.
    fn name_twice(
        &mut self,
        change: usize,
        from: &RelPath,
        seen: &Stamp,
        dir: &DirHandle,
        name: &[u8],
    ) -> Result<bool, Why> {
        let (parent, old_name) = super::place(&mut self.here.way, from)?;
        // Both names may get others at once: their times are looked at one after the other.
        let mut named_twice = lock(&self.stage.report.named_twice);
        let ctime = named_twice.get(&seen.inode).copied().unwrap_or(seen.ctime);
        if stamp(&parent, old_name)? != Some(Stamp { ctime, ..*seen }) {
            return Err(Why::ChangedHere);
        }
        if let Err(error) = parent.link(old_name, dir, name) {
            return if is_shortage(&error) {
                Err(error.into())
            } else {
                Ok(false)
            };
        }
        match stamp(dir, name) {
            Ok(Some(now))
                if now
                    == (Stamp {
                        ctime: now.ctime,
                        ..*seen
                    }) =>
            {
                named_twice.insert(seen.inode, now.ctime);
            }
            _ => {
                if let Err(error) = dir.remove_file(name) {
                    self.stage.spoil(change, error);
                }
                return Err(Why::ChangedHere);
            }
        }
        self.stage.report.reused.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }
}

fn stamp(dir: &DirHandle, name: &[u8]) -> io::Result<Option<Stamp>> {
    Ok(match dir.look(name)? {
        Some(Kind::File { stamp, .. }) => Some(stamp),
        _ => None,
    })
}
