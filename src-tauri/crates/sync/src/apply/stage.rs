//! Makes all that is new ready beside its place, before anything that is seen is touched.
//!
//! A new directory is filled under its temporary name and takes its place with all below it by one rename: that is two
//! to four times faster than a rename for each file.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

use mizzen_sync_core::{Change, File, Node, RelPath};

use super::contents::{Contents, FromHandle, Supply, SupplyError};
use super::order::Here;
use super::sink::{Made, Sink};
use super::{ApplyOptions, Failure, Why};
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory, Root, Way, is_shortage};
use crate::temp::Part;
use crate::trash::Cycle;

/// Files that are handed to a worker at once.
const BATCH: usize = 64;
/// Batches that wait, and with them their directories' handles.
const WAITING: usize = 32;
/// Fewer files than these are not worth a thread.
const FEW: usize = 16;

/// What making ready needs to know.
pub(super) struct Stage<'a> {
    pub(super) root: &'a Root,
    pub(super) contents: &'a dyn Contents,
    pub(super) here: &'a HashMap<RelPath, Here>,
    pub(super) cycle: &'a Cycle,
    pub(super) options: &'a ApplyOptions,
    /// Whether each file is put on disk at once.
    pub(super) sync_each: bool,
    pub(super) report: Report,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Report {
    failed: Mutex<Vec<(usize, Failure)>>,
    spoilt: Mutex<Vec<(usize, io::Error)>>,
    ended: AtomicBool,
    named_twice: Mutex<HashMap<u64, i64>>,
    files: AtomicU64,
    bytes: AtomicU64,
    reused: AtomicU64,
}

/// The same, when all is over.
pub(super) struct Staged {
    /// Of each change, what of it is not ready.
    pub(super) failed: Vec<(usize, Failure)>,
    /// Changes that hold something wrong, or perhaps do, and why.
    pub(super) spoilt: Vec<(usize, io::Error)>,
    /// Files that go have a second name now; their inodes, and the time that this left on them.
    pub(super) named_twice: HashMap<u64, i64>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) reused: u64,
}

/// New files of one directory.
struct Batch {
    change: usize,
    dir: Arc<DirHandle>,
    jobs: Vec<Job>,
    /// Whether the directory is as new as they are.
    is_new: bool,
}

struct Job {
    name: Box<[u8]>,
    path: RelPath,
    file: File,
    /// What the file that it replaces was allowed.
    mode: Option<u32>,
}

impl Stage<'_> {
    pub(super) fn run(self, changes: &[Change]) -> Staged {
        let files: usize = changes
            .iter()
            .filter_map(|change| change.new.as_ref())
            .map(files)
            .sum();
        if files <= FEW {
            let mut worker = Worker::new(&self);
            self.walk(changes, &mut |batch| worker.take(batch));
        } else {
            self.run_in_threads(changes);
        }
        let Report {
            failed,
            spoilt,
            named_twice,
            files,
            bytes,
            reused,
            ..
        } = self.report;
        Staged {
            failed: failed.into_inner().expect("BUG: a worker panicked"),
            spoilt: spoilt.into_inner().expect("BUG: a worker panicked"),
            named_twice: named_twice.into_inner().expect("BUG: a worker panicked"),
            files: files.into_inner(),
            bytes: bytes.into_inner(),
            reused: reused.into_inner(),
        }
    }

    fn run_in_threads(&self, changes: &[Change]) {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let receiver = Mutex::new(receiver);
        std::thread::scope(|scope| {
            for _ in 0..self.contents.suppliers().max(1) {
                scope.spawn(|| {
                    let mut worker = Worker::new(self);
                    loop {
                        let batch = lock(&receiver).recv();
                        match batch {
                            Ok(batch) => worker.take(batch),
                            Err(mpsc::RecvError) => break,
                        }
                    }
                });
            }
            self.walk(changes, &mut |batch| {
                sender
                    .send(batch)
                    .expect("BUG: workers stay as long as there is work");
            });
            drop(sender);
        });
    }

    fn walk(&self, changes: &[Change], deliver: &mut dyn FnMut(Batch)) {
        let mut way = Way::new(self.root.handle());
        for (number, change) in changes.iter().enumerate() {
            let Some(new) = &change.new else { continue };
            if self.has_ended() {
                return;
            }
            if let Err(why) = self.make(&mut way, number, change, new, deliver) {
                self.fail(number, change.path.clone(), why);
            }
        }
    }

    fn make(
        &self,
        way: &mut Way,
        number: usize,
        change: &Change,
        new: &Node,
        deliver: &mut dyn FnMut(Batch),
    ) -> Result<(), Why> {
        let (dir, name) = super::place(way, &change.path)?;
        let temp = self.cycle.temp(number, Part::New);
        match new {
            Node::File(file) => {
                let mode = match change.old {
                    Some(Node::File(_)) => dir.permissions(name).ok(),
                    _ => None,
                };
                let job = Job {
                    name: temp.into(),
                    path: change.path.clone(),
                    file: *file,
                    mode: mode.map(|mode| with_executable(mode, file.executable)),
                };
                let (jobs, is_new) = (vec![job], false);
                deliver(Batch {
                    change: number,
                    dir,
                    jobs,
                    is_new,
                });
                Ok(())
            }
            Node::Dir(_) => self.directory(number, &dir, &temp, &change.path, new, deliver),
            Node::Link(target) => Ok(dir.create_link(&temp, target)?),
            Node::Unsyncable(why) => Err(Why::Unsyncable(*why)),
        }
    }

    fn directory(
        &self,
        number: usize,
        parent: &DirHandle,
        name: &[u8],
        path: &RelPath,
        node: &Node,
        deliver: &mut dyn FnMut(Batch),
    ) -> Result<(), Why> {
        if self.has_ended() {
            return Ok(());
        }
        parent.create_dir(name, 0o777 & !self.options.umask)?;
        let dir = match parent.open_dir(name) {
            Ok(dir) => Arc::new(dir),
            Err(error) => {
                self.spoil(number, error);
                return Ok(());
            }
        };
        let mut jobs = Vec::new();
        let mut hand_over = |jobs: &mut Vec<Job>| {
            let (dir, jobs) = (dir.clone(), std::mem::take(jobs));
            deliver(Batch {
                change: number,
                dir,
                jobs,
                is_new: true,
            });
        };
        for (name, child) in node.as_dir().into_iter().flatten() {
            let Node::File(file) = child else { continue };
            jobs.push(Job {
                name: name.as_bytes().into(),
                path: path.join(name),
                file: *file,
                mode: None,
            });
            if jobs.len() == BATCH {
                hand_over(&mut jobs);
            }
        }
        if !jobs.is_empty() {
            hand_over(&mut jobs);
        }
        for (name, child) in node.as_dir().into_iter().flatten() {
            let made = match child {
                Node::File(_) => continue,
                Node::Dir(_) => {
                    let path = path.join(name);
                    self.directory(number, &dir, name.as_bytes(), &path, child, deliver)
                }
                Node::Link(target) => dir
                    .create_link(name.as_bytes(), target)
                    .map_err(Why::System),
                Node::Unsyncable(why) => Err(Why::Unsyncable(*why)),
            };
            if let Err(why) = made {
                self.fail(number, path.join(name), why);
            }
        }
        if self.sync_each
            && let Err(error) = dir.sync()
        {
            self.spoil(number, error);
        }
        Ok(())
    }

    fn fail(&self, change: usize, path: RelPath, why: Why) {
        if why.is_shortage() {
            self.report.ended.store(true, Ordering::Relaxed);
        }
        lock(&self.report.failed).push((change, Failure { path, why }));
    }

    fn spoil(&self, change: usize, why: io::Error) {
        lock(&self.report.spoilt).push((change, why));
    }

    fn has_ended(&self) -> bool {
        self.report.ended.load(Ordering::Relaxed)
    }
}

/// Fills files.
struct Worker<'a> {
    stage: &'a Stage<'a>,
    supplier: Box<dyn Supply + 'a>,
    here: FromHandle,
    way: Way,
}

impl<'a> Worker<'a> {
    fn new(stage: &'a Stage<'a>) -> Self {
        Self {
            stage,
            supplier: stage.contents.supplier(),
            here: FromHandle::new(stage.root.handle()),
            way: Way::new(stage.root.handle()),
        }
    }

    fn take(&mut self, batch: Batch) {
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
        if let Some(error) = sink.error() {
            return Err(Why::System(error));
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
        let (parent, old_name) = super::place(&mut self.way, from)?;
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

fn files(node: &Node) -> usize {
    match node {
        Node::Dir(dir) => dir.iter().map(|(_, child)| files(child)).sum(),
        Node::File(_) => 1,
        Node::Link(_) | Node::Unsyncable(_) => 0,
    }
}

/// What may be done with a file, with or without executing it.
fn with_executable(mode: u32, executable: bool) -> u32 {
    let mode = mode & 0o666;
    if executable {
        mode | 0o100 | (mode & 0o444) >> 2
    } else {
        mode
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("BUG: a worker panicked")
}
