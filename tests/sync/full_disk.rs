//! The disk of a side is full, however little room it still has; it is told, and all goes on once there is room.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use mizzen_tests::own_core::supervisor;

use crate::alone::{is_alone, run};
use crate::link::with_far;
use crate::pair::{Pair, noise, remove, rename, write};

const PAGE: u64 = 4096;

#[test]
fn a_full_disk_on_either_side_is_told_and_tears_nothing() {
    if !is_alone("full_disk::a_full_disk_on_either_side_is_told_and_tears_nothing") {
        return;
    }
    for (full, side) in [("a", "in A:"), ("b", "in B:")] {
        at_each_room(full, side, |pair| {
            let said = pair.once_by_force();
            match said.code {
                0 => Ok(()),
                4 => Err(said.stderr),
                _ => panic!("{said:?}"),
            }
        });
    }
}

#[test]
fn a_full_disk_at_either_end_of_a_wire_is_told_and_tears_nothing() {
    if !is_alone("full_disk::a_full_disk_at_either_end_of_a_wire_is_told_and_tears_nothing") {
        return;
    }
    for (full, side) in [("a", "host"), ("b", "container")] {
        at_each_room(full, side, |pair| {
            let (done, ended) = with_far(&pair.path(""), Command::new(supervisor()), true);
            assert!(ended.success(), "the far end ends well: {done:?}");
            done.map(|conflicts| assert_eq!(conflicts, 0))
        });
    }
}

#[test]
fn what_has_no_room_in_a_trash_on_a_full_disk_of_its_own_stays_where_it_is() {
    if !is_alone(
        "full_disk::what_has_no_room_in_a_trash_on_a_full_disk_of_its_own_stays_where_it_is",
    ) {
        return;
    }
    // What is remembered lies there as well, and needs some.
    at_each_room("home", "", |pair| {
        let said = pair.once_by_force();
        match said.code {
            0 => Ok(()),
            4 => Err(said.stderr),
            _ => panic!("{said:?}"),
        }
    });
}

#[test]
fn a_disk_that_is_nearly_full_stops_a_cycle_before_anything_is_written() {
    if !is_alone("full_disk::a_disk_that_is_nearly_full_stops_a_cycle_before_anything_is_written") {
        return;
    }
    let once = |pair: &Pair| {
        let said = pair.once();
        match said.code {
            0 => Ok(()),
            3 => {
                assert!(said.stderr.contains("Make room there"), "{said:?}");
                Err(said.stderr)
            }
            _ => panic!("{said:?}"),
        }
    };
    check_nearly_full("a", "to A, whose disk has room for 2", &once);
    check_nearly_full("b", "to B, whose disk has room for 2", &once);
}

#[test]
fn a_disk_at_either_end_of_a_wire_that_is_nearly_full_stops_a_cycle_as_well() {
    if !is_alone(
        "full_disk::a_disk_at_either_end_of_a_wire_that_is_nearly_full_stops_a_cycle_as_well",
    ) {
        return;
    }
    let once = |pair: &Pair| {
        let far = Command::new(supervisor());
        with_far(&pair.path(""), far, false).0.map(drop)
    };
    check_nearly_full(
        "a",
        "to the host's folder, whose disk has room for 2",
        &once,
    );
    check_nearly_full(
        "b",
        "to the container's folder, whose disk has room for 2",
        &once,
    );
}

/// Room for some 240 of 300 KiB.
fn check_nearly_full(full: &str, said: &str, sync: &dyn Fn(&Pair) -> Result<(), String>) {
    let disk = Disk::new(full);
    let pair = &disk.pair;
    let other = if full == "a" { "b" } else { "a" };
    let at = |side: &str, name: &str| pair.path(&format!("{side}/{name}"));
    write(&at(other, "large"), &noise(900_000, 1));
    write(&at(full, "small"), b"1");
    assert_eq!(sync(pair), Ok(()));
    write(&at(other, "new"), &noise(300_000, 2));
    write(&at(full, "small"), b"22");
    disk.fill(70 * PAGE);
    let before = [pair.words("a"), pair.words("b")];
    for _ in 0..2 {
        let told = sync(pair).expect_err("no room");
        assert!(told.contains(said), "{told}");
        assert!(told.contains("296 KiB are to come"), "{told}");
        assert_eq!([pair.words("a"), pair.words("b")], before);
        assert_eq!(pair.leftovers(), [disk.filler()]);
    }
    // What only gets another place needs no room.
    remove(&at(other, "new"));
    rename(&at(other, "large"), &at(other, "renamed"));
    assert_eq!(sync(pair), Ok(()));
    assert_eq!(pair.words("a"), pair.words("b"));
    // With room it goes on.
    write(&at(other, "new"), &noise(300_000, 2));
    sync(pair).expect_err("no room");
    disk.empty();
    assert_eq!(sync(pair), Ok(()));
    assert_eq!(pair.words("a"), pair.words("b"));
}

/// Carries changes to a side with room for none of them, for a part, for all; each refusal calls the side so.
fn at_each_room(full: &str, side: &str, sync: impl Fn(&Pair) -> Result<(), String>) {
    let mut refusals = 0;
    let pages = (0..24).chain((24..260).step_by(8));
    let all = pages.clone().count();
    for pages in pages {
        let disk = Disk::new(full);
        let pair = &disk.pair;
        let moment = format!("{full} with room for {pages} pages");
        let other = if full == "a" { "b" } else { "a" };
        let files = [
            ("edit", 9000, 1),
            ("goes", 5000, 2),
            ("d/large", 300_000, 3),
            ("d/same", 10, 4),
        ];
        for (name, length, seed) in files {
            write(&pair.path(&format!("{other}/{name}")), &noise(length, seed));
        }
        sync(pair).expect("room");
        let files = [
            ("edit", 9001, 5),
            ("d/large", 300_001, 6),
            ("new", 20_000, 7),
            ("e/new", 5000, 8),
            ("e/f/new", 5000, 9),
            ("e/larger", 280_000, 10),
        ];
        for (name, length, seed) in files {
            write(&pair.path(&format!("{other}/{name}")), &noise(length, seed));
        }
        pair.put(&format!("{other}/goes-"));
        let held = pair.written();
        let whole = held.clone();
        disk.fill(pages * PAGE);
        if let Err(told) = sync(pair) {
            refusals += 1;
            assert!(told.contains("No space left on device"), "{moment}: {told}");
            assert!(told.contains(side), "{moment}: {told}");
            assert!(
                told.contains(&*disk.place.to_string_lossy()),
                "{moment}: {told}"
            );
        }
        check_whole(pair, &whole, &moment);
        check_kept(pair, &held, &moment);
        disk.empty();
        let done = sync(pair);
        assert_eq!(done, Ok(()), "{moment}");
        assert_eq!(pair.words("a"), pair.words("b"), "{moment}");
        check_kept(pair, &held, &moment);
        let left = pair.leftovers();
        assert!(left.is_empty(), "{moment}: left over: {left:?}");
    }
    assert!(
        (5..all - 1).contains(&refusals),
        "{refusals} of {all} were refused"
    );
}

/// Each file is one that somebody wrote.
fn check_whole(pair: &Pair, whole: &BTreeSet<Vec<u8>>, moment: &str) {
    let torn = |word: &String| {
        let is_file = word.contains('=') && !word.contains("filler");
        let place = word.split('=').next().expect("a name");
        let read = |side: &str| fs::read(pair.path(&format!("{side}/{place}"))).ok();
        is_file
            && !["a", "b"]
                .into_iter()
                .filter_map(read)
                .all(|found| whole.contains(&found))
    };
    for side in ["a", "b"] {
        let torn: Vec<String> = pair.words(side).into_iter().filter(torn).collect();
        assert!(torn.is_empty(), "{moment}: torn on {side}: {torn:?}");
    }
}

fn check_kept(pair: &Pair, held: &BTreeSet<Vec<u8>>, moment: &str) {
    let lost = held.difference(&pair.kept()).count();
    assert_eq!(lost, 0, "{moment}: lost");
}

/// A pair of which one side has a small disk of its own.
struct Disk {
    pair: Pair,
    place: PathBuf,
}

impl Disk {
    fn new(side: &str) -> Self {
        let pair = Pair::new();
        let place = pair.path(side);
        run(
            "mount",
            &["-t", "tmpfs", "-o", "size=4m", "tmpfs"],
            &[&place],
        );
        Self { pair, place }
    }

    /// Under a name that is never carried.
    fn filler(&self) -> PathBuf {
        self.place.join(".mizzen-tmp-filler")
    }

    /// Leaves so many bytes free.
    fn fill(&self, free: u64) {
        let file = fs::File::create(self.filler()).expect("a file");
        let room = rustix::fs::fstatvfs(&file).expect("a disk");
        let size = room.f_bavail * room.f_bsize - free;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size).expect("room");
    }

    fn empty(&self) {
        fs::remove_file(self.filler()).expect("ours");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &[], &[&self.place]);
    }
}
