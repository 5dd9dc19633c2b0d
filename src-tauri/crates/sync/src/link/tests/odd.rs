//! What a folder seldom holds, on either side.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration as Time, SystemTime, UNIX_EPOCH};

use mizzen_sync_core::{Problem, Unsyncable};

use super::*;

const SIDES: [(&str, Side); 2] = [("host", Side::Host), ("container", Side::Container)];

fn make(program: &str, args: &[&str], path: &Path) {
    let made = Command::new(program).args(args).arg(path).status();
    assert!(made.unwrap().success(), "{program}");
}

fn told(problems: &[Problem]) -> Vec<(String, Side, Unsyncable)> {
    let told = problems.iter();
    let told = told.map(|problem| (problem.path.to_string(), problem.side, problem.why));
    told.collect()
}

#[test]
fn what_is_no_file_is_told_and_stays_and_keeps_nothing_else_back() {
    for (name, side) in SIDES {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        let at = |path: &str| fixture.path(&format!("{name}/{path}"));
        fs::create_dir(at("d")).unwrap();
        make("mkfifo", &[], &at("d/pipe"));
        let _socket = UnixListener::bind(at("d/socket")).unwrap();
        // Made by root alone; nothing reads what never ends.
        let mut device = Command::new("mknod");
        let device = device.arg(at("d/zero")).args(["c", "1", "5"]);
        assert!(device.status().unwrap().success());
        let sparse = fs::File::create(at("d/sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        fixture.write(&format!("{name}/d/a"), "1");
        let cycle = fixture.once().unwrap();
        let special = |at: &str| (format!("d/{at}"), side, Unsyncable::Special);
        let expected = [
            special("pipe"),
            special("socket"),
            ("d/sparse".to_owned(), side, Unsyncable::TooLarge),
            special("zero"),
        ];
        assert_eq!(told(&cycle.problems), expected);
        let other = if side == Side::Host {
            "container"
        } else {
            "host"
        };
        assert_eq!(fixture.tree(other), ["d/", "d/a=1"]);
        // What stands in its way stays, on both sides.
        remove(&fixture.path(&format!("{other}/d")));
        let mut link = fixture.link();
        link.cycle(&Both::everything(), true).unwrap();
        assert!(!at("d/a").exists());
        for left in ["pipe", "socket", "sparse", "zero"] {
            assert!(at("d").join(left).symlink_metadata().is_ok(), "{left}");
        }
    }
}

#[test]
fn names_of_any_bytes_and_any_length_come_over() {
    for (name, other) in [("host", "container"), ("container", "host")] {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        let odd: [&[u8]; 7] = [
            b"\xff\xfe",
            b"line\nbreak",
            b" ends with a dot.",
            b"CON",
            b"\x1b[31m",
            "e\u{301}".as_bytes(),
            "\u{e9}".as_bytes(),
        ];
        let long = [b'n'; 255];
        let all: Vec<&[u8]> = odd.into_iter().chain([&long[..]]).collect();
        for name_of in &all {
            let dir = fixture
                .path(name)
                .join(std::ffi::OsStr::from_bytes(name_of));
            write(&dir.join(std::ffi::OsStr::from_bytes(name_of)), "1");
        }
        assert!(fixture.once().unwrap().is_in_step());
        assert_eq!(fixture.tree(other).len(), 2 * all.len());
        assert_eq!(fixture.tree("host"), fixture.tree("container"));
        for name_of in &all {
            let name_of = std::ffi::OsStr::from_bytes(name_of);
            write(&fixture.path(other).join(name_of).join(name_of), "22");
            remove(&fixture.path(name).join(name_of).join(name_of));
            write(&fixture.path(name).join(name_of).join("b"), "1");
        }
        // A change outlives a deletion.
        assert!(fixture.once().unwrap().is_in_step());
        assert_eq!(fixture.tree("host"), fixture.tree("container"));
        assert_eq!(fixture.tree(other).len(), 3 * all.len());
    }
}

#[test]
fn what_lies_too_deep_is_told_and_stays_and_all_above_it_comes_over() {
    for (name, side) in SIDES {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        fixture.write(&format!("{name}/file"), "1");
        let at = |side: &str, depth: usize| format!("{side}/{}file", "d/".repeat(depth));
        for depth in [100, 190, 300, 1000] {
            fixture.write(&at(name, depth), "1");
        }
        let cycle = fixture.once().unwrap();
        let problems = told(&cycle.problems);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].1, problems[0].2), (side, Unsyncable::TooDeep));
        let other = if side == Side::Host {
            "container"
        } else {
            "host"
        };
        let came = [100, 190, 300, 1000].map(|depth| fixture.path(&at(other, depth)).exists());
        assert_eq!(came, [true, true, false, false]);
        assert!(fixture.path(&at(name, 1000)).exists());
        let again = fixture.once().unwrap();
        assert_eq!(again.carried(), (0, 0));
    }
}

#[test]
fn times_of_any_year_come_over() {
    let day = Time::from_secs(86400);
    let years = |number: u32| day * 365 * number;
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let times = [
        ("host/first", UNIX_EPOCH),
        ("container/before", UNIX_EPOCH - years(30)),
        ("host/late", UNIX_EPOCH + years(230)),
        (
            "container/exact",
            UNIX_EPOCH + Time::from_nanos(1_234_567_890_123_456_789),
        ),
    ];
    let write = |path: &str, text: &str, time: SystemTime| {
        fixture.write(path, text);
        let file = fs::File::options()
            .write(true)
            .open(fixture.path(path))
            .unwrap();
        file.set_modified(time).unwrap();
    };
    for (path, time) in times {
        write(path, path, time);
    }
    assert!(fixture.once().unwrap().is_in_step());
    let time_of = |path: &str| -> SystemTime {
        fs::metadata(fixture.path(path))
            .unwrap()
            .modified()
            .unwrap()
    };
    for (path, time) in times {
        let (_, name) = path.split_once('/').unwrap();
        for side in ["host", "container"] {
            assert_eq!(time_of(&format!("{side}/{name}")), time, "{side} {name}");
        }
    }
    // An edit is seen although the time is what it was.
    for (path, time) in times {
        write(path, "another text", time);
    }
    assert!(fixture.once().unwrap().is_in_step());
    assert_eq!(fixture.tree("host"), fixture.tree("container"));
    assert!(
        fixture
            .tree("host")
            .iter()
            .all(|word| word.ends_with("=another text"))
    );
}

#[test]
fn a_file_of_two_names_comes_over_as_two_files_and_nothing_runs_as_somebody_else() {
    for (name, other) in [("host", "container"), ("container", "host")] {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        let at = |path: &str| fixture.path(&format!("{name}/{path}"));
        fixture.write(&format!("{name}/one"), "1");
        fs::hard_link(at("one"), at("two")).unwrap();
        fixture.write(&format!("{name}/run"), "#!");
        fs::set_permissions(at("run"), fs::Permissions::from_mode(0o6755)).unwrap();
        assert!(fixture.once().unwrap().is_in_step());
        let facts = |path: &str| fs::metadata(fixture.path(&format!("{other}/{path}"))).unwrap();
        assert_eq!(facts("one").nlink(), 1);
        assert_ne!(facts("one").ino(), facts("two").ino());
        assert_eq!(facts("run").mode() & 0o7777, 0o755);
        // Written under one name there, it changes under both here; on the way back only one of them does.
        fixture.write(&format!("{name}/one"), "22");
        fixture.once().unwrap();
        assert_eq!(fixture.tree(other), ["one=22", "run=#!", "two=22"]);
        fixture.write(&format!("{other}/one"), "333");
        fixture.once().unwrap();
        assert_eq!(fixture.tree(name), ["one=333", "run=#!", "two=22"]);
        let special = fs::metadata(at("run")).unwrap().mode() & 0o7777;
        fixture.write(&format!("{other}/run"), "#!!");
        fixture.once().unwrap();
        let now = fs::metadata(at("run")).unwrap().mode() & 0o7777;
        assert_eq!((special, now), (0o6755, 0o755));
    }
}

#[test]
fn a_clock_that_is_set_back_hides_no_edit() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    fixture.once().unwrap();
    let mut link = fixture.link();
    let mut cycles = Vec::new();
    for (number, clock) in [1_i64, i64::MAX / 2, 0, -1, 1_000_000]
        .into_iter()
        .enumerate()
    {
        static CLOCK: AtomicI64 = AtomicI64::new(0);
        CLOCK.store(clock, Ordering::SeqCst);
        link.options.now = || CLOCK.load(Ordering::SeqCst);
        let text = number.to_string();
        fixture.write("host/a", &text);
        let file = fs::File::options()
            .write(true)
            .open(fixture.path("host/a"))
            .unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        let cycle = link.cycle(&Both::everything(), false).unwrap();
        assert!(cycle.is_in_step());
        fixture.check_same(&[&format!("a={text}")]);
        cycles.push(cycle.id);
    }
    let sorted = cycles.is_sorted_by(|one, two| one < two);
    assert!(
        sorted,
        "cycles are told apart, and in their order: {cycles:?}"
    );
    let history = link.history(&Recall::last(9)).unwrap();
    let is_told = |id: &CycleId| history.iter().any(|past| past.id == *id);
    assert!(cycles.iter().all(is_told), "{history:?} {cycles:?}");
}
