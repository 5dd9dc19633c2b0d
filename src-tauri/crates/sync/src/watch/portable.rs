//! Watches of whole trees, as systems other than Linux offer them.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mizzen_sync_core::{Name, RelPath, Rules};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::pending::{Pending, Rescan, is_rules};
use super::polling::Polling;
use super::window::Told;
use super::{Events, WatchOptions};
use crate::root::Root;
use crate::temp;

pub(super) struct Source {
    // Dropped with the source: no event comes any more.
    _watcher: Option<RecommendedWatcher>,
    polling: Option<Polling>,
    bell: Arc<Bell>,
}

/// What the system's thread and ours tell each other.
#[derive(Default)]
struct Bell {
    rung: Mutex<Rung>,
    bell: Condvar,
}

#[derive(Default)]
struct Rung {
    events: usize,
    poked: bool,
}

/// Makes dirt of events.
struct Listener {
    root: PathBuf,
    rules: Arc<Rules>,
    pending: Arc<Mutex<Pending>>,
    bell: Arc<Bell>,
}

impl Events for Source {
    fn open(
        root: &Root,
        options: &WatchOptions,
        pending: &Arc<Mutex<Pending>>,
    ) -> io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let path = root.path().canonicalize()?;
        let listener = Listener {
            root: path.clone(),
            rules: options.rules.clone(),
            pending: pending.clone(),
            bell: bell.clone(),
        };
        let watcher = notify::recommended_watcher(move |event| listener.hear(event));
        let watching = watcher.and_then(|mut watcher| {
            watcher.watch(&path, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        let (watcher, polling) = match watching {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(Polling::Failed(error.to_string()))),
        };
        Ok(Self {
            _watcher: watcher,
            polling,
            bell,
        })
    }

    fn polling(&self) -> Option<Polling> {
        self.polling.clone()
    }

    fn drain(&self, _pending: &mut Pending) -> Told {
        // What they tell has been noted when they came.
        Told {
            events: std::mem::take(&mut self.bell.rung().events),
            writing: false,
            // The whole tree is watched: what it is filled with is told by itself.
            filling: false,
        }
    }

    fn wait(&self, until: Option<Instant>) {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        self.bell.wait(left, |rung| !rung.poked && rung.events == 0);
    }

    fn pause(&self, time: Duration) {
        self.bell.wait(Some(time), |rung| !rung.poked);
    }

    fn poke(&self) {
        self.bell.rung().poked = true;
        self.bell.bell.notify_all();
    }
}

impl Bell {
    fn rung(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, time: Option<Duration>, condition: impl FnMut(&mut Rung) -> bool) {
        let time = time.unwrap_or(Duration::MAX);
        let waited = self.bell.wait_timeout_while(self.rung(), time, condition);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        rung.poked = false;
    }
}

impl Listener {
    fn hear(&self, event: notify::Result<notify::Event>) {
        {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(event) if event.need_rescan() => pending.everything(Rescan::Overflow),
                Ok(event) if event.kind.is_access() => return,
                Ok(event) => event
                    .paths
                    .iter()
                    .for_each(|path| self.note(path, &mut pending)),
                Err(_) => pending.everything(Rescan::Overflow),
            }
        }
        self.bell.rung().events += 1;
        self.bell.bell.notify_all();
    }

    fn note(&self, path: &Path, pending: &mut Pending) {
        let inner = path.strip_prefix(&self.root).ok();
        let Some(path) = inner.and_then(relative) else {
            return;
        };
        if path.is_root() {
            if !self.root.is_dir() {
                pending.everything(Rescan::Root);
            }
        } else if self.is_carried(&path) || is_rules(&path) {
            pending.note(&path);
        }
    }

    /// Whether it is a directory is not told: what is not carried must be ignored as both.
    fn is_carried(&self, path: &RelPath) -> bool {
        let as_kind = |is_dir| self.rules.check_whole(path, is_dir).is_ok();
        !path.names().any(|name| temp::is_one(&name)) && (as_kind(false) || as_kind(true))
    }
}

/// A path below the root; none when no name of the other side's could stand for it.
fn relative(path: &Path) -> Option<RelPath> {
    path.components().try_fold(RelPath::root(), |path, part| {
        let Component::Normal(name) = part else {
            return None;
        };
        Some(path.join(&Name::new(name.as_encoded_bytes()).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mizzen_sync_core::RuleTexts;

    use super::*;
    use crate::scan::Dirty;

    #[test]
    fn changes_in_a_tree_are_told_unless_they_are_not_carried() {
        let folder = tempfile::tempdir().unwrap();
        for dir in ["d", "ignored", "build"] {
            fs::create_dir(folder.path().join(dir)).unwrap();
        }
        let texts = RuleTexts {
            ignore: vec!["ignored".to_owned(), "build/".to_owned()],
            ..RuleTexts::default()
        };
        let options = WatchOptions {
            rules: Arc::new(Rules::new(&texts).unwrap()),
            poll_every: Duration::from_secs(3600),
            watches_max: 0,
        };
        let pending = Arc::new(Mutex::new(Pending::default()));
        let root = Root::open(folder.path()).unwrap();
        let source = Source::open(&root, &options, &pending).unwrap();
        assert_eq!(source.polling(), None);
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut told = pending.lock().unwrap().take().dirty;
        assert_eq!(told, Dirty::All);
        let mut heard = |until: &str| {
            told = Dirty::default();
            let until = RelPath::new(until.as_bytes()).unwrap();
            while told.clone().add(&until) {
                assert!(Instant::now() < deadline, "{told:?}");
                source.wait(Some(deadline));
                let mut pending = pending.lock().unwrap();
                source.drain(&mut pending);
                told.merge(pending.take().dirty);
            }
            told.clone()
        };
        for file in ["ignored/a", "build/b", "d/c", "last"] {
            fs::File::create(folder.path().join(file)).unwrap();
        }
        let paths = |paths: &[&str]| -> Dirty {
            let paths: Vec<_> = paths
                .iter()
                .map(|path| RelPath::new(path.as_bytes()).unwrap())
                .collect();
            paths.iter().collect()
        };
        assert_eq!(heard("last"), paths(&["d/c", "last"]));
        fs::remove_file(folder.path().join("d/c")).unwrap();
        assert_eq!(heard("d/c"), paths(&["d/c"]));
        fs::create_dir_all(folder.path().join("new/deep")).unwrap();
        assert_eq!(heard("new"), paths(&["new"]));
    }

    #[test]
    fn a_poke_ends_a_wait_and_a_pause() {
        let folder = tempfile::tempdir().unwrap();
        let options = WatchOptions {
            rules: Arc::new(Rules::new(&RuleTexts::default()).unwrap()),
            poll_every: Duration::from_secs(3600),
            watches_max: 0,
        };
        let root = Root::open(folder.path()).unwrap();
        let source = Source::open(&root, &options, &Arc::default()).unwrap();
        let start = Instant::now();
        source.poke();
        source.wait(None);
        source.poke();
        source.pause(Duration::from_secs(3600));
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
