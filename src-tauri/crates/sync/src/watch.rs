//! Hears of changes on a side while they are made.
//!
//! On Linux the scan sets the watches: one that is given the watcher watches each directory before it lists it. What was
//! there before is then in the listing, what comes later is told, and nothing lies between. Directories that are not
//! carried cost nothing, and no tree is walked twice. Elsewhere the system watches the whole root by itself.
//!
//! No system tells of a change through another machine, through another hard link, or, until the file is closed, through
//! memory that it is mapped to: so a whole look from time to time remains necessary.

#[cfg(target_os = "linux")]
mod linux;
mod pending;
mod polling;
#[cfg(any(not(target_os = "linux"), test))]
mod portable;
mod window;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mizzen_sync_core::{RelPath, Rules};

use crate::root::{DirHandle, Root};

pub use pending::{News, Rescan};
pub use polling::Polling;

use pending::Pending;
use window::{Told, Window};

#[cfg(target_os = "linux")]
use linux::Source;
#[cfg(not(target_os = "linux"))]
use portable::Source;

/// How a side is watched.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// What is carried; changes of anything else are not told. With other rules, another watcher is started.
    pub rules: Arc<Rules>,
    /// How often everything has to be looked at where changes are not all told.
    pub poll_every: Duration,
    /// Directories that are watched at most.
    pub watches_max: usize,
}

/// A side cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be watched: {source}", path.display())]
pub struct WatchError {
    /// The root.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Collects the changes of a side from its start to its drop. One scan at a time may be given it.
pub struct Watcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What a system offers to hear of changes.
trait Events: Sized {
    fn open(root: &Root, options: &WatchOptions, pending: &Arc<Mutex<Pending>>)
    -> io::Result<Self>;

    /// Why not every change is told.
    fn polling(&self) -> Option<Polling>;

    /// A scan begins, of everything or not.
    fn begin(&self, _is_whole: bool) {}

    /// The scan is about to list a directory.
    fn enter(&self, _path: &RelPath, _handle: &DirHandle) {}

    /// The scan has come to its end.
    fn end(&self, _is_whole: bool) {}

    /// Notes what was told since the last time.
    fn drain(&self, pending: &mut Pending) -> Told;

    /// What was drained goes to the consumer now.
    fn gathered(&self) {}

    /// Waits for something to be told, a poke, or a time.
    fn wait(&self, until: Option<Instant>);

    /// Waits for a poke or so long.
    fn pause(&self, time: Duration);

    /// Ends a wait or a pause, this one or the next.
    fn poke(&self);
}

struct Shared {
    source: Source,
    pending: Arc<Mutex<Pending>>,
    poll_every: Duration,
    ended: AtomicBool,
}

impl Watcher {
    /// Starts with everything dirty. Calls `wake` from a thread of its own when there is news to be taken, a moment after
    /// the first change: what belongs together mostly comes together.
    ///
    /// # Errors
    /// The system has no threads or descriptors left. Without watches it polls, see [`Watcher::polling`].
    pub fn start(
        root: &Root,
        options: &WatchOptions,
        wake: impl FnMut() + Send + 'static,
    ) -> Result<Self, WatchError> {
        let failed = |source| WatchError {
            path: root.path().to_owned(),
            source,
        };
        let pending = Arc::new(Mutex::new(Pending::default()));
        let shared = Arc::new(Shared {
            source: Source::open(root, options, &pending).map_err(failed)?,
            pending,
            poll_every: options.poll_every,
            ended: AtomicBool::new(false),
        });
        let of_thread = shared.clone();
        let thread = thread::Builder::new().name("watch".to_owned());
        let thread = thread.spawn(move || of_thread.run(wake)).map_err(failed)?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Takes what has become dirty since the last time. On Linux every change that was made before this call is in it or
    /// in what was taken before.
    #[must_use]
    pub fn take(&self) -> News {
        self.shared.drain();
        self.shared.pending().take()
    }

    /// Whether there is nothing to be taken, for all that was heard.
    pub(crate) fn is_quiet(&self) -> bool {
        self.shared.pending().is_empty()
    }

    /// Why everything is looked at from time to time; none while each change is told.
    #[must_use]
    pub fn polling(&self) -> Option<Polling> {
        self.shared.source.polling()
    }

    pub(crate) fn begin(&self, is_whole: bool) {
        self.shared.source.begin(is_whole);
    }

    pub(crate) fn enter(&self, path: &RelPath, handle: &DirHandle) {
        self.shared.source.enter(path, handle);
    }

    pub(crate) fn end(&self, is_whole: bool) {
        self.shared.source.end(is_whole);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.source.poke();
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn run(&self, mut wake: impl FnMut()) {
        let mut poll_at = None;
        while !self.ended.load(Ordering::Relaxed) {
            let next = || Instant::now() + self.poll_every;
            poll_at = self.source.polling().map(|_| poll_at.unwrap_or_else(next));
            self.source.wait(poll_at);
            if poll_at.is_some_and(|at| at <= Instant::now()) {
                poll_at = None;
                self.pending().everything(Rescan::Poll);
                wake();
            } else if self.gather() {
                wake();
            }
        }
    }

    /// Waits until what has begun is over, or for long enough; whether there is news then.
    fn gather(&self) -> bool {
        let mut window = Window::open(Instant::now());
        let mut told = self.drain();
        while let Some(pause) = window.next(Instant::now(), &told) {
            self.source.pause(pause);
            if self.ended.load(Ordering::Relaxed) {
                return false;
            }
            told = self.drain();
        }
        self.source.gathered();
        !self.pending().is_empty()
    }

    fn drain(&self) -> Told {
        self.source.drain(&mut self.pending())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
