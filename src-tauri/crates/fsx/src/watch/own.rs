//! A watcher of the system's for each watch: there are as many as one likes.

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use notify::{Error, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::Wanted;

/// Events within this time of a hint are one more hint.
const WINDOW: Duration = Duration::from_millis(10);

/// Where events come from. When it is dropped, the channel closes and the thread ends.
pub(super) struct Source(RecommendedWatcher);

impl Source {
    /// This system does not tell the end of a write from the rest of it.
    pub(super) fn new(
        _wanted: Wanted,
        matters: impl Fn(&Path) -> bool + Send + 'static,
        on_hint: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (events, hints) = mpsc::channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !is_change(&event, &matters)) {
                return;
            }
            let _ended = events.send(());
        });
        let watcher = watcher.map_err(of_system)?;
        thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || coalesce(&hints, on_hint))?;
        Ok(Self(watcher))
    }

    pub(super) fn join(&mut self, directory: &Path) -> io::Result<()> {
        let joined = self.0.watch(directory, RecursiveMode::NonRecursive);
        joined.map_err(of_system)
    }

    pub(super) fn leave(&mut self, directory: &Path) {
        let _unknown = self.0.unwatch(directory);
    }
}

/// Reads by others are no changes. Without paths, anything may have changed.
fn is_change(event: &Event, matters: &impl Fn(&Path) -> bool) -> bool {
    let is_any = event.paths.is_empty() || event.paths.iter().any(|path| matters(path));
    !event.kind.is_access() && is_any
}

fn coalesce(hints: &Receiver<()>, mut on_hint: impl FnMut()) {
    while hints.recv().is_ok() {
        while hints.try_recv().is_ok() {}
        on_hint();
        thread::sleep(WINDOW);
    }
}

fn of_system(error: Error) -> io::Error {
    match error.kind {
        ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    }
}
