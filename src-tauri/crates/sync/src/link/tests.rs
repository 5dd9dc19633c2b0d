#[path = "tests/asking.rs"]
mod asking;
#[path = "tests/exchanged.rs"]
mod exchanged;
#[path = "tests/guarding.rs"]
mod guarding;
#[path = "tests/keeping.rs"]
mod keeping;
#[path = "tests/laws.rs"]
mod laws;
#[path = "tests/leaving.rs"]
mod leaving;
#[path = "tests/looking_back.rs"]
mod looking_back;
#[path = "tests/made.rs"]
mod made;
#[path = "tests/merging.rs"]
mod merging;
#[path = "tests/odd.rs"]
mod odd;
#[path = "tests/roomy.rs"]
mod roomy;
#[path = "tests/staging.rs"]
mod staging;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::look::RULE_LOOKS;
use super::*;
use mizzen_sync_core::Halt;

use crate::apply::{Applied, Durability};
use crate::base::LinkId;
use crate::endpoint::{
    LocalEndpoint, LocalOptions, OpenSide, RemoteEndpoint, ServeOptions, TakeBack, serve,
};
use crate::root::Root;
use crate::rule_source::RuleSource;
use crate::scan::Links;
use crate::trash::{Recall, Retention, Trash};

/// So long after all that a test does that every file is settled; later each time.
fn late() -> i64 {
    static TICKS: AtomicI64 = AtomicI64::new(i64::MAX / 2);
    TICKS.fetch_add(1000, Ordering::Relaxed)
}

struct Fixture {
    folder: TempDir,
    options: LinkOptions,
    meter: Arc<Meter>,
    served: Mutex<Vec<thread::JoinHandle<()>>>,
}

/// What goes over a wire, and how much of it may.
struct Meter {
    sent: AtomicU64,
    left: AtomicU64,
}

impl Meter {
    fn pass(&self, bytes: usize) -> std::io::Result<()> {
        let bytes = bytes as u64;
        let left = self.left.load(Ordering::SeqCst).checked_sub(bytes);
        let left = left.ok_or(std::io::ErrorKind::BrokenPipe)?;
        self.left.store(left, Ordering::SeqCst);
        self.sent.fetch_add(bytes, Ordering::SeqCst);
        Ok(())
    }
}

/// A stream that is cut when its meter says so, for both ends.
struct Metered(UnixStream, Arc<Meter>);

impl Metered {
    fn passed(&self, bytes: usize) -> std::io::Result<usize> {
        match self.1.pass(bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => {
                self.0.shutdown(std::net::Shutdown::Both)?;
                Err(error)
            }
        }
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.passed(read)
    }
}

impl Write for Metered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.passed(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Fixture {
    fn new(mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for dir in ["host", "container", "state"] {
            fs::create_dir(folder.path().join(dir)).unwrap();
        }
        let brake = Brake::default();
        let options = LinkOptions {
            mode,
            brake,
            guards_rules: false,
            now: late,
            names: FOLDER_NAMES,
        };
        let meter = Arc::new(Meter {
            sent: 0.into(),
            left: u64::MAX.into(),
        });
        Self {
            folder,
            options,
            meter,
            served: Mutex::default(),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, contents: &str) {
        write(&self.path(path), contents);
    }

    fn side(&self, name: &str) -> Box<dyn Endpoint> {
        if name == "container" && module_path!().ends_with("over_a_wire") {
            return Box::new(self.served(name));
        }
        let trash = Trash::open(self.path(&format!("state/trash-{name}"))).unwrap();
        let options = LocalOptions {
            size_max: 1 << 30,
            links: Links::Portable,
            look_for_secrets: true,
            umask: 0o022,
            durability: Durability::None,
            memory: self.path(&format!("state/seen-{name}")),
            now: late,
        };
        let root = Root::open(self.path(name)).unwrap();
        Box::new(LocalEndpoint::new(root, trash, options))
    }

    /// A side at the other end of a stream.
    fn served(&self, name: &str) -> RemoteEndpoint {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        let served = thread::spawn(move || {
            let options = ServeOptions {
                umask: 0o022,
                retention: Retention {
                    age: Duration::MAX,
                    bytes: u64::MAX,
                },
                now: late,
            };
            // A wire that is cut is an error here.
            let _ = serve(theirs.try_clone().expect("a socket"), theirs, &options);
        });
        self.served.lock().expect("a test").push(served);
        let side = OpenSide {
            path: self.path(name),
            size_max: 1 << 30,
            links: Links::Portable,
            look_for_secrets: true,
            durability: Durability::None,
        };
        let [from, to] = [ours.try_clone().expect("a socket"), ours];
        let [from, to] = [from, to].map(|half| Metered(half, self.meter.clone()));
        RemoteEndpoint::open(from, to, side).expect("a folder")
    }

    /// A link as a new process opens it.
    fn link(&self) -> Link {
        let opened = BaseStore::open(self.path("state"), LinkId::new([&b"test"[..]])).unwrap();
        let texts = TextStore::new(self.path("state/texts"), 1 << 20);
        let sides = Both {
            host: self.side("host"),
            container: self.side("container"),
        };
        let mut link = Link::new(sides, self.options, opened.store, texts, opened.base);
        link.write_down(Journal::new(&self.path("state")));
        link
    }

    fn once(&self) -> Result<Cycle, CycleError> {
        self.link().cycle(&Both::everything(), false)
    }

    fn tree(&self, side: &str) -> Vec<String> {
        let mut told = Vec::new();
        tell(&self.path(side), &self.path(side), &mut told);
        told.sort();
        told
    }

    fn check_same(&self, expected: &[&str]) {
        assert_eq!(self.tree("host"), expected);
        assert_eq!(self.tree("container"), expected);
    }
}

#[expect(clippy::disallowed_methods, reason = "people write without care")]
fn write(path: &Path, contents: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "people remove without care")]
fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

fn tell(root: &Path, dir: &Path, told: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(".mizzen-tmp-") {
            continue;
        }
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if path.is_symlink() {
            told.push(format!(
                "{name}->{}",
                fs::read_link(&path).unwrap().display()
            ));
        } else if path.is_dir() {
            told.push(format!("{name}/"));
            tell(root, &path, told);
        } else {
            told.push(format!(
                "{name}={}",
                fs::read_to_string(&path).unwrap_or_default()
            ));
        }
    }
}

#[test]
fn what_each_side_has_comes_to_the_other() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    fixture.write("container/below/b", "2");
    symlink("a", fixture.path("host/link")).unwrap();
    let cycle = fixture.once().unwrap();
    assert!(cycle.is_in_step());
    fixture.check_same(&["a=1", "below/", "below/b=2", "link->a"]);

    let again = fixture.once().unwrap();
    let done = |applied: &Applied| applied.done.len();
    assert_eq!(
        (done(&again.applied.host), done(&again.applied.container)),
        (0, 0)
    );
}

#[test]
fn a_deletion_goes_over_and_is_kept_in_the_trash() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    for name in ["a", "b", "c"] {
        fixture.write(&format!("host/{name}"), name);
    }
    fixture.once().unwrap();
    remove(&fixture.path("container/b"));
    fixture.once().unwrap();
    fixture.check_same(&["a=a", "c=c"]);
    let trash = fixture.tree("state/trash-host");
    assert!(trash.iter().any(|entry| entry.ends_with("=b")), "{trash:?}");
}

#[test]
fn changes_that_do_not_go_together_are_left_to_a_person() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/text", "one\n");
    fixture.write("host/other", "1");
    fixture.once().unwrap();
    fixture.write("host/text", "host\n");
    fixture.write("container/text", "container\n");
    fixture.write("host/other", "22");
    let cycle = fixture.once().unwrap();
    assert_eq!(cycle.conflicts.len(), 1);
    assert!(!cycle.is_in_step());
    assert_eq!(fixture.tree("host"), ["other=22", "text=host\n"]);
    assert_eq!(fixture.tree("container"), ["other=22", "text=container\n"]);
}

#[test]
fn a_side_that_was_emptied_or_is_gone_stops_the_link() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    fixture.once().unwrap();
    remove(&fixture.path("container/a"));
    let error = fixture.once().unwrap_err();
    assert!(
        matches!(
            error,
            CycleError::Halted(Halt::RootEmptied(Side::Container))
        ),
        "{error}"
    );

    let mut link = fixture.link();
    remove(&fixture.path("container"));
    fs::create_dir(fixture.path("container")).unwrap();
    let error = link.cycle(&Both::everything(), false).unwrap_err();
    assert!(
        matches!(
            error,
            CycleError::Halted(Halt::RootMissing(Side::Container))
        ),
        "{error}"
    );
    assert_eq!(fixture.tree("host"), ["a=1"]);

    fixture.link().cycle(&Both::everything(), true).unwrap();
    fixture.check_same(&[]);
}

#[test]
fn a_root_that_goes_before_the_first_look_is_not_made_again() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let mut link = fixture.link();
    remove(&fixture.path("container"));
    for consent in [false, true] {
        let error = link.cycle(&Both::everything(), consent).unwrap_err();
        match error {
            CycleError::Halted(Halt::RootMissing(Side::Container)) => assert!(!consent),
            CycleError::Apply(Side::Container, _) => assert!(consent),
            error => panic!("{error}"),
        }
    }
    assert!(!fixture.path("container").exists());
    assert_eq!(fixture.tree("host"), ["a=1"]);
}

#[test]
fn a_side_tells_of_its_cycles_and_takes_them_back() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    fixture.write("host/b", "1");
    fixture.once().unwrap();
    fixture.write("host/a", "22");
    fixture.write("host/b", "22");
    let cycle = fixture.once().unwrap();
    assert_eq!(cycle.applied.container.cycle, Some(cycle.id));

    let mut side = fixture.side("container");
    let history = side.history(&Recall::last(1)).unwrap();
    assert_eq!((history[0].id, history[0].places), (cycle.id, 2));
    side.look(&Dirty::All, None).unwrap();
    let [a, b] = [&b"a"[..], b"b"].map(|path| RelPath::new(path).unwrap());
    let place = TakeBack::Place(cycle.id, a);
    let taken = side.take_back(cycle.id.next(), &place).unwrap().unwrap();
    assert_eq!(taken.applied.cycle, Some(cycle.id.next()));
    assert_eq!(fixture.tree("container"), ["a=1", "b=22"]);

    fixture.write("container/b", "333");
    side.look(&Dirty::All, None).unwrap();
    let whole = TakeBack::Cycle(cycle.id);
    let taken = side.take_back(cycle.id.next(), &whole).unwrap().unwrap();
    assert_eq!((taken.refused, taken.applied.done.len()), (vec![b], 0));
    let never = TakeBack::Cycle(CycleId(7));
    let taken = side.take_back(cycle.id.next(), &never).unwrap();
    assert!(taken.is_none());
}

#[test]
fn only_what_is_dirty_is_looked_at() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a/one", "1");
    fixture.write("host/b/two", "1");
    let mut link = fixture.link();
    link.cycle(&Both::everything(), false).unwrap();
    fixture.write("host/a/one", "22");
    fixture.write("host/b/two", "22");
    let mut dirty = Both::<Dirty>::default();
    dirty.host.add(&RelPath::new(b"a").unwrap());
    let cycle = link.cycle(&dirty, false).unwrap();
    assert_eq!(cycle.hashed.host, 1);
    assert_eq!(
        fixture.tree("container"),
        ["a/", "a/one=22", "b/", "b/two=1"]
    );
}

#[test]
fn what_the_host_ignores_is_not_carried_and_stays_where_it_is() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/.gitignore", "/out\n");
    fixture.write("host/out/a", "1");
    fixture.write("host/b", "1");
    fixture.write("container/out/c", "1");
    let mut link = fixture.link();
    let rules = RuleSource::new(&fixture.path("host"), None, None).unwrap();
    link.ruled_by(rules).unwrap();
    link.cycle(&Both::everything(), false).unwrap();
    let theirs = [".gitignore=/out\n", "b=1", "out/", "out/c=1"];
    assert_eq!(fixture.tree("container"), theirs);

    // A rule that goes counts at once.
    remove(&fixture.path("host/.gitignore"));
    link.cycle(&Both::everything(), false).unwrap();
    fixture.check_same(&["b=1", "out/", "out/a=1", "out/c=1"]);

    // So does one that comes from the container.
    fixture.write("container/mizzen.toml", "[sync]\nignore = [\"b\"]\n");
    link.cycle(&Both::everything(), false).unwrap();
    link.cycle(&Both::everything(), false).unwrap();
    remove(&fixture.path("container/b"));
    link.cycle(&Both::everything(), false).unwrap();
    assert!(fixture.path("host/b").exists());
}

#[test]
fn rules_that_came_while_nobody_looked_hold_in_the_first_cycle() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let memory = fixture.path("state/rules");
    let cycle = || {
        let rules = RuleSource::new(&fixture.path("host"), None, None).unwrap();
        let mut link = fixture.link();
        link.ruled_by(rules.remembered_in(memory.clone())).unwrap();
        link.cycle(&Both::everything(), false).unwrap();
        link.rest();
    };
    fixture.write("host/.gitignore", "gone\n");
    fixture.write("host/a/kept", "1");
    cycle();
    // Each lies where only the one above it lets anybody look, and more of them than there are looks.
    let mut dir = "host/a".to_owned();
    for _ in 0..2 * RULE_LOOKS {
        fixture.write(&format!("{dir}/.gitignore"), "out\n!/in\n");
        fixture.write(&format!("{dir}/out/x"), "1");
        dir += "/in";
        fixture.write(&format!("{dir}/file"), "1");
    }
    fixture.write("host/.gitignore", "in\n");
    cycle();
    let carried = fixture.tree("container");
    let ends = |end: &str| carried.iter().filter(|path| path.ends_with(end)).count();
    assert_eq!((ends("file=1"), ends("x=1")), (2 * RULE_LOOKS, 0));

    // What is kept is a hint and no more.
    for (kept, number) in [
        (&b""[..], 1),
        (b"no places at all, but long enough for some", 2),
    ] {
        mizzen_fsx::write_atomic(&memory, kept).unwrap();
        fixture.write("host/b/.gitignore", "secret*\n");
        fixture.write(&format!("host/b/secret{number}"), "1");
        fixture.write(&format!("host/b/shown{number}"), "1");
        cycle();
        assert!(fixture.path(&format!("container/b/shown{number}")).exists());
        assert!(
            !fixture
                .path(&format!("container/b/secret{number}"))
                .exists()
        );
    }
}

#[test]
fn the_process_after_a_first_copy_reads_nothing_that_was_copied() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    // What is as new as its copy may change once more without a trace.
    let write_long_ago = |path: &str, contents: &str, hours| {
        fixture.write(path, contents);
        let file = fs::File::open(fixture.path(path)).unwrap();
        let time = UNIX_EPOCH + Duration::from_hours(hours);
        file.set_modified(time).unwrap();
    };
    for path in ["host/a", "host/d/b", "host/d/e/c", "host/d/e/like c"] {
        write_long_ago(path, &path[5..6], 1);
    }
    let process = || {
        let mut link = fixture.link();
        let cycle = link.cycle(&Both::everything(), false).unwrap();
        link.rest();
        (cycle.hashed.host, cycle.hashed.container)
    };
    assert_eq!(process(), (4, 0));
    assert_eq!(process(), (0, 0));
    assert_eq!(process(), (0, 0));
    // Of what both hold already, what came since is as little to be read.
    write_long_ago("host/a", "2", 2);
    assert_eq!(process(), (1, 0));
    assert_eq!(process(), (0, 0));
    fixture.write("container/d/b", "3");
    assert_eq!(process().1, 1);
    fixture.check_same(&["a=2", "d/", "d/b=3", "d/e/", "d/e/c=d", "d/e/like c=d"]);
}

#[test]
fn the_next_process_reads_nothing_that_did_not_change() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    fixture.once().unwrap();
    let mut link = fixture.link();
    link.cycle(&Both::everything(), false).unwrap();
    link.rest();
    let cycle = fixture.once().unwrap();
    assert_eq!((cycle.hashed.host, cycle.hashed.container), (0, 0));
}
