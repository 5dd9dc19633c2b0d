mod laws;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};

use mizzen_sync_core::{Node, RuleTexts};
use tempfile::TempDir;

use super::*;
use crate::scan::{Dirty, Found, Links, Made, Scan, ScanOptions, scan, scan_watched};

/// Nothing that is told takes that long, however busy the machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A root that is watched, and what was seen of it last.
struct Rig {
    folder: TempDir,
    root: Root,
    rules: Arc<Rules>,
    watcher: Watcher,
    woken: Receiver<()>,
    last: Option<Scan>,
    made: Made,
}

impl Rig {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut WatchOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        let root = Root::open(folder.path().join("root")).unwrap();
        let texts = RuleTexts {
            ignore: vec!["ignored".to_owned(), "*.log".to_owned(), "out/".to_owned()],
            ..RuleTexts::default()
        };
        let rules = Arc::new(Rules::new(&texts).unwrap());
        let mut options = WatchOptions {
            rules: rules.clone(),
            poll_every: Duration::from_secs(3600),
            watches_max: usize::MAX,
        };
        change(&mut options);
        let (wake, woken) = mpsc::channel();
        let woke = move || {
            // Nobody listens any more to a rig that is being dropped.
            let _ = wake.send(());
        };
        Self {
            watcher: Watcher::start(&root, &options, woke).unwrap(),
            folder,
            root,
            rules,
            woken,
            last: None,
            made: Made::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    fn write(&self, name: &str, contents: &[u8]) {
        write(&self.path(name), contents);
    }

    fn options(&self) -> ScanOptions<'_> {
        ScanOptions {
            rules: &self.rules,
            size_max: u64::MAX,
            links: Links::Posix,
            look_for_secrets: false,
            now: || 0,
            made: &self.made,
            agreed: None,
        }
    }

    /// Looks at what is dirty; tells what was.
    fn look(&mut self) -> (News, Found) {
        let news = self.watcher.take();
        let last = self.last.as_ref();
        let found = scan_watched(
            &self.root,
            &self.options(),
            last,
            &news.dirty,
            &self.watcher,
        )
        .unwrap();
        self.last = Some(found.scan.clone());
        (news, found)
    }

    /// Looks until there is no news, and compares with a look at everything.
    fn check(&mut self) {
        while !self.look().0.dirty.is_empty() {}
        let seen = self.last.as_ref().unwrap().tree();
        let whole = scan(&self.root, &self.options(), None, &Dirty::All).unwrap();
        let mut differ = Vec::new();
        compare(&seen, &whole.scan.tree(), &RelPath::root(), &mut differ);
        assert!(differ.is_empty(), "{differ:?}");
    }

    /// What is told to be dirty, as paths; waits until somebody is woken for it.
    fn told(&mut self) -> BTreeSet<String> {
        self.woken.recv_timeout(DEADLINE).expect("a change is told");
        paths(&self.look().0.dirty)
    }

    /// Directories that are watched.
    fn watched(&self) -> usize {
        self.watcher.shared.source.watched()
    }

    /// Directories that were seen.
    fn seen(&self) -> usize {
        fn count(node: &Node) -> usize {
            let below = node
                .as_dir()
                .map(|dir| dir.iter().map(|(_, node)| count(node)).sum());
            below.map_or(0, |below: usize| below + 1)
        }
        count(&self.last.as_ref().unwrap().tree())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side that writes without care"
)]
fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side that writes without care"
)]
fn rename(from: PathBuf, to: PathBuf) {
    fs::rename(from, to).unwrap();
}

fn paths(dirty: &Dirty) -> BTreeSet<String> {
    fn collect(dirty: &Dirty, at: &RelPath, paths: &mut BTreeSet<String>) {
        match dirty {
            Dirty::All => {
                paths.insert(at.to_string());
            }
            Dirty::Below(names) => names
                .iter()
                .for_each(|(name, dirty)| collect(dirty, &at.join(name), paths)),
        }
    }
    let mut paths = BTreeSet::new();
    collect(dirty, &RelPath::root(), &mut paths);
    paths
}

fn compare(one: &Node, two: &Node, at: &RelPath, differ: &mut Vec<String>) {
    match (one, two) {
        (Node::Dir(one), Node::Dir(two)) => {
            let names = one.iter().chain(two.iter()).map(|(name, _)| name);
            for name in names.collect::<BTreeSet<_>>() {
                let at = at.join(name);
                match (one.get(name.as_bytes()), two.get(name.as_bytes())) {
                    (Some(one), Some(two)) => compare(one, two, &at, differ),
                    (one, two) => differ.push(format!("{at}: seen {one:?}, is {two:?}")),
                }
            }
        }
        (one, two) if one == two => {}
        (one, two) => differ.push(format!("{at}: seen {one:?}, is {two:?}")),
    }
}

/// A change of the folder in the rig, and the paths that it makes dirty.
type Row = (&'static str, fn(&Rig), &'static [&'static str]);

#[test]
fn each_kind_of_change_is_told_by_its_path() {
    let rows: &[Row] = &[
        ("a file is created", |rig| rig.write("new", b"1"), &["new"]),
        (
            "an empty one",
            |rig| drop(File::create(rig.path("empty"))),
            &["empty"],
        ),
        ("a file is changed", |rig| rig.write("d/a", b"22"), &["d/a"]),
        (
            "in place, to the same length",
            |rig| {
                let mut file = OpenOptions::new()
                    .write(true)
                    .open(rig.path("d/a"))
                    .unwrap();
                file.write_all(b"33").unwrap();
            },
            &["d/a"],
        ),
        (
            "it is made executable",
            |rig| {
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(rig.path("d/a"), mode).unwrap();
            },
            &["d/a"],
        ),
        (
            "its time is set",
            |rig| {
                let file = File::open(rig.path("d/a")).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            },
            &["d/a"],
        ),
        (
            "a file is cut",
            |rig| {
                let file = OpenOptions::new()
                    .write(true)
                    .open(rig.path("d/a"))
                    .unwrap();
                file.set_len(0).unwrap();
            },
            &["d/a"],
        ),
        (
            "another takes its place",
            |rig| {
                rig.write("d/a.tmp", b"4");
                rename(rig.path("d/a.tmp"), rig.path("d/a"));
            },
            &["d/a", "d/a.tmp"],
        ),
        (
            "a hard link",
            |rig| {
                fs::hard_link(rig.path("d/a"), rig.path("d/b")).unwrap();
            },
            &["d/b"],
        ),
        ("a link", |rig| symlink("d", rig.path("l")).unwrap(), &["l"]),
        (
            "it is removed",
            |rig| fs::remove_file(rig.path("l")).unwrap(),
            &["l"],
        ),
        (
            "a directory",
            |rig| fs::create_dir(rig.path("e")).unwrap(),
            &["e"],
        ),
        ("a file in it", |rig| rig.write("e/f", b"1"), &["e/f"]),
        (
            "it is moved",
            |rig| rename(rig.path("e"), rig.path("d/e")),
            &["d/e", "e"],
        ),
        (
            "a file in it is changed",
            |rig| rig.write("d/e/f", b"2"),
            &["d/e/f"],
        ),
        (
            "a file in it is removed",
            |rig| {
                fs::remove_file(rig.path("d/e/f")).unwrap();
            },
            &["d/e/f"],
        ),
        (
            "it is removed",
            |rig| fs::remove_dir(rig.path("d/e")).unwrap(),
            &["d/e"],
        ),
        ("a tree at once", |rig| rig.write("t/u/v", b"1"), &["t"]),
        ("deep in it", |rig| rig.write("t/u/v", b"2"), &["t/u/v"]),
        (
            "a file of rules",
            |rig| rig.write("t/.gitignore", b"v"),
            &["t/.gitignore"],
        ),
    ];
    let mut rig = Rig::new();
    rig.write("d/a", b"1");
    rig.check();
    for (what, change, expected) in rows {
        change(&rig);
        let expected: BTreeSet<String> = expected.iter().map(|path| (*path).to_owned()).collect();
        let mut told = rig.told();
        // More of the same change may come later than the first news.
        while told != expected {
            told.extend(rig.told());
            assert!(told.is_subset(&expected), "{what}: {told:?}");
        }
        rig.check();
        assert_eq!(rig.watched(), rig.seen(), "{what}");
        while rig.woken.try_recv().is_ok() {}
    }
    assert_eq!(rig.watcher.polling(), None);
}

#[test]
fn a_directory_that_comes_is_watched_before_anybody_looks() {
    let mut rig = Rig::new();
    rig.write("d/a", b"1");
    rig.check();
    fs::create_dir(rig.path("d/new")).unwrap();
    fs::create_dir(rig.path("d/out")).unwrap();
    let _news = rig.watcher.take();
    assert_eq!(rig.watched(), 3, "the root, d and d/new");
    rig.watcher.shared.drain();
    rig.write("d/new/a", b"1");
    let told = rig.watcher.shared.drain();
    assert!(told.events > 0 || !rig.watcher.shared.pending().is_empty());
    rig.check();
    assert_eq!(rig.watched(), 3);
}

#[test]
fn what_is_not_carried_is_neither_watched_nor_told() {
    let mut rig = Rig::new();
    for file in [
        "d/a",
        "ignored/deep/a",
        "out/a",
        "d/out/a",
        ".git/objects/a",
    ] {
        rig.write(file, b"1");
    }
    rig.check();
    assert_eq!(rig.watched(), 2, "the root and d");
    for file in [
        "d/a.log",
        "ignored/deep/a",
        "ignored/b",
        "d/out/a",
        ".git/index",
    ] {
        rig.write(file, b"2");
    }
    rename(rig.path("ignored/deep"), rig.path("out/deep"));
    rig.write("d/.mizzen-tmp-1/a", b"2");
    assert_eq!(rig.watcher.take(), News::default());
    rename(rig.path("d/out"), rig.path("d/in"));
    rig.write("d/in/a", b"3");
    rig.check();
    assert_eq!(rig.watched(), 3);
    rename(rig.path("d/in"), rig.path("out/in"));
    rig.write("out/in/a", b"4");
    assert_eq!(paths(&rig.look().0.dirty), ["d/in".to_owned()].into());
    assert_eq!(rig.watched(), 2);
}

#[test]
fn rules_that_change_are_told_even_where_they_are_not_carried() {
    let mut rig = Rig::new();
    rig.write(".gitignore", b"x");
    let (first, _) = rig.look();
    assert_eq!(first.rescan, Some(Rescan::Start));
    rig.write("x", b"1");
    assert!(!rig.watcher.take().rules);
    for file in [".gitignore", "mizzen.toml"] {
        rig.write(file, b"y");
        assert!(rig.watcher.take().rules, "{file}");
    }
}

#[test]
fn all_that_was_done_before_is_taken() {
    let mut rig = Rig::new();
    rig.check();
    for number in 0..1000 {
        let name = format!("{}/{number}", number % 10);
        rig.write(&name, b"1");
        let mut dirty = rig.look().0.dirty;
        let path = RelPath::new(name.as_bytes()).unwrap();
        assert!(!dirty.add(&path), "{name} in {dirty:?}");
    }
}

#[test]
fn a_file_that_stays_open_is_told_as_it_grows() {
    let mut rig = Rig::new();
    rig.write("growing", b"");
    rig.check();
    while rig.woken.try_recv().is_ok() {}
    let mut file = OpenOptions::new()
        .append(true)
        .open(rig.path("growing"))
        .unwrap();
    for length in 1..=3 {
        file.write_all(b"x").unwrap();
        assert_eq!(rig.told(), ["growing".to_owned()].into());
        let seen = rig.last.as_ref().unwrap().tree();
        let seen = seen.get(&RelPath::new(b"growing").unwrap()).cloned();
        assert_eq!(seen.unwrap().as_file().unwrap().size, length);
    }
}

#[test]
fn a_file_written_over_and_over_is_seen_as_it_was_left() {
    let mut rig = Rig::new();
    rig.write("hot", b"0000");
    rig.check();
    let path = rig.path("hot");
    let writer = thread::spawn(move || {
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        for number in 0..20_000 {
            file.rewind().unwrap();
            write!(file, "{:04}", number % 10_000).unwrap();
        }
    });
    while !writer.is_finished() {
        let _late = rig.woken.recv_timeout(Duration::from_millis(1));
        rig.look();
    }
    writer.join().unwrap();
    rig.check();
}

#[test]
fn after_a_storm_all_of_it_was_told() {
    let mut rig = Rig::new();
    rig.check();
    let path = rig.path("");
    let writer = thread::spawn(move || {
        for number in 0..20_000 {
            let dir = format!("{}/{}", number / 50 % 7, number / 50);
            write(&path.join(format!("{dir}/{number}")), b"1");
        }
    });
    while !writer.is_finished() {
        if rig.woken.recv_timeout(DEADLINE).is_ok() {
            rig.look();
        }
    }
    writer.join().unwrap();
    rig.check();
    let seen = rig.last.as_ref().unwrap().tree();
    assert!(seen.count() > 20_000);
}

#[test]
fn when_the_system_drops_events_everything_is_dirty() {
    let mut rig = Rig::new();
    rig.write("d/e/a", b"1");
    rig.check();
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    {
        let _held = rig.watcher.shared.pending();
        rename(rig.path("d/e"), rig.path("moved"));
        for number in 0..=most.trim().parse::<usize>().unwrap() {
            File::create(rig.path(&format!("d/{number}"))).unwrap();
        }
    }
    let news = rig.look().0;
    assert_eq!(news.dirty, Dirty::All);
    assert_eq!(news.rescan, Some(Rescan::Overflow));
    rig.check();
    assert_eq!(rig.watched(), 3, "the root, d and moved");
    rig.write("moved/a", b"2");
    assert_eq!(
        paths(&rig.watcher.take().dirty),
        ["moved/a".to_owned()].into()
    );
}

#[test]
fn without_watches_for_all_it_says_so_and_polls_until_there_are() {
    let mut rig = Rig::with(|options| {
        options.watches_max = 3;
        options.poll_every = Duration::from_millis(20);
    });
    for dir in ["a", "b", "c", "d"] {
        rig.write(&format!("{dir}/file"), b"1");
    }
    rig.look();
    let polling = rig.watcher.polling().unwrap();
    assert_eq!(polling, Polling::Watches { watched: 3 });
    assert!(polling.to_string().contains("fs.inotify.max_user_watches"));
    rig.write("d/file", b"22");
    let deadline = Instant::now() + DEADLINE;
    loop {
        rig.woken.recv_timeout(DEADLINE).unwrap();
        let (news, _) = rig.look();
        if news.rescan == Some(Rescan::Poll) {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    let seen = rig.last.as_ref().unwrap().tree();
    let file = seen.get(&RelPath::new(b"d/file").unwrap()).unwrap();
    assert_eq!(file.as_file().unwrap().size, 2);
    for dir in ["a", "b"] {
        fs::remove_file(rig.path(&format!("{dir}/file"))).unwrap();
        fs::remove_dir(rig.path(dir)).unwrap();
    }
    while rig.watcher.polling().is_some() {
        rig.woken.recv_timeout(DEADLINE).unwrap();
        rig.look();
        assert!(Instant::now() < deadline);
    }
    rig.check();
    rig.write("d/file", b"333");
    assert!(
        !rig.watcher
            .take()
            .dirty
            .add(&RelPath::new(b"d/file").unwrap())
    );
}

#[test]
fn a_root_that_goes_is_told() {
    let ways: [fn(&Rig); 2] = [
        |rig| fs::remove_dir(rig.path("")).unwrap(),
        |rig| rename(rig.path(""), rig.folder.path().join("elsewhere")),
    ];
    for way in ways {
        let mut rig = Rig::new();
        rig.check();
        File::create(rig.folder.path().join("beside")).unwrap();
        fs::remove_file(rig.folder.path().join("beside")).unwrap();
        assert_eq!(rig.watcher.take(), News::default());
        way(&rig);
        rig.woken.recv_timeout(DEADLINE).unwrap();
        assert_eq!(rig.watcher.take().rescan, Some(Rescan::Root));
    }
}

#[test]
fn what_was_moved_out_of_the_root_is_not_told_any_more() {
    let mut rig = Rig::new();
    rig.write("d/e/a", b"1");
    rig.check();
    let outside = rig.folder.path().join("outside");
    rename(rig.path("d"), outside.clone());
    assert_eq!(paths(&rig.look().0.dirty), ["d".to_owned()].into());
    write(&outside.join("e/a"), b"2");
    assert_eq!(rig.watcher.take(), News::default());
    assert_eq!(rig.watched(), 1);
    rename(outside, rig.path("back"));
    rig.write("back/e/a", b"3");
    rig.check();
    assert_eq!(rig.watched(), 3);
}

#[test]
fn a_watcher_that_is_dropped_calls_nobody_any_more() {
    let rig = Rig::new();
    let Rig { watcher, woken, .. } = rig;
    drop(watcher);
    assert_eq!(
        woken.recv_timeout(DEADLINE),
        Err(RecvTimeoutError::Disconnected)
    );
}
