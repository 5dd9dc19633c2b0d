//! Disks that come and go: in the place of a folder that is kept in step, and below it.

use std::process::Command;

use mizzen_tests::own_core::supervisor;

use crate::alone::{is_alone, run};
use crate::link::with_far;
use crate::pair::{Pair, remove};

/// So few that the brake lets them go.
const HELD: &str = "d/ d/c=3 one=1 two=2";

fn held(side: &str) -> String {
    format!("{side}/one=1 {side}/two=2 {side}/d/c=3")
}

/// A disk in the place of a side's folder, which holds other things itself.
fn mounted(side: &str) -> Pair {
    let pair = Pair::new();
    pair.put(&format!("{side}/left=behind"));
    run("mount", &["-t", "tmpfs", "tmpfs"], &[&pair.path(side)]);
    pair
}

/// Syncs what lies there, then takes the disk away, and brings another one: nothing goes on either side.
fn check_exchanged(side: &str, called: &str, once: impl Fn(&Pair) -> Result<(), String>) {
    let pair = mounted(side);
    let other = if side == "a" { "b" } else { "a" };
    pair.put(&held(other));
    assert_eq!(once(&pair), Ok(()));
    assert_eq!(pair.words(side).join(" "), HELD);

    let check = |expected: &str| {
        for _ in 0..2 {
            let told = once(&pair).expect_err("it stops");
            let why =
                format!("{called} is another folder than the last time, and holds 0 of 3 files");
            assert!(told.contains(&why), "{told}");
        }
        assert_eq!(pair.words(side).join(" "), expected);
        assert_eq!(pair.words(other).join(" "), HELD);
    };
    let disk = pair.path("disk");
    std::fs::create_dir(&disk).expect("a folder");
    run("mount", &["--move"], &[&pair.path(side), &disk]);
    check("left=behind");
    run("mount", &["-t", "tmpfs", "tmpfs"], &[&pair.path(side)]);
    pair.put(&format!("{side}/another=disk"));
    check("another=disk");
    run("umount", &[], &[&pair.path(side)]);

    // The disk is back.
    run("mount", &["--bind"], &[&disk, &pair.path(side)]);
    pair.put(&format!("{other}/one=11"));
    assert_eq!(once(&pair), Ok(()));
    assert_eq!(pair.words(side).join(" "), "d/ d/c=3 one=11 two=2");
}

#[test]
fn a_disk_that_is_away_while_its_place_holds_other_things_stops_the_sync() {
    if !is_alone("mounts::a_disk_that_is_away_while_its_place_holds_other_things_stops_the_sync") {
        return;
    }
    for (side, called) in [("a", "A"), ("b", "B")] {
        check_exchanged(side, called, |pair| {
            let said = pair.once();
            match said.code {
                0 => Ok(()),
                3 => {
                    let hint = "Put back what was there, such as a disk that is not mounted";
                    assert!(said.stderr.contains(hint), "{said:?}");
                    Err(said.stderr)
                }
                _ => panic!("{said:?}"),
            }
        });
    }
}

#[test]
fn a_disk_that_is_away_at_the_other_end_of_a_wire_stops_the_sync_as_well() {
    if !is_alone("mounts::a_disk_that_is_away_at_the_other_end_of_a_wire_stops_the_sync_as_well") {
        return;
    }
    check_exchanged("b", "the container's folder", |pair| {
        let far = Command::new(supervisor());
        with_far(&pair.path(""), far, false).0.map(drop)
    });
}

#[test]
fn what_is_mounted_below_a_folder_is_not_entered_and_stays() {
    if !is_alone("mounts::what_is_mounted_below_a_folder_is_not_entered_and_stays") {
        return;
    }
    for how in [&["-t", "tmpfs", "tmpfs"][..], &["--bind", "/usr/share"]] {
        for (side, other) in [("a", "b"), ("b", "a")] {
            let pair = Pair::new();
            pair.put(&format!("{side}/d/x=1 {side}/d/disk/"));
            let disk = pair.path(&format!("{side}/d/disk"));
            run("mount", how, &[&disk]);
            let is_ours = how.contains(&"tmpfs");
            if is_ours {
                pair.put(&format!("{side}/d/disk/of=another"));
            }
            for _ in 0..2 {
                let said = pair.once();
                assert_eq!(said.code, 1, "{said:?}");
                let told = said.stdout.lines().find(|line| line.contains("  d/disk  "));
                let told = told.unwrap_or_else(|| panic!("{said:?}"));
                let letter = side.to_uppercase();
                assert!(
                    told.contains(&letter) && told.contains("another file system is mounted there"),
                    "{said:?}"
                );
                assert_eq!(pair.words(other).join(" "), "d/ d/x=1");
            }
            // Nor does it go with what is around it.
            remove(&pair.path(&format!("{other}/d")));
            pair.put(&format!("{other}/kept=1"));
            let said = pair.once_by_force();
            assert_eq!(said.code, 1, "{said:?}");
            assert!(disk.join("of").exists() || !is_ours);
            assert!(!pair.path(&format!("{side}/d/x")).exists());
            run("umount", &[], &[&disk]);
        }
    }
}
