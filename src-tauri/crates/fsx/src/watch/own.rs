//! A watcher of the system's for each watch: there are as many as one likes.

use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::{WatchError, changed, system};

/// Where events come from; they end when it is dropped.
pub(super) struct Source(RecommendedWatcher);

impl Source {
    pub(super) fn new(tell: impl Fn(&[PathBuf]) + Send + 'static) -> Result<Self, WatchError> {
        let watcher = notify::recommended_watcher(move |event| {
            if let Some(paths) = changed(event) {
                tell(&paths);
            }
        });
        Ok(Self(watcher.map_err(|error| system(&error))?))
    }

    pub(super) fn join(&mut self, directory: &Path) -> notify::Result<()> {
        self.0.watch(directory, RecursiveMode::NonRecursive)
    }

    pub(super) fn leave(&mut self, directory: &Path) {
        let _unknown = self.0.unwatch(directory);
    }
}
