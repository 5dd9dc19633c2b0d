//! One watcher of the system's for all watches of this process: Linux has 128 of them for all programs of a user, and a
//! core has a watch for each session.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::{WatchError, changed, system};

/// The one there is, as long as somebody watches.
static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

struct Shared {
    // Never asked for while the table is held: it answers when it has handed on what it had to tell.
    watcher: Mutex<RecommendedWatcher>,
    table: Arc<Mutex<Table>>,
}

/// Tells a source what changed; nothing in particular where one cannot say.
type Tell = Box<dyn Fn(&[PathBuf]) + Send>;

/// Who is told of what.
#[derive(Default)]
struct Table {
    next: u64,
    sources: HashMap<u64, Tell>,
    /// By where they are in truth: under two names the system takes a directory for one.
    directories: HashMap<PathBuf, Vec<Place>>,
}

/// A directory under the name that one source has for it.
#[derive(PartialEq)]
struct Place {
    source: u64,
    name: PathBuf,
}

/// Where events come from; they end when it is dropped.
pub(super) struct Source {
    number: u64,
    shared: Arc<Shared>,
}

impl Source {
    pub(super) fn new(tell: impl Fn(&[PathBuf]) + Send + 'static) -> Result<Self, WatchError> {
        let shared = Shared::get()?;
        let number = shared.table().add(Box::new(tell));
        Ok(Self { number, shared })
    }

    pub(super) fn join(&mut self, directory: &Path) -> notify::Result<()> {
        let place = Place {
            source: self.number,
            name: directory.to_owned(),
        };
        let path = directory.canonicalize()?;
        let mut watcher = held(&self.shared.watcher);
        self.shared.table().join(&path, place);
        // Also when it is watched: another directory may have come to its place.
        let watched = watcher.watch(&path, RecursiveMode::NonRecursive);
        if watched.is_err() {
            self.shared.table().leave(self.number, Some(directory));
        }
        watched
    }

    pub(super) fn leave(&mut self, directory: &Path) {
        self.forget(Some(directory));
    }

    fn forget(&self, directory: Option<&Path>) {
        let mut watcher = held(&self.shared.watcher);
        let deserted = self.shared.table().leave(self.number, directory);
        for path in deserted {
            let _gone = watcher.unwatch(&path);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.forget(None);
        self.shared.table().sources.remove(&self.number);
    }
}

impl Shared {
    fn get() -> Result<Arc<Self>, WatchError> {
        let mut current = held(&SHARED);
        if let Some(shared) = current.upgrade() {
            return Ok(shared);
        }
        let table = Arc::new(Mutex::new(Table::default()));
        let told = table.clone();
        let watcher = notify::recommended_watcher(move |event| {
            if let Some(paths) = changed(event) {
                held(&told).tell(&paths);
            }
        });
        let shared = Arc::new(Self {
            watcher: Mutex::new(watcher.map_err(|error| system(&error))?),
            table,
        });
        *current = Arc::downgrade(&shared);
        Ok(shared)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        held(&self.table)
    }
}

impl Table {
    fn add(&mut self, tell: Tell) -> u64 {
        self.next += 1;
        self.sources.insert(self.next, tell);
        self.next
    }

    fn join(&mut self, path: &Path, place: Place) {
        let places = self.directories.entry(path.to_owned()).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
    }

    /// Takes a source out of one directory, or of all; returns those that nobody watches any more.
    fn leave(&mut self, source: u64, name: Option<&Path>) -> Vec<PathBuf> {
        for places in self.directories.values_mut() {
            places.retain(|place| {
                place.source != source || name.is_some_and(|name| place.name != name)
            });
        }
        let deserted = self
            .directories
            .extract_if(|_, places| places.is_empty())
            .map(|(path, _)| path);
        deserted.collect()
    }

    /// Tells each source under its own names; without paths, anything may have changed.
    fn tell(&self, paths: &[PathBuf]) {
        if paths.is_empty() {
            self.sources.values().for_each(|tell| tell(&[]));
        }
        let mut told: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
        for path in paths {
            for place in self.directories.get(path).into_iter().flatten() {
                told.entry(place.source)
                    .or_default()
                    .push(place.name.clone());
            }
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            for place in self.directories.get(parent).into_iter().flatten() {
                told.entry(place.source)
                    .or_default()
                    .push(place.name.join(name));
            }
        }
        for (source, paths) in told {
            self.sources[&source](&paths);
        }
    }
}

/// What a panic left is as good as it was: each step leaves the table whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use crate::{Watch, write_atomic};

    const SOON: Duration = Duration::from_secs(10);

    /// Watchers of the system's that this process has.
    fn watchers() -> usize {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .filter(|target| target.to_string_lossy().contains("inotify"))
            .count()
    }

    #[test]
    fn any_number_of_watches_costs_one_of_the_systems_and_each_hears_of_its_own() {
        let top = tempfile::tempdir().unwrap();
        let (tell, told) = mpsc::channel();
        let file = |number: usize| top.path().join(number.to_string()).join("a");
        let watch = |number: usize| {
            let tell = tell.clone();
            let matters = move |path: &Path| tell.send((number, path.to_owned())).is_err();
            let directory = file(number).parent().unwrap().to_owned();
            std::fs::create_dir(&directory).unwrap();
            let mut watch = Watch::joining(matters, || {}).unwrap();
            watch.join(directory).unwrap();
            watch
        };
        let mut all: Vec<_> = (0..200).map(watch).collect();
        assert_eq!(watchers(), 1);
        let wait_for = |number: usize| {
            let it = (number, file(number));
            while told.recv_timeout(SOON).expect("it must be told") != it {}
        };
        for number in [150, 3] {
            write_atomic(file(number), b"1").unwrap();
            wait_for(number);
        }
        all.truncate(100);
        write_atomic(file(150), b"2").unwrap();
        write_atomic(file(99), b"1").unwrap();
        // Events come in their order: all that the first changes gave have come before the last one's.
        let heard: Vec<_> = std::iter::from_fn(|| told.recv_timeout(SOON).ok())
            .take_while(|it| *it != (99, file(99)))
            .collect();
        assert!(heard.iter().all(|(number, _)| *number == 3), "{heard:?}");
        all.clear();
        let deadline = Instant::now() + SOON;
        while watchers() > 0 {
            assert!(Instant::now() < deadline, "the last one closes it");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_directory_is_watched_by_several_under_their_own_names_until_the_last_leaves() {
        let top = tempfile::tempdir().unwrap();
        let (real, link) = (top.path().join("real"), top.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        symlink("real", &link).unwrap();
        let watch = |directory: &Path| {
            let (tell, told) = mpsc::channel();
            let matters = move |path: &Path| tell.send(path.to_owned()).is_err();
            let mut watch = Watch::joining(matters, || {}).unwrap();
            watch.join(directory).unwrap();
            (watch, told)
        };
        let wait_for = |told: &mpsc::Receiver<PathBuf>, path: PathBuf| {
            while told.recv_timeout(SOON).expect("it must be told") != path {}
        };
        let ((one, told_one), (two, told_two)) = (watch(&real), watch(&link));
        write_atomic(real.join("this"), b"1").unwrap();
        wait_for(&told_one, real.join("this"));
        wait_for(&told_two, link.join("this"));
        drop(one);
        write_atomic(real.join("that"), b"1").unwrap();
        wait_for(&told_two, link.join("that"));
        assert!(told_one.iter().all(|path| path != real.join("that")));
        drop(two);
    }

    #[test]
    fn a_directory_that_came_anew_is_watched_when_it_is_joined_again() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("d");
        std::fs::create_dir(&directory).unwrap();
        let (tell, told) = mpsc::channel();
        let mut watch = Watch::new([&directory], move || tell.send(()).unwrap()).unwrap();
        std::fs::remove_dir(&directory).unwrap();
        told.recv_timeout(SOON).expect("that it goes is told");
        std::fs::create_dir(&directory).unwrap();
        watch.join(&directory).unwrap();
        while told.try_recv().is_ok() {}
        write_atomic(directory.join("a"), b"1").unwrap();
        told.recv_timeout(SOON).expect("what is in it is told");
    }
}
