//! Fills the new files of a directory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mizzen_sync_core::{File, RelPath};

use super::Why;
use super::contents::{FromHandle, PartHere, Supply, SupplyError};
use super::names::in_new_dir;
use super::order::Here;
use super::sink::{Made, Refused, Sink};
use super::stage::{Stage, lock};
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory, OpenFile, is_shortage};
use crate::scan::as_it_was_made;
use crate::trash::Taken;

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
    /// Whether that one may well hold the most of what this is to hold.
    pub(super) has_old_version: bool,
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
            let made = self.make(batch.change, &batch.dir, &job);
            match made {
                Ok(()) if batch.is_new => self.note(&batch.dir, job),
                Ok(()) => {}
                Err(why) if batch.is_new => {
                    self.stage.fail(batch.change, job.path, in_new_dir(why));
                }
                Err(why) => self.stage.fail(batch.change, job.path, why),
            }
        }
        if self.stage.sync_each
            && batch.is_new
            && let Err(error) = batch.dir.sync()
        {
            self.stage.spoil(batch.change, error);
        }
    }

    /// Where a new directory takes its place, the files in it stay as they are now.
    fn note(&self, dir: &DirHandle, job: Job) {
        if let Some(stamp) = as_it_was_made(dir, &job.name, &job.file) {
            lock(&self.stage.report.made).note(stamp, job.file.digest);
        }
    }

    fn make(&mut self, change: usize, dir: &DirHandle, job: &Job) -> Result<(), Why> {
        let here = self.stage.here.get(&job.path);
        if let Some(Here::Moved(from, stamp)) = here
            && self.name_twice(change, from, stamp, dir, &job.name)?
        {
            return Ok(());
        }
        if here.is_some() || job.file.size == 0 {
            return self.make_in_place(change, dir, job, here, None);
        }
        let old = self.old_version(dir, job);
        let is_begun = self.stage.shelf.held(&job.file.digest).is_some();
        match self.make_from_there(change, dir, job, old.as_ref()) {
            // What was here was not what it seemed to be.
            Err(Why::ChangedThere) if is_begun || old.is_some() => {
                self.make_from_there(change, dir, job, None)
            }
            made => made,
        }
    }

    fn make_from_there(
        &mut self,
        change: usize,
        dir: &DirHandle,
        job: &Job,
        old: Option<&OpenFile>,
    ) -> Result<(), Why> {
        let (shelf, is_far) = (self.stage.shelf, self.stage.contents.is_far());
        let mode = self.mode(job);
        let Some(taken) = shelf.take(&job.file, is_far, mode)? else {
            return self.make_in_place(change, dir, job, None, old);
        };
        let sink = match taken {
            Taken::Begun(begun) => Sink::resumed(begun, job.file),
            Taken::New(new) => Ok(Sink::new(new, job.file)),
        };
        let filled = match sink {
            Ok(sink) if sink.length() > job.file.size => Err(Why::ChangedThere),
            Ok(sink) => self.fill(sink, job, Some(mode), None, old),
            Err(error) => Err(Why::System(error)),
        };
        match filled {
            Ok(()) => {}
            // The next cycle goes on from what has come.
            Err(Why::Supply(error)) if !is_shortage(&error) => return Err(Why::Supply(error)),
            Err(why) => {
                shelf.drop(&job.file);
                return Err(why);
            }
        }
        match shelf.give(&job.file, dir, &job.name) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                // The same file system, mounted once more on the way.
                let copied = self.copy_from_shelf(dir, job, mode);
                shelf.drop(&job.file);
                copied
            }
            given => Ok(given?),
        }
    }

    fn copy_from_shelf(&mut self, dir: &DirHandle, job: &Job, mode: u32) -> Result<(), Why> {
        let (from, name) = self.stage.shelf.place(&job.file)?;
        let path = RelPath::new(&name).map_err(io::Error::other)?;
        let mut sink = Sink::new(dir.create_file(&job.name, mode)?, job.file);
        let copied = FromHandle::new(&from).supply(&path, &job.file, &mut sink);
        let made = copied.is_ok()
            && matches!(sink.finish(job.mode, self.stage.sync_each), Ok(Made::Whole));
        if made {
            return Ok(());
        }
        let _ = dir.remove_file(&job.name);
        Err(Why::ChangedHere)
    }

    fn make_in_place(
        &mut self,
        change: usize,
        dir: &DirHandle,
        job: &Job,
        here: Option<&Here>,
        old: Option<&OpenFile>,
    ) -> Result<(), Why> {
        let new = dir.create_file(&job.name, self.mode(job))?;
        let filled = self.fill(Sink::new(new, job.file), job, job.mode, here, old);
        if filled.is_err()
            && let Err(error) = dir.remove_file(&job.name)
        {
            self.stage.spoil(change, error);
        }
        filled
    }

    /// What a new file is allowed.
    fn mode(&self, job: &Job) -> u32 {
        let bits = if job.file.executable { 0o777 } else { 0o666 };
        job.mode.unwrap_or(bits & !self.stage.options.umask)
    }

    /// The file that is replaced, where its contents spare a long way.
    fn old_version(&self, dir: &DirHandle, job: &Job) -> Option<OpenFile> {
        if !job.has_old_version || !self.stage.contents.is_far() {
            return None;
        }
        let name = job.path.components().last()?;
        let old = dir.open_file(name).ok()?;
        matches!(old.kind(), Ok(Kind::File { .. })).then_some(old)
    }

    fn fill(
        &mut self,
        mut sink: Sink,
        job: &Job,
        mode: Option<u32>,
        here: Option<&Here>,
        old: Option<&OpenFile>,
    ) -> Result<(), Why> {
        let mut came = 0;
        let (supplied, changed) = match here {
            // All of it was here.
            _ if job.file.size == sink.length() => (Ok(()), Why::ChangedThere),
            Some(Here::Moved(from, _) | Here::Copied(from)) => (
                self.here.supply(from, &job.file, &mut sink),
                Why::ChangedHere,
            ),
            None => {
                let part = PartHere {
                    first: sink.length(),
                    old: old.map(|old| &old.file),
                };
                let supplied = match part.is_empty() {
                    true => self
                        .supplier
                        .supply(&job.path, &job.file, &mut sink)
                        .map(|()| job.file.size),
                    false => self
                        .supplier
                        .supply_rest(&job.path, &job.file, &part, &mut sink),
                };
                let supplied = supplied.map(|bytes| came = bytes);
                (supplied, Why::ChangedThere)
            }
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
        match sink.finish(mode, self.stage.sync_each)? {
            Made::Whole => {}
            Made::Wrong => return Err(changed),
        }
        self.stage.write_back.wrote(job.file.size);
        let report = &self.stage.report;
        match here {
            Some(_) => {
                report.reused.fetch_add(1, Ordering::Relaxed);
            }
            None if came > 0 => {
                report.files.fetch_add(1, Ordering::Relaxed);
                report.bytes.fetch_add(came, Ordering::Relaxed);
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
