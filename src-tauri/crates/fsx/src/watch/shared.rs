//! Two watchers of the system's for all watches of this process: Linux has 128 of them for all programs of a user, and a
//! core has a watch for each session. Whoever wants any change is told at once; whole files come from many, and each is
//! waited for a little while others come.

#[path = "shared/pace.rs"]
mod pace;
#[path = "shared/table.rs"]
mod table;

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use super::Wanted;
use pace::Pace;
use table::{Hearer, Place, Table};

/// Reads, and the end of writes, are no changes: each event may wake a processor.
const CHANGES: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::EXCL_UNLINK);

/// Whoever follows one file wants it whole: closed by who wrote it, or moved to its name. What is written before that, here
/// or to a file that is about to take its place, wakes nobody.
const WHOLE_FILES: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::EXCL_UNLINK);

/// Events within this time of one that is told are told together: one wake of a processor, from however many they come.
const WINDOW: Duration = Duration::from_millis(10);
const WINDOW_OF_FILES: Duration = Duration::from_millis(50);
/// Some two hundred events.
const BUFFER: usize = 8 * 1024;

/// Those there are, as long as somebody watches.
static OF_CHANGES: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
static OF_FILES: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

struct Shared {
    wanted: WatchFlags,
    system: Arc<System>,
    table: Arc<Mutex<Table>>,
}

/// What the system gives.
struct System {
    inotify: OwnedFd,
    /// Written when nobody watches any more.
    end: OwnedFd,
}

/// Where events come from; they end when it is dropped.
pub(super) struct Source {
    number: u64,
    shared: Arc<Shared>,
}

impl Source {
    pub(super) fn new(
        wanted: Wanted,
        matters: impl Fn(&Path) -> bool + Send + 'static,
        on_hint: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Shared::get(wanted)?;
        let number = shared.table().add(Hearer {
            matters: Box::new(matters),
            on_hint: Box::new(on_hint),
        });
        Ok(Self { number, shared })
    }

    pub(super) fn join(&mut self, directory: &Path) -> io::Result<()> {
        // Locked until the place is known: an event may come at once.
        let mut table = self.shared.table();
        let watch = self.shared.system.add(directory, self.shared.wanted)?;
        let place = Place {
            source: self.number,
            name: directory.to_owned(),
        };
        if table
            .directories
            .get(&watch)
            .is_some_and(|it| it.contains(&place))
        {
            return Ok(());
        }
        // Another directory may have had the name.
        let deserted = table.leave(self.number, Some(directory));
        table.directories.entry(watch).or_default().push(place);
        self.shared.system.remove(&deserted);
        Ok(())
    }

    pub(super) fn leave(&mut self, directory: &Path) {
        let deserted = self.shared.table().leave(self.number, Some(directory));
        self.shared.system.remove(&deserted);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut table = self.shared.table();
        let deserted = table.leave(self.number, None);
        let hearer = table.hearers.remove(&self.number);
        self.shared.system.remove(&deserted);
        // What it holds may be a watch.
        drop(table);
        drop(hearer);
    }
}

impl Shared {
    fn get(wanted: Wanted) -> io::Result<Arc<Self>> {
        let (place, wanted, window) = match wanted {
            Wanted::Changes => (&OF_CHANGES, CHANGES, WINDOW),
            Wanted::WholeFiles => (&OF_FILES, WHOLE_FILES, WINDOW_OF_FILES),
        };
        let mut current = held(place);
        if let Some(shared) = current.upgrade() {
            return Ok(shared);
        }
        let shared = Arc::new(Self {
            wanted,
            system: Arc::new(System::new()?),
            table: Arc::default(),
        });
        let (system, table) = (shared.system.clone(), shared.table.clone());
        thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || listen(&system, &table, window))?;
        *current = Arc::downgrade(&shared);
        Ok(shared)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        held(&self.table)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _full_already = rustix::io::write(&self.system.end, &1_u64.to_ne_bytes());
    }
}

impl System {
    fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        Ok(Self {
            inotify: inotify.map_err(|error| match error {
                Errno::MFILE => io::Error::other(
                    "other programs have all watchers that a user may have; raise fs.inotify.max_user_instances",
                ),
                error => error.into(),
            })?,
            end: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    fn add(&self, directory: &Path, changes: WatchFlags) -> io::Result<i32> {
        inotify::add_watch(&self.inotify, directory, changes).map_err(|error| match error {
            Errno::NOSPC => io::Error::other(
                "as many directories are watched as a user may watch; raise fs.inotify.max_user_watches",
            ),
            error => error.into(),
        })
    }

    fn remove(&self, watches: &[i32]) {
        for watch in watches {
            let _gone_already = inotify::remove_watch(&self.inotify, *watch);
        }
    }

    /// Waits until there are events; false when nobody watches any more.
    fn wait(&self) -> bool {
        let mut fds = [&self.inotify, &self.end].map(|fd| PollFd::new(fd, PollFlags::IN));
        // An interrupted wait is a short one.
        let _interrupted = poll(&mut fds, None);
        fds[1].revents().is_empty()
    }

    fn pause(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        let time = Timespec::try_from(time).ok();
        let _interrupted = poll(&mut [PollFd::new(&self.end, PollFlags::IN)], time.as_ref());
    }
}

/// Tells of events until nobody watches any more. What belongs together comes within a moment, and is told once.
fn listen(system: &System, table: &Mutex<Table>, window: Duration) {
    let mut buffer = Box::new_uninit_slice(BUFFER);
    let mut pace = Pace::new(window, Instant::now());
    loop {
        if pace.is_busy {
            system.pause(pace.rest(Instant::now()));
        }
        if !system.wait() {
            return;
        }
        let now = Instant::now();
        pace.came(now);
        // Only where there is more already: what nothing follows so soon wakes a processor once.
        system.pause(pace.rest(now));
        let is_told = held(table).hear(&system.inotify, &mut buffer);
        pace.heard(is_told, Instant::now());
    }
}

/// What a panic left is as good as it was: each step leaves the table whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::mpsc;

    use rustix::fs::inotify::Reader;

    use super::*;
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

    #[test]
    fn a_directory_that_went_elsewhere_is_told_no_more_under_the_name_of_the_one_that_came_to_its_place()
     {
        let top = tempfile::tempdir().unwrap();
        let (here, elsewhere) = (top.path().join("d"), top.path().join("e"));
        std::fs::create_dir(&here).unwrap();
        let (tell, told) = mpsc::channel();
        let matters = move |path: &Path| tell.send(path.to_owned()).is_err();
        let mut watch = Watch::joining(matters, || {}).unwrap();
        watch.join(&here).unwrap();
        rustix::fs::rename(&here, &elsewhere).unwrap();
        std::fs::create_dir(&here).unwrap();
        watch.join(&here).unwrap();
        write_atomic(elsewhere.join("a"), b"1").unwrap();
        write_atomic(here.join("b"), b"1").unwrap();
        let heard: Vec<_> = std::iter::from_fn(|| told.recv_timeout(SOON).ok())
            .take_while(|path| *path != here.join("b"))
            .collect();
        assert!(!heard.contains(&here.join("a")), "{heard:?}");
    }

    #[test]
    fn whole_files_and_all_changes_have_a_watcher_each() {
        let top = tempfile::tempdir().unwrap();
        let before = watchers();
        let file = Watch::of_file(top.path(), "a", || {}).unwrap();
        let other = Watch::of_file(top.path(), "b", || {}).unwrap();
        assert_eq!(watchers(), before + 1);
        let all = Watch::new([top.path()], || {}).unwrap();
        assert_eq!(watchers(), before + 2);
        drop((file, other, all));
    }

    #[test]
    fn reads_wake_nobody() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::File::create(dir.path().join("a")).unwrap();
        let system = System::new().unwrap();
        system.add(dir.path(), CHANGES).unwrap();
        assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), b"");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut reader = Reader::new(&system.inotify, &mut buffer);
        let next = reader.next();
        assert_eq!(next.map(|event| event.events()), Err(Errno::AGAIN));
    }

    #[test]
    fn that_the_system_dropped_events_is_a_hint_whatever_matters() {
        let queue = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let queue: usize = queue.trim().parse().unwrap();
        let top = tempfile::tempdir().unwrap();
        let (tell, told) = mpsc::channel();
        let gate = Arc::new(Mutex::new(()));
        let (reader, file) = (gate.clone(), top.path().join("a"));
        let nothing_matters = move |_: &Path| {
            drop(reader.lock().unwrap());
            false
        };
        let mut watch = Watch::joining(nothing_matters, move || tell.send(()).unwrap()).unwrap();
        watch.join(top.path()).unwrap();
        // Who reads events waits at the first of them.
        let held = gate.lock().unwrap();
        for _ in 0..queue {
            std::fs::File::create(&file).unwrap();
            std::fs::remove_file(&file).unwrap();
        }
        drop(held);
        told.recv_timeout(SOON * 6).expect("some were not told");
    }
}
