//! Watches of single directories by inotify, which the scan sets.

mod places;
mod writing;

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mizzen_sync_core::{Name, RelPath, Rules};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::pending::{Pending, Rescan, is_rules};
use super::polling::Polling;
use super::window::Told;
use super::{Events, WatchOptions};
use crate::root::{DirHandle, Root, Way};
use crate::temp;

use places::Places;
use writing::Writing;

/// Of what is in a directory. Files that have no name any more are nobody's.
const CHANGES: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK);

const OF_ROOT: WatchFlags = CHANGES
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);

/// Of what the root lies in: a directory that is held open is not told to be deleted, but its name is.
const OF_PARENT: WatchFlags = WatchFlags::DELETE
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::ONLYDIR);

/// What is sent to the root itself when it is not where it was.
const ROOT_GONE: ReadFlags = ReadFlags::DELETE_SELF
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::UNMOUNT);

/// Events that are read at most before others get their turn; the system's queue holds fewer.
const EVENTS_MAX: usize = 1 << 17;

/// Some two thousand events.
const BUFFER: usize = 64 * 1024;

pub(super) struct Source {
    root: Arc<DirHandle>,
    inotify: Option<OwnedFd>,
    poke: OwnedFd,
    rules: Arc<Rules>,
    watches_max: usize,
    /// Why the events are not enough, whatever is watched.
    always: Option<Polling>,
    state: Mutex<State>,
}

struct State {
    places: Places,
    /// The watch of what the root lies in, and the root's name in it.
    parent: Option<(i32, Name)>,
    writing: Writing,
    /// Why some directory is not watched.
    unwatched: Option<Polling>,
    /// The same, for those that the present scan has entered.
    unwatched_so_far: Option<Polling>,
    buffer: Box<[MaybeUninit<u8>]>,
}

impl Events for Source {
    fn open(
        root: &Root,
        options: &WatchOptions,
        _pending: &Arc<Mutex<Pending>>,
    ) -> io::Result<Self> {
        let mut always = foreign(root.handle());
        let inotify = match inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
            Ok(inotify) => Some(inotify),
            Err(error) => {
                always = Some(match error {
                    Errno::MFILE => Polling::Watchers,
                    error => Polling::Failed(error.to_string()),
                });
                None
            }
        };
        let parent = inotify.as_ref().and_then(|inotify| {
            let path = root.path().canonicalize().ok()?;
            let name = Name::new(path.file_name()?.as_encoded_bytes()).ok()?;
            let watch = inotify::add_watch(inotify, path.parent()?, OF_PARENT).ok()?;
            Some((watch, name))
        });
        Ok(Self {
            root: root.handle().clone(),
            inotify,
            poke: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            rules: options.rules.clone(),
            watches_max: options.watches_max,
            always,
            state: Mutex::new(State {
                places: Places::default(),
                parent,
                writing: Writing::default(),
                unwatched: None,
                unwatched_so_far: None,
                buffer: Box::new_uninit_slice(BUFFER),
            }),
        })
    }

    fn polling(&self) -> Option<Polling> {
        self.always
            .clone()
            .or_else(|| self.state().unwatched.clone())
    }

    fn begin(&self, is_whole: bool) {
        let mut state = self.state();
        if is_whole {
            state.places.begin();
            state.unwatched_so_far = None;
        }
    }

    /// Watches a directory, by the handle that it will be listed by: whatever its path leads to meanwhile.
    fn enter(&self, path: &RelPath, handle: &DirHandle) {
        // Locked until the place is known: an event may come at once.
        let mut state = self.state();
        let Err(why) = self.add(&mut state, path, handle) else {
            return;
        };
        let is_new = state.unwatched.is_none();
        state.unwatched = Some(why.clone());
        state.unwatched_so_far = Some(why);
        drop(state);
        if is_new {
            self.poke();
        }
    }

    /// Forgets watches of directories that a scan of everything has not come to: they are not there any more, or are not
    /// carried. One that only was elsewhere meanwhile has been told to be moved.
    fn end(&self, is_whole: bool) {
        let mut state = self.state();
        if is_whole {
            state.unwatched = state.unwatched_so_far.take();
            let old = state.places.remove_older();
            self.forget(&old);
        }
    }

    fn drain(&self, pending: &mut Pending) -> Told {
        let Some(inotify) = &self.inotify else {
            return Told::default();
        };
        let mut state = self.state();
        let mut buffer = std::mem::take(&mut state.buffer);
        let mut reader = Reader::new(inotify, &mut buffer);
        let (mut events, mut came) = (0, Vec::new());
        // What was read is heard to its end.
        while (events < EVENTS_MAX || !reader.is_buffer_empty())
            && let Ok(event) = reader.next()
        {
            events += 1;
            let name = event.file_name().map(|name| Name::new(name.to_bytes()));
            let event = Event {
                watch: event.wd(),
                flags: event.events(),
                name: name.and_then(Result::ok),
            };
            let heard = state.hear(&self.rules, event, pending);
            self.forget(&heard.lost);
            came.extend(heard.came);
        }
        state.buffer = buffer;
        for path in &came {
            self.enter_new(&mut state, path);
        }
        Told {
            events,
            writing: state.writing.is_any(),
            filling: !came.is_empty(),
        }
    }

    /// What is still being written is not waited for another time.
    fn gathered(&self) {
        self.state().writing.waited();
    }

    fn wait(&self, until: Option<Instant>) {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let fds = [Some(&self.poke), self.inotify.as_ref()];
        self.poll(&mut fds.into_iter().flatten(), left);
    }

    fn pause(&self, time: Duration) {
        self.poll(&mut [&self.poke].into_iter(), Some(time));
    }

    fn poke(&self) {
        let _full_already = rustix::io::write(&self.poke, &1_u64.to_ne_bytes());
    }
}

impl Source {
    fn poll(&self, fds: &mut dyn Iterator<Item = &OwnedFd>, time: Option<Duration>) {
        let mut fds: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        // An interrupted wait is a short one.
        let _interrupted = poll(&mut fds, time.as_ref());
        let _nobody_poked = rustix::io::read(&self.poke, &mut [0; 8]);
    }

    /// Watches a directory, by a handle; where it cannot be, that is told.
    fn add(&self, state: &mut State, path: &RelPath, handle: &DirHandle) -> Result<(), Polling> {
        let Some(inotify) = &self.inotify else {
            return Ok(());
        };
        let flags = if path.is_root() { OF_ROOT } else { CHANGES };
        let watched = state.places.len();
        let added = if watched < self.watches_max || state.places.has(path) {
            let handle = handle.as_fd().as_raw_fd();
            inotify::add_watch(inotify, format!("/proc/self/fd/{handle}"), flags)
        } else {
            Err(Errno::NOSPC)
        };
        match added {
            Ok(watch) => {
                if let Some(other) = state.places.put(watch, path) {
                    let _gone_already = inotify::remove_watch(inotify, other);
                }
                Ok(())
            }
            Err(Errno::NOSPC | Errno::NOMEM) => Err(Polling::Watches { watched }),
            Err(error) => Err(Polling::Failed(format!("{path}: {error}"))),
        }
    }

    /// Watches a directory that has just come, so that what it is filled with is heard of while that belongs together.
    /// The next scan comes to it in any case, and tells when it cannot be watched.
    fn enter_new(&self, state: &mut State, path: &RelPath) {
        if let Ok(handle) = Way::new(&self.root).to(path) {
            let _the_scan_tells = self.add(state, path, handle);
        }
    }

    /// Number of directories that are watched.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.state().places.len()
    }

    fn forget(&self, watches: &[i32]) {
        for (inotify, watch) in self.inotify.iter().zip(watches) {
            let _gone_already = inotify::remove_watch(inotify, *watch);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Event {
    watch: i32,
    flags: ReadFlags,
    name: Option<Name>,
}

/// What an event says of directories.
#[derive(Default)]
struct Heard {
    /// Watches that are to be forgotten, since nobody knows where they are now: what they watch will be watched anew where
    /// it is found, and is dirty there.
    lost: Vec<i32>,
    /// One that was not there before.
    came: Option<RelPath>,
}

impl State {
    /// Takes note of an event.
    fn hear(&mut self, rules: &Rules, event: Event, pending: &mut Pending) -> Heard {
        let Event { watch, flags, name } = event;
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.writing = Writing::default();
            pending.everything(Rescan::Overflow);
            return Heard::default();
        }
        if let Some((parent, root)) = &self.parent
            && watch == *parent
        {
            if name.as_ref() == Some(root) {
                pending.everything(Rescan::Root);
            }
            return Heard::default();
        }
        // One that was forgotten may still have something to tell.
        let Some(place) = self.places.path(watch) else {
            return Heard::default();
        };
        let is_over = flags.contains(ReadFlags::IGNORED);
        if place.is_root() && (is_over || flags.intersects(ROOT_GONE)) {
            pending.everything(Rescan::Root);
        }
        if is_over {
            pending.note(&place);
            self.places.remove(watch);
        }
        // Without a name it is the directory's own, of which the one above tells as well.
        let Some(name) = name else {
            return Heard::default();
        };
        if temp::is_one(&name) {
            return Heard::default();
        }
        let path = place.join(&name);
        let is_dir = flags.contains(ReadFlags::ISDIR);
        if rules.check(&path, is_dir).is_err() && !is_rules(&path) {
            return Heard::default();
        }
        pending.note(&path);
        if flags.contains(ReadFlags::MODIFY) {
            self.writing.begun(watch, name);
        } else if flags
            .intersects(ReadFlags::CLOSE_WRITE | ReadFlags::DELETE | ReadFlags::MOVED_FROM)
        {
            self.writing.ended(watch, name);
        }
        let lost = match is_dir && flags.contains(ReadFlags::MOVED_FROM) {
            true => self.places.remove_below(&path),
            false => Vec::new(),
        };
        let has_come = is_dir && flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
        let came = has_come.then_some(path);
        Heard { lost, came }
    }
}

/// Whether a directory lies on a disk that others may change without a word to this system.
fn foreign(handle: &DirHandle) -> Option<Polling> {
    mizzen_fsx::disk_of_handle(handle).map(Polling::FileSystem)
}
