use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{End, KEPT, keep, place};
use crate::para::ParaDirs;
use crate::record::Record;
use crate::record::tests::record;

/// A session of a project that is there, whose status directory is there too.
fn session(root: &Path, name: &str) -> (Record, ParaDirs) {
    let mut record = record(name);
    record.project = root.join("project");
    let dirs = ParaDirs::of(&record.project, &record.name);
    fs::create_dir_all(dirs.status.join("logs")).unwrap();
    (record, dirs)
}

fn write(path: impl AsRef<Path>, text: &str) {
    mizzen_fsx::write_cache(path, text.as_bytes()).unwrap();
}

#[test]
fn row_44_the_last_report_and_every_log_are_kept_for_their_owner_alone() {
    let root = tempfile::tempdir().unwrap();
    let (record, dirs) = session(root.path(), "Web");
    write(dirs.status.join("status.json"), "{\"final\":true}");
    let log = dirs.status.join("logs/tests-1.log");
    write(&log, "42 passed\n");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o6777)).unwrap();
    let end = End {
        words: "It ended with exit code 0.\n".to_owned(),
        log: "hello\n".to_owned(),
    };
    keep(root.path(), &record, Some(&end)).unwrap();
    keep(root.path(), &record, Some(&end)).unwrap();

    let kept = place(root.path(), &record);
    let text = |name: &str| fs::read_to_string(kept.join(name)).unwrap();
    assert_eq!(text("status.json"), "{\"final\":true}");
    assert_eq!(text("logs/tests-1.log"), "42 passed\n");
    assert_eq!(text("container.log"), "hello\n");
    assert_eq!(text("end.txt"), "It ended with exit code 0.\n");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&kept), 0o700);
    assert_eq!(mode(&kept.join("status.json")), 0o600);
    assert_eq!(mode(&kept.join("logs/tests-1.log")), 0o600);
    assert_eq!(
        fs::read_dir(root.path().join("archive")).unwrap().count(),
        1
    );
}

#[test]
fn what_a_container_put_there_is_neither_followed_nor_named_by_it() {
    let root = tempfile::tempdir().unwrap();
    write(root.path().join("secret"), "secret");
    let (record, dirs) = session(root.path(), "web");
    symlink(root.path().join("secret"), dirs.status.join("status.json")).unwrap();
    let logs = dirs.status.join("logs");
    symlink(root.path().join("secret"), logs.join("a.log")).unwrap();
    for odd in [".bashrc", "a b.log", "\u{202e}gol.a"] {
        write(logs.join(odd), "odd");
    }
    fs::File::create(logs.join("huge.log"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    keep(root.path(), &record, None).unwrap();
    let kept = place(root.path(), &record);
    assert!(!kept.join("status.json").exists());
    assert_eq!(fs::read_dir(kept.join("logs")).unwrap().count(), 0);

    let (other, dirs) = session(root.path(), "api");
    fs::remove_dir(dirs.status.join("logs")).unwrap();
    symlink("/etc", dirs.status.join("logs")).unwrap();
    keep(root.path(), &other, None).unwrap();
    let kept = place(root.path(), &other);
    assert!(!kept.join("logs").exists(), "a link in place of all logs");
}

#[test]
fn the_oldest_of_many_go() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..KEPT + 3 {
        let (record, _) = session(root.path(), &format!("s{number:02}"));
        keep(root.path(), &record, None).unwrap();
    }
    let entries = fs::read_dir(root.path().join("archive")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), KEPT);
    assert!(names[0].to_str().unwrap().starts_with("s03-"), "{names:?}");
}

/// A container may put as many files there as it likes.
#[cfg(target_os = "linux")]
#[test]
fn of_a_crowd_of_logs_only_so_many_are_kept() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let (record, dirs) = session(root.path(), "web");
    mizzen_testkit::worst::crowd(&dirs.status.join("logs"), 100_000).unwrap();
    keep(root.path(), &record, None).unwrap();
    let kept = place(root.path(), &record).join("logs");
    assert_eq!(fs::read_dir(kept).unwrap().count(), super::COUNT);
}
