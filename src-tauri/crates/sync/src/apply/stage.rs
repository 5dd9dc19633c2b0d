//! Makes all that is new ready beside its place, before anything that is seen is touched.
//!
//! A new directory is filled under its temporary name and takes its place with all below it by one rename: that is two
//! to four times faster than a rename for each file.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

use mizzen_sync_core::{Change, Node, RelPath, Unsyncable};

use super::contents::Contents;
use super::fill::{Batch, Job, Worker};
use super::moved::Moves;
use super::names::in_new_dir;
use super::order::{Here, has_old_version};
use super::write_back::WriteBack;
use super::{ApplyOptions, Failure, Why};
use crate::root::{DirHandle, Directory, Root, Way};
use crate::scan::{Links, Made, stays_inside};
use crate::temp::Part;
use crate::trash::{Cycle, Shelf};

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
    pub(super) moves: &'a Moves,
    pub(super) here: &'a HashMap<RelPath, Here>,
    pub(super) shelf: &'a Shelf,
    pub(super) cycle: &'a Cycle,
    pub(super) options: &'a ApplyOptions,
    /// Whether each file is put on disk at once.
    pub(super) sync_each: bool,
    pub(super) write_back: &'a WriteBack,
    pub(super) report: Report,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Report {
    failed: Mutex<Vec<(usize, Failure)>>,
    spoilt: Mutex<Vec<(usize, io::Error)>>,
    ended: AtomicBool,
    pub(super) named_twice: Mutex<HashMap<u64, i64>>,
    pub(super) files: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) reused: AtomicU64,
    /// Files in new directories.
    pub(super) made: Mutex<Made>,
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
    pub(super) made: Made,
}

impl Stage<'_> {
    pub(super) fn run(self, changes: &[Change]) -> Staged {
        let files: usize = self.made(changes).map(|(_, _, new)| files(new)).sum();
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
            made,
            ..
        } = self.report;
        Staged {
            failed: failed.into_inner().expect("BUG: a worker panicked"),
            spoilt: spoilt.into_inner().expect("BUG: a worker panicked"),
            named_twice: named_twice.into_inner().expect("BUG: a worker panicked"),
            files: files.into_inner(),
            bytes: bytes.into_inner(),
            reused: reused.into_inner(),
            made: made.into_inner().expect("BUG: a worker panicked"),
        }
    }

    /// Changes of which something is made ready.
    fn made<'c>(
        &self,
        changes: &'c [Change],
    ) -> impl Iterator<Item = (usize, &'c Change, &'c Node)> {
        let changes = changes.iter().enumerate();
        let moves = self.moves;
        changes
            .filter(|(number, _)| !moves.comes(*number))
            .filter_map(|(number, change)| Some((number, change, change.new.as_ref()?)))
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
        for (number, change, new) in self.made(changes) {
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
                    has_old_version: has_old_version(change),
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
            Node::Link(target) => self.link(&dir, &temp, &change.path, target),
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
                has_old_version: false,
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
                Node::Link(target) => self.link(&dir, name.as_bytes(), &path.join(name), target),
                Node::Unsyncable(why) => Err(Why::Unsyncable(*why)),
            };
            if let Err(why) = made {
                self.fail(number, path.join(name), in_new_dir(why));
            }
        }
        if self.sync_each
            && let Err(error) = dir.sync()
        {
            self.spoil(number, error);
        }
        Ok(())
    }

    fn link(&self, dir: &DirHandle, name: &[u8], path: &RelPath, target: &[u8]) -> Result<(), Why> {
        let parent = path.parent().unwrap_or_default();
        let is_made = match self.options.links {
            Links::Portable => stays_inside(&parent, target),
            Links::Ignore => false,
            Links::Posix => true,
        };
        if !is_made {
            return Err(Why::Unsyncable(Unsyncable::LinkOutside));
        }
        Ok(dir.create_link(name, target)?)
    }

    pub(super) fn fail(&self, change: usize, path: RelPath, why: Why) {
        if why.is_shortage() {
            self.report.ended.store(true, Ordering::Relaxed);
        }
        lock(&self.report.failed).push((change, Failure { path, why }));
    }

    pub(super) fn spoil(&self, change: usize, why: io::Error) {
        lock(&self.report.spoilt).push((change, why));
    }

    pub(super) fn has_ended(&self) -> bool {
        self.report.ended.load(Ordering::Relaxed)
    }
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("BUG: a worker panicked")
}
