use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{remove_leftovers, write_atomic, write_atomic_with};

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn replaces_the_file_and_leaves_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.json");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(names(dir.path()), ["status.json"]);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

#[test]
fn gives_the_file_the_mode_and_owner_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let me = fs::metadata(dir.path()).unwrap();
    write_atomic_with(&path, b"x", 0o640, Some((me.uid(), me.gid()))).unwrap();
    let made = fs::metadata(&path).unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o640);
    assert_eq!((made.uid(), made.gid()), (me.uid(), me.gid()));
}

#[test]
fn a_failed_write_keeps_the_old_content_and_names_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("taken");
    fs::create_dir(&path).unwrap();
    let error = write_atomic(&path, b"x").unwrap_err();
    assert_eq!(error.path, path);
    assert_eq!(names(dir.path()), ["taken"]);
    let error = write_atomic(dir.path().join("no/such/file"), b"x").unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_directory_cannot_be_synced_for_want_of_rights_the_old_content_stays() {
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    write_atomic(&path, b"old").unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o300)).unwrap();
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    // Of a thread of its own: root would be let in.
    let write = || {
        set_capabilities(None, none).unwrap();
        write_atomic(&path, b"new")
    };
    let failed = std::thread::scope(|scope| scope.spawn(write).join().unwrap());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(failed.unwrap_err().path, dir.path());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(dir.path()), ["f"]);
}

#[test]
fn a_path_without_a_file_name_is_refused() {
    assert!(write_atomic("/", b"x").is_err());
    assert!(write_atomic("..", b"x").is_err());
}

#[test]
fn only_the_leftovers_of_the_same_name_go() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        ".status.json.aB3.tmp",
        ".metrics.json.x.tmp",
        "status.json",
        ".status.json",
    ] {
        fs::File::create(dir.path().join(name)).unwrap();
    }
    assert_eq!(remove_leftovers(dir.path().join("status.json")).unwrap(), 1);
    assert_eq!(
        names(dir.path()),
        [".metrics.json.x.tmp", ".status.json", "status.json"]
    );
}

#[test]
fn what_is_written_to_a_hidden_name_begins_as_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".own-cache");
    let (_, temp) = super::written(&path, |file| file.write_all(b"x"))
        .unwrap()
        .keep()
        .unwrap();
    let name = temp.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with(".own-cache."), "{name}");
    assert_eq!(remove_leftovers(&path).unwrap(), 1);
}

#[test]
fn a_reader_sees_one_whole_version_or_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.json");
    let versions = [vec![b'a'; 300_000], vec![b'b'; 300_000]];
    write_atomic(&path, &versions[0]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let seen = fs::read(&path).unwrap();
                assert!(
                    versions.contains(&seen),
                    "torn read of {} bytes",
                    seen.len()
                );
            }
        });
        for round in 0..50 {
            write_atomic(&path, &versions[round % 2]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
