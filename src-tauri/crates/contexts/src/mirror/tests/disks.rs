//! Disks that are full, and stores on other disks: mounted for a test alone, in a namespace of its own.

use std::process::Command;

use super::*;

/// Set where a test runs among mounts of its own.
const ALONE: &str = "MIZZEN_TEST_HAS_OWN_MOUNTS";
const MODULE: &str = "mirror::tests::disks";

/// Runs a test again where it may mount what it likes, and says whether this is there.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new("unshare");
    let command = command
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", &format!("{MODULE}::{test}"), "--nocapture"])
        .env(ALONE, "1");
    let ran = command.output().expect("unshare runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{ran:?}");
    false
}

fn mount(place: &Path, options: &str) {
    let mut mount = Command::new("mount");
    let mount = mount
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(place);
    assert!(mount.status().expect("mount runs").success(), "{options}");
}

fn unmount(place: &Path) {
    let mut unmount = Command::new("umount");
    assert!(unmount.arg(place).status().expect("umount runs").success());
}

/// A pair of files of eight kilobytes, which say whose version they are.
fn keys(version: u32) -> String {
    let text = version.to_string().repeat(8192);
    format!("ca.pem={} key.pem={}", &text[..8192], &text[..8192])
}

/// Which version a side has, all of it.
fn version(rig: &Rig, side: Side) -> Option<u32> {
    let drawn = rig.draw(side);
    let version =
        (1..=9).find(|version| drawn == format!("prod tcp://h:{version} {}", keys(*version)));
    assert!(version.is_some() || drawn.is_empty(), "torn on {side:?}");
    version
}

#[test]
fn a_full_disk_is_told_and_tears_nothing_and_passes_go_on_once_there_is_room() {
    if !is_alone("a_full_disk_is_told_and_tears_nothing_and_passes_go_on_once_there_is_room") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut refusals = 0;
    // Room for none of what a pass writes, for a part, for all.
    for pages in 0..40 {
        mount(place.path(), "size=512k");
        let mut rig = Rig::new_in(place.path());
        rig.write(HOST, "prod", "tcp://h:1", &keys(1));
        rig.pass();
        rig.write(HOST, "prod", "tcp://h:2", &keys(2));
        let filler = place.path().join("filler");
        fill(&filler, pages * 4096);
        let told = rig.told();
        assert_eq!(version(&rig, HOST), Some(2));
        match version(&rig, CONTAINER) {
            // Half way is no version: what is missing comes with the next pass.
            Some(1) | None => {
                refusals += 1;
                assert_eq!(told, "");
                let status = rig.status();
                assert_eq!(status.standing, Standing::Damaged);
                let reason = status.reason.unwrap();
                assert!(
                    reason.starts_with("`prod` could not be carried over: ")
                        && reason.contains("No space left on device"),
                    "{reason}"
                );
            }
            Some(2) => assert!(told.starts_with("`prod` was changed on the host"), "{told}"),
            other => panic!("{other:?}"),
        }
        fs::remove_file(filler).unwrap();
        rig.pass();
        rig.pass();
        assert_eq!(
            version(&rig, CONTAINER),
            Some(2),
            "with room for {pages} pages"
        );
        assert_eq!(rig.status().standing, Standing::InStep);
        rig.reopen();
        let changed = rig.mirror().history().next().unwrap().0.clone();
        assert_eq!(changed.action, Action::Changed, "{changed:?}");
        rig.mirror().undo(changed.id).unwrap();
        assert_eq!(version(&rig, CONTAINER), Some(1));
        drop(rig);
        unmount(place.path());
    }
    assert!((3..38).contains(&refusals), "{refusals} of 40 were refused");
}

/// Leaves so many bytes free.
fn fill(filler: &Path, free: u64) {
    let file = fs::File::create(filler).expect("a file");
    let room = rustix::fs::fstatvfs(&file).expect("a disk");
    let size = room.f_bavail * room.f_bsize - free;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size).expect("room");
}

#[test]
fn a_store_on_another_disk_is_read_and_written_with_consent_only() {
    if !is_alone("a_store_on_another_disk_is_read_and_written_with_consent_only") {
        return;
    }
    // A virtual machine's home, where the store of its host is mounted, or linked to.
    for is_link in [false, true] {
        let mut rig = Rig::new();
        let contexts = rig.path(HOST).join("contexts");
        let place = match is_link {
            true => rig.home.path().join("mnt"),
            false => contexts.clone(),
        };
        fs::create_dir(&place).unwrap();
        mount(&place, "size=1m");
        if is_link {
            std::os::unix::fs::symlink(&place, &contexts).unwrap();
        }
        rig.write(HOST, "prod", "ssh://prod", "");
        rig.pass();
        assert_eq!(rig.both(), "prod ssh://prod");
        let problem = rig.status().sides[HOST as usize].problem.clone().unwrap();
        assert!(problem.contains("on another disk"), "{problem}");
        assert_eq!(rig.status().standing, Standing::InStep);
        rig.write(CONTAINER, "prod", "ssh://evil", "");
        assert_eq!(rig.told(), "");
        assert_eq!(rig.draw(HOST), "prod ssh://prod");
        let status = rig.status();
        assert_eq!(status.standing, Standing::Held);
        assert_eq!(
            status.holds[0].message,
            "`prod` was changed on the container side: it leads to ssh://evil now, not to ssh://prod. \
             The store of the host is on another disk, and is written with your consent only."
        );
        rig.mirror().drop_held(None).unwrap();
        assert_eq!(rig.both(), "prod ssh://prod");
        rig.write(CONTAINER, "dev", "ssh://dev", "");
        rig.mirror().approve(None).unwrap();
        assert_eq!(rig.both(), "dev ssh://dev\nprod ssh://prod");
        unmount(&place);
    }
}

/// Lets what lies in one folder stand at another's place as well, as where a disk is mounted.
fn bind(from: &Path, place: &Path) {
    let mut mount = Command::new("mount");
    let mount = mount.arg("--bind").args([from, place]);
    assert!(mount.status().expect("mount runs").success());
}

#[test]
fn row_48_a_side_that_is_unmounted_takes_nothing_with_it_and_is_as_it_was_once_it_is_back() {
    if !is_alone(
        "row_48_a_side_that_is_unmounted_takes_nothing_with_it_and_is_as_it_was_once_it_is_back",
    ) {
        return;
    }
    let both = "a1 unix:///a\na2 unix:///a key.pem=1";
    for side in Side::BOTH {
        let mut rig = Rig::new();
        let disk = rig.home.path().join("disk");
        fs::create_dir(&disk).unwrap();
        bind(&disk, &rig.path(side));
        rig.write(side, "a1", "unix:///a", "");
        rig.write(side, "a2", "unix:///a", "key.pem=1");
        rig.pass();
        assert_eq!(rig.both(), both);

        unmount(&rig.path(side));
        let other = side.other();
        assert_eq!(rig.told(), "", "the folder that was mounted over is empty");
        assert_eq!(rig.draw(other), both);
        assert_eq!(rig.status().standing, Standing::Halted);
        rig.write(other, "a3", "unix:///new", "");
        assert_eq!(rig.told(), "");
        assert_eq!(rig.path(side).read_dir().unwrap().count(), 0);

        bind(&disk, &rig.path(side));
        rig.pass();
        assert_eq!(rig.both(), format!("{both}\na3 unix:///new"));
        assert_eq!(rig.status().standing, Standing::InStep);
        unmount(&rig.path(side));
    }
}
