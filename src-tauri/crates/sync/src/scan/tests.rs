use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use mizzen_sync_core::RuleTexts;
use tempfile::TempDir;

use super::*;

/// So long after all that a test does that every file is settled.
fn late() -> i64 {
    i64::MAX
}

/// Before all that a test does: no file is settled.
fn early() -> i64 {
    0
}

struct Fixture {
    folder: TempDir,
    rules: Rules,
    now: fn() -> i64,
    links: Links,
}

impl Fixture {
    fn new() -> Self {
        let texts = RuleTexts {
            ignore: vec!["ignored".to_owned()],
            ..RuleTexts::default()
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            rules: Rules::new(&texts).unwrap(),
            now: late,
            links: Links::Portable,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, contents: &[u8]) {
        write(&self.path(name), contents);
    }

    fn look(&self, before: Option<&Scan>, dirty: &Dirty) -> Found {
        self.look_with(&Helpers::of_this_machine(), before, dirty)
    }

    fn look_with(&self, helpers: &Helpers, before: Option<&Scan>, dirty: &Dirty) -> Found {
        let root = Root::open(self.folder.path()).unwrap();
        let options = ScanOptions {
            rules: &self.rules,
            size_max: 1 << 20,
            links: self.links,
            look_for_secrets: true,
            now: self.now,
            made: &Made::default(),
            agreed: None,
        };
        look(&root, &options, before, dirty, None, helpers).unwrap()
    }

    /// The whole tree in words.
    fn seen(&self) -> Vec<String> {
        words(&self.look(None, &Dirty::All).scan)
    }
}

#[test]
fn whoever_helps_nothing_is_seen_otherwise() {
    let mut fixture = Fixture::new();
    fixture.now = early;
    for one in 0..5 {
        for two in 0..3 {
            for name in ["file", ".gitignore", ".env", "deep/deeper/file"] {
                fixture.write(&format!("{one}/{two}/{name}"), name.as_bytes());
            }
        }
    }
    let alone = fixture.look_with(&Helpers::new(0), None, &Dirty::All);
    assert_eq!((alone.hashed, alone.unsettled), (45, true));
    assert_eq!((alone.rule_files.len(), alone.withheld.len()), (15, 15));
    for free in [1, 2, 7] {
        let helpers = Helpers::new(free);
        let helped = fixture.look_with(&helpers, None, &Dirty::All);
        assert_eq!(words(&helped.scan), words(&alone.scan));
        assert_eq!((helped.hashed, helped.unsettled), (45, true));
        assert_eq!(helped.rule_files, alone.rule_files);
        assert_eq!(helped.withheld, alone.withheld);
        let back: Vec<_> = std::iter::from_fn(|| helpers.take()).collect();
        assert_eq!(back.len(), free);
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

fn words(scan: &Scan) -> Vec<String> {
    let mut words = Vec::new();
    tell(&scan.tree(), &RelPath::root(), &mut words);
    words
}

fn tell(node: &Node, path: &RelPath, words: &mut Vec<String>) {
    match node {
        Node::Dir(dir) => {
            if !path.is_root() {
                words.push(format!("{path}/"));
            }
            dir.iter()
                .for_each(|(name, child)| tell(child, &path.join(name), words));
        }
        Node::File(file) => {
            let executable = if file.executable { "*" } else { "" };
            words.push(format!("{path}={}{executable}", file.size));
        }
        Node::Link(target) => words.push(format!("{path}->{}", String::from_utf8_lossy(target))),
        Node::Unsyncable(why) => words.push(format!("{path}! {why:?}")),
    }
}

fn dirty(paths: &[&str]) -> Dirty {
    let mut dirty = Dirty::default();
    for path in paths {
        dirty.add(&RelPath::new(path.as_bytes()).unwrap());
    }
    dirty
}

#[test]
fn a_tree_is_seen_as_it_is() {
    let fixture = Fixture::new();
    fixture.write("b/deep/file", b"12345");
    fixture.write("a", b"");
    fixture.write("run", b"#!");
    fs::set_permissions(fixture.path("run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(fixture.path("empty")).unwrap();
    fixture.write("ignored/x", b"x");
    fixture.write(".git/HEAD", b"x");
    fixture.write(".env", b"x");
    let found = fixture.look(None, &Dirty::All);
    assert_eq!(
        words(&found.scan),
        ["a=0", "b/", "b/deep/", "b/deep/file=5", "empty/", "run=2*"]
    );
    assert_eq!(found.withheld, [RelPath::new(b".env").unwrap()]);
    let file = found
        .scan
        .tree()
        .get(&RelPath::new(b"b/deep/file").unwrap())
        .cloned();
    let digest = file.unwrap().as_file().unwrap().digest;
    assert_eq!(&digest.0, blake3::hash(b"12345").as_bytes());
}

#[test]
fn what_cannot_be_carried_is_a_problem_that_says_why() {
    let fixture = Fixture::new();
    let made = std::process::Command::new("mkfifo")
        .arg(fixture.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    fixture.write("large", &vec![0; (1 << 20) + 1]);
    fixture.write(
        "key",
        format!("-----BEGIN {}KEY-----\n", "PRIVATE ").as_bytes(),
    );
    assert_eq!(
        fixture.seen(),
        ["key! Secret", "large! TooLarge", "pipe! Special"]
    );
}

/// A terabyte of nothing is not read to find that out.
#[test]
fn a_socket_and_a_file_without_end_are_problems_and_are_not_read() {
    let fixture = Fixture::new();
    let _socket = std::os::unix::net::UnixListener::bind(fixture.path("socket")).unwrap();
    let file = fs::File::create(fixture.path("sparse")).unwrap();
    file.set_len(1 << 40).unwrap();
    assert_eq!(fixture.seen(), ["socket! Special", "sparse! TooLarge"]);
    assert_eq!(fixture.look(None, &Dirty::All).hashed, 0);
}

#[test]
fn links_are_carried_when_they_stay_inside() {
    let mut fixture = Fixture::new();
    fs::create_dir(fixture.path("d")).unwrap();
    for (name, target) in [
        ("d/up", "../x"),
        ("d/out", "../../x"),
        ("d/there-and-back", "../../root/x"),
        ("absolute", "/etc/passwd"),
        ("dangling", "nothing"),
        ("loop", "loop"),
    ] {
        symlink(target, fixture.path(name)).unwrap();
    }
    let portable = [
        "absolute! LinkOutside",
        "d/",
        "d/out! LinkOutside",
        "d/there-and-back! LinkOutside",
        "d/up->../x",
        "dangling->nothing",
        "loop->loop",
    ];
    assert_eq!(fixture.seen(), portable);
    fixture.links = Links::Ignore;
    assert_eq!(fixture.seen(), ["d/"]);
    fixture.links = Links::Posix;
    assert!(fixture.seen().contains(&"absolute->/etc/passwd".to_owned()));
}

#[test]
fn only_files_that_changed_are_read_again() {
    let fixture = Fixture::new();
    fixture.write("a", b"one");
    fixture.write("d/b", b"two");
    let first = fixture.look(None, &Dirty::All);
    assert_eq!(first.hashed, 2);
    let second = fixture.look(Some(&first.scan), &Dirty::All);
    assert_eq!((second.hashed, second.unsettled), (0, false));
    assert!(
        Arc::ptr_eq(&first.scan.0, &second.scan.0),
        "nothing changed"
    );
    fixture.write("a", b"eno");
    let third = fixture.look(Some(&second.scan), &Dirty::All);
    assert_eq!(third.hashed, 1);
    assert!(!third.scan.tree().same(&second.scan.tree()));
}

#[test]
fn a_file_that_was_changed_just_now_is_read_again() {
    let mut fixture = Fixture::new();
    fixture.now = early;
    fixture.write("a", b"one");
    let first = fixture.look(None, &Dirty::All);
    assert!(first.unsettled);
    let second = fixture.look(Some(&first.scan), &Dirty::All);
    assert_eq!(
        second.hashed, 1,
        "same size and times may hide another text"
    );
    fixture.now = late;
    let third = fixture.look(Some(&second.scan), &Dirty::All);
    assert_eq!((third.hashed, third.unsettled), (1, false));
    assert_eq!(fixture.look(Some(&third.scan), &Dirty::All).hashed, 0);
}

#[test]
fn only_dirty_places_are_looked_at() {
    let fixture = Fixture::new();
    for file in ["a", "d/b", "d/c", "e/f"] {
        fixture.write(file, b"1");
    }
    let first = fixture.look(None, &Dirty::All).scan;
    for file in ["a", "d/b", "d/c", "d/new", "e/f"] {
        fixture.write(file, b"22");
    }
    fs::remove_file(fixture.path("e/f")).unwrap();
    let nothing = fixture.look(Some(&first), &Dirty::default()).scan;
    assert!(Arc::ptr_eq(&first.0, &nothing.0));
    let some = fixture
        .look(Some(&first), &dirty(&["d/b", "d/new", "d/never", "e/f"]))
        .scan;
    assert_eq!(
        words(&some),
        ["a=1", "d/", "d/b=2", "d/c=1", "d/new=2", "e/"]
    );
    let all = fixture.look(Some(&some), &dirty(&["a", "d"])).scan;
    assert_eq!(
        words(&all),
        ["a=2", "d/", "d/b=2", "d/c=2", "d/new=2", "e/"]
    );
}

#[test]
fn what_changed_its_kind_is_seen_anew() {
    let fixture = Fixture::new();
    fixture.write("x", b"1");
    fixture.write("y/z", b"1");
    let first = fixture.look(None, &Dirty::All).scan;
    fs::remove_file(fixture.path("x")).unwrap();
    fixture.write("x/inner", b"1");
    fs::remove_file(fixture.path("y/z")).unwrap();
    fs::remove_dir(fixture.path("y")).unwrap();
    symlink("x", fixture.path("y")).unwrap();
    let second = fixture.look(Some(&first), &dirty(&["x", "y/z"])).scan;
    assert_eq!(words(&second), ["x/", "x/inner=1", "y->x"]);
}

#[test]
fn names_are_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let fixture = Fixture::new();
    let name = std::ffi::OsStr::from_bytes(b"\xff\n \x1b[31m");
    write(&fixture.folder.path().join(name), b"1");
    write(&fixture.path(&"n".repeat(255)), b"1");
    let tree = fixture.look(None, &Dirty::All).scan.tree();
    let names: Vec<_> = tree
        .as_dir()
        .unwrap()
        .iter()
        .map(|(name, _)| name.as_bytes().to_vec())
        .collect();
    assert_eq!(names, [vec![b'n'; 255], b"\xff\n \x1b[31m".to_vec()]);
}

#[test]
fn very_deep_directories_are_a_problem_and_no_crash() {
    let fixture = Fixture::new();
    let deep = "d/".repeat(1000);
    fs::create_dir_all(fixture.path(&deep)).unwrap();
    let seen = fixture.seen();
    assert_eq!(seen.len(), DEPTH_MAX + 1);
    assert!(seen.last().unwrap().ends_with("! TooDeep"));
}

#[test]
fn a_root_that_is_none_is_an_error_that_names_it() {
    let fixture = Fixture::new();
    fixture.write("file", b"1");
    for name in ["nothing", "file"] {
        let error = Root::open(fixture.path(name)).err().unwrap();
        assert!(error.to_string().contains(name), "{error}");
    }
}

fn is_one(one: Option<&Node>, two: Option<&Node>) -> bool {
    match (one, two) {
        (Some(Node::Dir(one)), Some(Node::Dir(two))) => Arc::ptr_eq(one, two),
        _ => false,
    }
}

#[test]
fn identical_directories_are_shared_with_another_tree() {
    let fixture = Fixture::new();
    fixture.write("same/below/a", b"1");
    fixture.write("other/b", b"1");
    let other = fixture.look(None, &Dirty::All).scan.tree();
    fixture.write("other/b", b"22");
    let found = fixture.look(None, &Dirty::All).scan;
    let shared = found.sharing(&other);
    assert_eq!(words(&shared), words(&found), "nothing else changes");
    let at = |node: &Node, path: &str| node.get(&RelPath::new(path.as_bytes()).unwrap()).cloned();
    for (path, expected) in [
        ("same", true),
        ("same/below", true),
        ("other", false),
        ("", false),
    ] {
        let (ours, theirs) = (at(&shared.tree(), path), at(&other, path));
        assert_eq!(is_one(ours.as_ref(), theirs.as_ref()), expected, "{path}");
    }
    let again = fixture.look(Some(&shared), &Dirty::All);
    assert_eq!(again.hashed, 0, "what was remembered is kept");
    let (ours, theirs) = (again.scan.tree(), shared.tree());
    assert!(is_one(Some(&ours), Some(&theirs)));
}

#[test]
fn the_next_process_reads_only_what_it_must() {
    let fixture = Fixture::new();
    fixture.write("a", b"1");
    fixture.write("below/b", b"1");
    fixture.write("below/c", b"1");
    let root = Root::open(fixture.folder.path()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("seen");
    let found = fixture.look(None, &Dirty::All).scan;
    found.keep(&Made::default(), &file, &root, true).unwrap();
    let base = found.tree();
    let (beside_a_base, _) = Scan::kept(&file, &root, true, Some(&base)).unwrap();
    assert!(beside_a_base.tree().is(&base), "one tree in memory");
    fixture.write("below/b", b"22");

    let (kept, _) = Scan::kept(&file, &root, true, None).unwrap();
    assert_eq!(kept.tree(), found.tree());
    let next = fixture.look(Some(&kept), &Dirty::All);
    assert_eq!(next.hashed, 1);
    assert_eq!(words(&next.scan), fixture.seen());

    assert!(
        Scan::kept(&file, &root, false, None).is_none(),
        "searched otherwise"
    );
    let mut bytes = fs::read(&file).unwrap();
    for at in [0, 12, 40, bytes.len() - 1] {
        bytes[at] ^= 1;
        write(&file, &bytes);
        assert!(
            Scan::kept(&file, &root, true, None).is_none(),
            "damaged at {at}"
        );
        bytes[at] ^= 1;
    }
}

#[test]
fn a_file_that_was_not_settled_is_read_by_the_next_process() {
    let mut fixture = Fixture::new();
    fixture.now = early;
    fixture.write("a", b"1");
    let root = Root::open(fixture.folder.path()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("seen");
    fixture
        .look(None, &Dirty::All)
        .scan
        .keep(&Made::default(), &file, &root, true)
        .unwrap();
    let (kept, _) = Scan::kept(&file, &root, true, None).unwrap();
    assert_eq!(fixture.look(Some(&kept), &Dirty::All).hashed, 1);
}

/// Root is refused nothing, so another one looks.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_may_not_be_looked_into_is_a_problem_and_stops_nobody() {
    use rustix::process::{Uid, geteuid};
    use rustix::thread::set_thread_res_uid;
    let fixture = Fixture::new();
    for (dir, mode) in [("closed", 0o000), ("names-only", 0o644), ("open", 0o755)] {
        fixture.write(&format!("{dir}/deep/file"), b"1");
        fixture.write(&format!("{dir}/file"), b"1");
        fs::set_permissions(fixture.path(dir), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(fixture.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let seen = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            if geteuid().is_root() {
                let nobody = Uid::from_raw(65534);
                set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            fixture.seen()
        });
        other.join().unwrap()
    });
    assert_eq!(
        seen,
        [
            "closed! Unreadable",
            "names-only! Unreadable",
            "open/",
            "open/deep/",
            "open/deep/file=1",
            "open/file=1",
        ]
    );
    for dir in ["closed", "names-only"] {
        fs::set_permissions(fixture.path(dir), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
