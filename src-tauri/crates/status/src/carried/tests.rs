use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{CarriedFile, End, NotTaken, PART_MAX, Part, Taker, Teller, carried_file};

/// The container's tree and the host's.
struct Ends {
    folder: TempDir,
    teller: Teller,
    taker: Taker,
}

impl Ends {
    fn new(end: End) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for dir in ["here/status/logs", "there/status"] {
            fs::create_dir_all(folder.path().join(dir)).unwrap();
        }
        Self {
            teller: Teller::new(end, status(folder.path(), "here")),
            taker: Taker::new(end, status(folder.path(), "there"), None),
            folder,
        }
    }

    fn write(&self, file: &str, content: &[u8]) {
        mizzen_fsx::write_atomic(self.folder.path().join("here").join(file), content).unwrap();
    }

    fn append(&self, file: &str, content: &[u8]) {
        use std::io::Write;
        let path = self.folder.path().join("here").join(file);
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(content).unwrap();
    }

    /// Carries until nothing is new; answers how many parts it took.
    fn carry(&mut self) -> usize {
        let mut parts = 0;
        loop {
            let news = self.teller.look();
            if news.is_empty() {
                return parts;
            }
            parts += news.len();
            for (part, bytes) in news {
                self.taker.take(&part, &bytes).unwrap();
            }
        }
    }

    fn there(&self, file: &str) -> Option<Vec<u8>> {
        fs::read(self.folder.path().join("there").join(file)).ok()
    }
}

fn status(root: &Path, side: &str) -> PathBuf {
    root.join(side).join("status")
}

#[test]
fn what_a_container_writes_is_carried_once_and_as_it_changes() {
    let mut ends = Ends::new(End::Container);
    let long = vec![b'x'; 2 * PART_MAX + 7];
    ends.write("status/status.json", b"{\"a\":1}");
    ends.append("status/logs/one.log", &long);
    // What the host writes and what has no place in the protocol stays.
    ends.write("status/commands.json", b"{}");
    ends.write("status/other.json", b"{}");
    ends.write("status/logs/.hidden.log", b"no");
    assert_eq!(ends.carry(), 4);
    assert_eq!(ends.there("status/status.json").unwrap(), b"{\"a\":1}");
    assert_eq!(ends.there("status/logs/one.log").unwrap(), long);
    for file in [
        "status/commands.json",
        "status/other.json",
        "status/logs/.hidden.log",
    ] {
        assert_eq!(ends.there(file), None, "{file}");
    }

    ends.append("status/logs/one.log", b"more");
    ends.write("status/status.json", b"{\"a\":2}");
    assert_eq!(ends.carry(), 2, "only what is new");
    assert_eq!(
        ends.there("status/logs/one.log").unwrap(),
        [&long[..], b"more"].concat()
    );

    // A log that is written anew, shorter; and one that goes.
    ends.write("status/logs/one.log", b"new");
    ends.append("status/logs/two.log", b"2");
    ends.carry();
    assert_eq!(ends.there("status/logs/one.log").unwrap(), b"new");
    fs::remove_file(ends.folder.path().join("here/status/logs/two.log")).unwrap();
    ends.carry();
    assert_eq!(ends.there("status/logs/two.log"), None);
}

#[test]
fn a_new_stream_tells_all_again_and_changes_no_log() {
    let mut ends = Ends::new(End::Container);
    ends.append("status/logs/one.log", b"said");
    ends.carry();
    let log = ends.folder.path().join("there/status/logs/one.log");
    let before = fs::metadata(&log).unwrap();
    ends.teller = Teller::new(End::Container, status(ends.folder.path(), "here"));
    assert_eq!(ends.carry(), 1);
    let after = fs::metadata(&log).unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec(), before.len()),
        (after.ino(), after.mtime_nsec(), after.len())
    );
}

/// Whoever has the file open while the next one comes reads all of the one that he opened.
#[test]
fn metrics_are_carried_whole_and_take_the_place_of_those_before() {
    let mut ends = Ends::new(End::Container);
    let file = ends.folder.path().join("there/status/metrics.json");
    let metrics = |bytes: usize| format!("{{\"pids\":{}}}", "7".repeat(bytes)).into_bytes();
    let (first, second) = (metrics(60_000), metrics(9));
    ends.write("status/metrics.json", &first);
    assert_eq!(ends.carry(), 1);
    let mut open = fs::File::open(&file).unwrap();
    ends.write("status/metrics.json", &second);
    assert_eq!(ends.carry(), 1);
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut open, &mut read).unwrap();
    assert_eq!(read, first);
    assert_eq!(fs::read(&file).unwrap(), second);
    // More than the protocol allows stays where it is.
    ends.write("status/metrics.json", &metrics(64 << 10));
    assert_eq!(ends.carry(), 0);
    assert_eq!(fs::read(&file).unwrap(), second);
    let beside = fs::read_dir(file.parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1, "nothing half-made stays beside it");
}

#[test]
fn what_the_host_asks_goes_the_other_way() {
    let mut ends = Ends::new(End::Host);
    ends.write("status/commands.json", b"{\"queued\":[]}");
    ends.write("status/status.json", b"{}");
    assert_eq!(ends.carry(), 1);
    assert_eq!(
        ends.there("status/commands.json").unwrap(),
        b"{\"queued\":[]}"
    );
    assert_eq!(ends.there("status/status.json"), None);
}

#[test]
fn links_are_neither_told_nor_written_through() {
    let mut ends = Ends::new(End::Container);
    let secret = ends.folder.path().join("secret");
    mizzen_fsx::write_atomic(&secret, b"key").unwrap();
    symlink(&secret, ends.folder.path().join("here/status/status.json")).unwrap();
    symlink(&secret, ends.folder.path().join("here/status/logs/one.log")).unwrap();
    assert_eq!(ends.carry(), 0);

    let logs = ends.folder.path().join("there/status/logs");
    fs::create_dir(&logs).unwrap();
    symlink(&secret, logs.join("one.log")).unwrap();
    let file = CarriedFile::Log("one.log".to_owned());
    let refused = ends.taker.take_whole(&file, b"planted").unwrap_err();
    assert!(refused.to_string().contains("something else"), "{refused}");
    assert_eq!(fs::read(&secret).unwrap(), b"key");
}

#[test]
fn parts_that_break_the_rules_are_refused() {
    let log = |name: &str| CarriedFile::Log(name.to_owned());
    let part = |file: CarriedFile, at, size, length| Part {
        file,
        size,
        at,
        length,
    };
    let long = "x".repeat(200);
    for (what, from, part) in [
        (
            "the host's file",
            End::Container,
            part(CarriedFile::Commands, 0, 1, Some(1)),
        ),
        (
            "the container's file",
            End::Host,
            part(CarriedFile::Status, 0, 1, Some(1)),
        ),
        (
            "a log above",
            End::Container,
            part(log("../x.log"), 0, 1, Some(1)),
        ),
        (
            "a hidden log",
            End::Container,
            part(log(".x"), 0, 1, Some(1)),
        ),
        ("no name", End::Container, part(log(""), 0, 1, Some(1))),
        (
            "a long name",
            End::Container,
            part(log(&long), 0, 1, Some(1)),
        ),
        (
            "a piece of a report",
            End::Container,
            part(CarriedFile::Status, 0, 1, Some(2)),
        ),
        (
            "a large report",
            End::Container,
            part(CarriedFile::Status, 0, 1 << 20, Some(1 << 20)),
        ),
        (
            "a large part",
            End::Container,
            part(log("x.log"), 0, 1 << 20, Some(1 << 20)),
        ),
        (
            "a long log",
            End::Container,
            part(log("x.log"), 0, 1, Some(1 << 40)),
        ),
        (
            "beyond the end",
            End::Container,
            part(log("x.log"), 5, 2, Some(6)),
        ),
        (
            "beyond all numbers",
            End::Container,
            part(log("x.log"), u64::MAX, 2, Some(6)),
        ),
        (
            "a report that is gone",
            End::Container,
            part(CarriedFile::Status, 0, 0, None),
        ),
    ] {
        assert!(part.check(from).is_err(), "{what}");
    }
    let ends = Ends::new(End::Container);
    let gap = part(log("x.log"), 5, 1, Some(6));
    assert!(
        ends.taker.take(&gap, b"x").is_err(),
        "a part is missing before it"
    );
    let short = part(log("x.log"), 0, 2, Some(2));
    assert!(
        ends.taker.take(&short, b"x").is_err(),
        "it says more than it has"
    );
}

#[test]
fn a_container_cannot_fill_the_disk() {
    let ends = Ends::new(End::Container);
    let log = vec![b'x'; 8 << 20];
    let fill = |index: u32| {
        ends.taker
            .take_whole(&CarriedFile::Log(format!("{index}.log")), &log)
    };
    let taken: Vec<_> = (0..9).map(fill).collect();
    assert!(taken[..8].iter().all(Result::is_ok));
    assert!(matches!(taken[8], Err(NotTaken::NoRoom)), "{:?}", taken[8]);
}

#[test]
fn a_path_names_a_file_of_the_container_or_none() {
    for (path, file) in [
        ("status.json", Some(CarriedFile::Status)),
        ("metrics.json", Some(CarriedFile::Metrics)),
        ("logs/a.log", Some(CarriedFile::Log("a.log".to_owned()))),
        ("commands.json", None),
        ("logs", None),
        ("logs/.a", None),
        ("logs/a/b.log", None),
        ("", None),
    ] {
        assert_eq!(carried_file(Path::new(path)), file, "{path}");
    }
}
