//! Rows 1 to 9 of the bad inputs (docs/protocol): what a container can put where a file should be.

#![expect(clippy::disallowed_methods, reason = "a container writes as it likes")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{FileKind, SafeDir, UnsafeReason};

const CAP: u64 = 1024;

/// Lets `plant` prepare a directory and reads `status.json` in it.
fn read(plant: impl FnOnce(&Path)) -> Result<Vec<u8>, UnsafeReason> {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path());
    let started = Instant::now();
    let result = SafeDir::open(dir.path())
        .unwrap()
        .read_regular("status.json", CAP, None);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "a bad file must not hold us up"
    );
    result.map_err(|refused| refused.reason)
}

fn kind(plant: impl FnOnce(&Path)) -> FileKind {
    match read(plant) {
        Err(UnsafeReason::Kind(kind)) => kind,
        other => panic!("expected a refusal by kind, got {other:?}"),
    }
}

#[test]
fn a_plain_file_up_to_the_cap_is_read() {
    let text = vec![b'x'; 1024];
    assert_eq!(
        read(|d| fs::write(d.join("status.json"), &text).unwrap()).unwrap(),
        text
    );
}

#[test]
fn a_file_that_grows_is_read_part_by_part_and_no_further_than_the_cap() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.log");
    fs::write(&file, b"one two").unwrap();
    let open = SafeDir::open(dir.path()).unwrap();
    let part = |offset, max| open.read_part("a.log", (offset, max), CAP, None);
    assert_eq!(part(0, 3).unwrap(), b"one");
    assert_eq!(part(3, 99).unwrap(), b" two");
    assert_eq!(part(99, 99).unwrap(), b"");
    File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_len(CAP + 1)
        .unwrap();
    assert!(matches!(
        part(0, 3).unwrap_err().reason,
        UnsafeReason::TooLarge { .. }
    ));
    fs::remove_file(&file).unwrap();
    symlink("/etc/passwd", &file).unwrap();
    assert!(matches!(
        part(0, 3).unwrap_err().reason,
        UnsafeReason::Kind(FileKind::Link)
    ));
}

#[test]
fn a_missing_file_is_told_apart() {
    assert!(matches!(read(|_| {}), Err(UnsafeReason::Missing)));
}

#[test]
fn row_1_a_link_to_a_host_file() {
    assert_eq!(
        kind(|d| symlink("/etc/shadow", d.join("status.json")).unwrap()),
        FileKind::Link
    );
}

#[test]
fn row_2_a_directory_that_turns_into_a_link() {
    let root = tempfile::tempdir().unwrap();
    let (session, other) = (root.path().join("web"), root.path().join("other"));
    for (dir, text) in [(&session, "mine"), (&other, "stolen")] {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("status.json"), text).unwrap();
    }
    let open = SafeDir::open(&session).unwrap();
    fs::rename(&session, root.path().join("aside")).unwrap();
    symlink(&other, &session).unwrap();
    assert_eq!(
        open.read_regular("status.json", CAP, None).unwrap(),
        b"mine"
    );
    assert!(
        SafeDir::open(&session).is_err(),
        "a link must not be opened as the directory"
    );
}

#[test]
fn row_3_a_fifo() {
    let plant = |d: &Path| {
        mknodat(CWD, d.join("status.json"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    };
    assert_eq!(kind(plant), FileKind::Fifo);
}

#[test]
fn row_4_a_device_and_a_socket() {
    // /dev/zero by its number: reading it would never end. Needs CAP_MKNOD, so only as root.
    let device = |d: &Path| {
        let mode = Mode::RUSR | Mode::WUSR;
        let zero = rustix::fs::makedev(1, 5);
        mknodat(
            CWD,
            d.join("status.json"),
            FileType::CharacterDevice,
            mode,
            zero,
        )
        .unwrap();
    };
    if rustix::process::geteuid().is_root() {
        assert_eq!(kind(device), FileKind::Device);
    }
    assert_eq!(
        kind(|d| drop(UnixListener::bind(d.join("status.json")).unwrap())),
        FileKind::Socket
    );
}

#[test]
fn row_5_a_sparse_terabyte() {
    let plant = |d: &Path| {
        File::create(d.join("status.json"))
            .unwrap()
            .set_len(1 << 40)
            .unwrap()
    };
    assert!(matches!(
        read(plant),
        Err(UnsafeReason::TooLarge { cap: CAP })
    ));
}

#[test]
fn row_6_a_file_that_grows_while_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.json");
    let safe = SafeDir::open(dir.path()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let mut file = File::create(&path).unwrap();
                for _ in 0..64 {
                    file.write_all(&[b'x'; 64]).unwrap();
                }
            }
        });
        for _ in 0..500 {
            match safe.read_regular("status.json", CAP, None) {
                Ok(bytes) => assert!(bytes.len() as u64 <= CAP),
                Err(refused) => assert!(
                    matches!(
                        refused.reason,
                        UnsafeReason::TooLarge { .. } | UnsafeReason::Missing
                    ),
                    "{refused}"
                ),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn row_7_a_hard_link() {
    let plant = |d: &Path| {
        fs::write(d.join("secret"), "s").unwrap();
        fs::hard_link(d.join("secret"), d.join("status.json")).unwrap();
    };
    assert!(matches!(read(plant), Err(UnsafeReason::HardLinked(2))));
}

#[test]
fn row_8_a_directory() {
    assert_eq!(
        kind(|d| fs::create_dir(d.join("status.json")).unwrap()),
        FileKind::Directory
    );
}

#[test]
fn row_9_a_foreign_owner_and_no_permission() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.json");
    fs::write(&path, "x").unwrap();
    let me = fs::metadata(&path).unwrap().uid();
    let safe = SafeDir::open(dir.path()).unwrap();
    assert!(safe.read_regular("status.json", CAP, Some(me)).is_ok());
    let refused = safe
        .read_regular("status.json", CAP, Some(me + 1))
        .unwrap_err();
    assert!(matches!(refused.reason, UnsafeReason::Owner { found, .. } if found == me));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads a file of mode 000; anybody else is refused in words.
    if !rustix::process::geteuid().is_root() {
        let refused = safe.read_regular("status.json", CAP, None).unwrap_err();
        assert!(matches!(refused.reason, UnsafeReason::Io(_)), "{refused}");
    }
}

#[test]
fn a_name_is_one_plain_component() {
    let dir = tempfile::tempdir().unwrap();
    let safe = SafeDir::open(dir.path()).unwrap();
    for name in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc/passwd",
        "a/",
        "./a",
        "a\0b",
    ] {
        let refused = safe.read_regular(name, CAP, None).unwrap_err();
        assert!(
            matches!(refused.reason, UnsafeReason::Name),
            "{name:?}: {refused}"
        );
    }
}

/// A scratch folder, opened, and its path.
fn opened(plant: impl FnOnce(&Path)) -> (tempfile::TempDir, SafeDir) {
    let dir = tempfile::tempdir().expect("scratch folder");
    plant(dir.path());
    let opened = SafeDir::open(dir.path()).expect("a folder");
    (dir, opened)
}

#[test]
fn a_folder_is_entered_by_its_own_name_only() {
    let (_scratch, dir) = opened(|d| {
        fs::create_dir(d.join("real")).unwrap();
        symlink(d.join("real"), d.join("link")).unwrap();
        fs::write(d.join("file"), "x").unwrap();
    });
    dir.open_dir("real").unwrap();
    let refused = |name| match dir.open_dir(name) {
        Ok(_) => "opened".to_owned(),
        Err(refused) => refused.reason.to_string(),
    };
    assert_eq!(refused("link"), "a link, not a regular file");
    assert!(
        refused("file").contains("ot a directory"),
        "{}",
        refused("file")
    );
    assert_eq!(refused("none"), "no such file");
    assert_eq!(refused(".."), "not a plain file name");
    assert_eq!(refused("real/.."), "not a plain file name");
    let mut listed = dir.list(3).unwrap();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    let kinds: Vec<_> = listed
        .iter()
        .map(|one| (one.name.as_str(), one.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("file", None),
            ("link", Some(FileKind::Link)),
            ("real", Some(FileKind::Directory))
        ]
    );
    assert!(
        dir.list(2)
            .unwrap_err()
            .to_string()
            .contains("holds more than 2 entries")
    );
    assert_eq!(dir.first(2).unwrap().len(), 2);
    assert_eq!(dir.first(9).unwrap().len(), 3);
}

#[test]
fn what_is_made_has_its_mode_and_takes_nobody_s_place() {
    let (scratch, dir) = opened(|_| {});
    let inner = dir.create_dir("d", 0o700).unwrap();
    inner.create_file("f", b"1", 0o600).unwrap();
    let mode = |path: &str| {
        fs::metadata(scratch.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("d"), mode("d/f")), (0o700, 0o600));
    inner.create_file("f", b"2", 0o600).unwrap_err();
    assert!(dir.create_dir("d", 0o700).is_err());
    dir.create_file("g", b"3", 0o644).unwrap();
    let taken = dir.move_new("g", &inner, "f").unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AlreadyExists);
    if dir.exchange("g", &inner, "f").unwrap() {
        assert_eq!(fs::read(scratch.path().join("d/f")).unwrap(), b"3");
        assert_eq!(fs::read(scratch.path().join("g")).unwrap(), b"1");
    }
    dir.move_over("g", &inner, "f").unwrap();
    dir.sync().unwrap();
    assert!(!scratch.path().join("g").exists());
}

#[test]
fn a_tree_is_removed_and_no_link_in_it_followed() {
    let (_kept, kept) = opened(|d| fs::write(d.join("kept"), "x").unwrap());
    let (scratch, dir) = opened(|d| {
        fs::create_dir_all(d.join("a/b/c")).unwrap();
        fs::write(d.join("a/b/f"), "x").unwrap();
        symlink(kept.path(), d.join("a/b/link")).unwrap();
    });
    dir.remove_all("a").unwrap();
    dir.remove_all("a").unwrap();
    assert!(!scratch.path().join("a").exists());
    assert!(kept.path().join("kept").exists());
}

#[test]
fn a_mark_holds_until_anything_below_it_changes() {
    let (scratch, dir) = opened(|d| {
        fs::create_dir_all(d.join("a/b")).unwrap();
        fs::write(d.join("a/b/f"), b"one").unwrap();
        symlink("f", d.join("a/b/link")).unwrap();
    });
    let file = scratch.path().join("a/b/f");
    let mark = || dir.mark("a", 2, 9).unwrap();
    // Repeated until the system's clock has moved on.
    let changes = |what: &str, change: &dyn Fn()| {
        let before = mark();
        assert!(dir.is_as("a", &before), "before {what}");
        let deadline = Instant::now() + Duration::from_secs(10);
        while dir.is_as("a", &before) {
            assert!(Instant::now() < deadline, "{what} is never told");
            change();
        }
        assert_ne!(mark(), before, "{what}");
    };
    // As a program does that wants nobody to see it: in place, with the size and the time that it had.
    let time = file.metadata().unwrap().modified().unwrap();
    changes("a quiet change", &|| {
        let mut open = File::options().write(true).open(&file).unwrap();
        open.write_all(b"two").unwrap();
        open.set_modified(time).unwrap();
    });
    let meta = file.metadata().unwrap();
    assert_eq!((meta.modified().unwrap(), meta.len()), (time, 3));
    changes("another mode", &|| {
        let mode = file.metadata().unwrap().permissions().mode() ^ 0o040;
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    });
    changes("another file of its name", &|| {
        fs::write(file.with_extension("new"), b"two").unwrap();
        fs::rename(file.with_extension("new"), &file).unwrap();
    });
    changes("a link in a folder's place", &|| {
        let folder = scratch.path().join("a/b");
        if folder.symlink_metadata().unwrap().is_dir() {
            fs::rename(&folder, scratch.path().join("elsewhere")).unwrap();
            symlink("../elsewhere", &folder).unwrap();
        }
    });
    changes("that it goes", &|| {
        fs::remove_dir_all(scratch.path().join("a")).unwrap();
    });
    changes("that it comes", &|| {
        fs::create_dir_all(scratch.path().join("a")).unwrap();
    });
}

#[test]
fn what_cannot_be_marked_is_as_nothing() {
    let (scratch, dir) = opened(|d| {
        fs::create_dir(d.join("a")).unwrap();
        for name in ["1", "2", "3"] {
            fs::write(d.join("a").join(name), "").unwrap();
        }
    });
    assert!(dir.mark("a", 1, 2).is_none(), "more than was asked for");
    assert!(dir.mark("../a", 1, 9).is_none());
    assert!(dir.mark("a", 0, 0).is_some(), "nobody looks into it");
    let mark = dir.mark("a", 1, 3).unwrap();
    assert!(!dir.is_as("./a", &mark));
    drop(scratch);
}
