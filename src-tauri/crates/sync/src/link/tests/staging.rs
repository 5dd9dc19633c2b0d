//! What goes over for a change, and what does not go over twice.

use std::os::unix::fs::MetadataExt;

use super::*;

const MIB: usize = 1024 * 1024;
const SIDES: [&str; 2] = ["host", "container"];
/// Whatever is said besides contents.
const TALK: u64 = 4096;

fn is_over_a_wire() -> bool {
    module_path!().contains("over_a_wire")
}

/// Contents that no other seed gives, and that nobody can shorten.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut noise = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise
}

#[expect(clippy::disallowed_methods, reason = "people write without care")]
fn put(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "people move without care")]
fn move_to(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

impl Fixture {
    /// What goes over while something is done; nothing does between two folders.
    fn sent<T>(&self, doing: impl FnOnce() -> T) -> (T, u64) {
        let before = self.meter.sent.load(Ordering::SeqCst);
        let done = doing();
        (done, self.meter.sent.load(Ordering::SeqCst) - before)
    }

    fn last_served(&self) -> thread::JoinHandle<()> {
        let mut served = self.served.lock().unwrap();
        served.pop().expect("a wire")
    }

    fn check_same_bytes(&self, path: &str, expected: &[u8]) {
        for side in SIDES {
            let found = fs::read(self.path(&format!("{side}/{path}"))).unwrap();
            assert!(found == expected, "{side}/{path}");
        }
    }

    fn remove_trash(&self) {
        for trash in [
            "container/.mizzen-tmp-trash",
            "state/trash-host",
            "state/trash-container",
        ] {
            if self.path(trash).exists() {
                remove(&self.path(trash));
            }
        }
    }
}

#[test]
fn an_edit_of_a_large_file_sends_little_more_than_itself() {
    for (there, here) in [("host", "container"), ("container", "host")] {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        let mut contents = noise(4 * MIB, 1);
        put(&fixture.path(&format!("{there}/large")), &contents);
        let mut link = fixture.link();
        link.cycle(&Both::everything(), false).unwrap();
        let edits: [(usize, usize); 4] = [(2 * MIB, 1024), (2 * MIB, 0), (0, 0), (4 * MIB, 0)];
        for (seed, (at, removed)) in (2..).zip(edits) {
            contents.splice(at..at + removed, noise(1024, seed));
            put(&fixture.path(&format!("{there}/large")), &contents);
            let (cycle, sent) = fixture.sent(|| link.cycle(&Both::everything(), false).unwrap());
            assert!(cycle.is_in_step());
            fixture.check_same_bytes("large", &contents);
            if is_over_a_wire() {
                let bytes = if here == "host" {
                    cycle.applied.host.bytes
                } else {
                    cycle.applied.container.bytes
                };
                assert!((1024..32 * 1024).contains(&bytes), "{at}: {bytes}");
                assert!(sent < 48 * 1024, "{at}: {sent}");
            }
        }
    }
}

#[test]
fn a_file_that_changes_altogether_and_one_that_shrinks_come_as_they_are() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    put(&fixture.path("host/large"), &noise(2 * MIB, 1));
    let mut link = fixture.link();
    link.cycle(&Both::everything(), false).unwrap();
    for (seed, length) in [
        (2, 2 * MIB),
        (3, 300_000),
        (3, 2 * MIB),
        (3, 1000),
        (4, 0),
        (5, MIB),
    ] {
        let contents = noise(length, seed);
        put(&fixture.path("host/large"), &contents);
        assert!(link.cycle(&Both::everything(), false).unwrap().is_in_step());
        fixture.check_same_bytes("large", &contents);
    }
}

#[test]
fn wherever_the_wire_is_cut_the_next_link_goes_on_from_there() {
    if !is_over_a_wire() {
        return;
    }
    for there in SIDES {
        let (large, old) = (noise(2 * MIB, 1), noise(MIB, 3));
        let mut edited = old.clone();
        edited.splice(100_000..400_000, noise(350_000, 4));
        let begun = || {
            let fixture = Fixture::new(Mode::TwoWaySafe);
            put(&fixture.path(&format!("{there}/edited")), &old);
            fixture.once().unwrap();
            put(&fixture.path(&format!("{there}/edited")), &edited);
            put(&fixture.path(&format!("{there}/d/large")), &large);
            for number in 0..50 {
                put(
                    &fixture.path(&format!("{there}/d/e/{number}")),
                    &noise(3000, 100 + number),
                );
            }
            fixture
        };
        let (cycle, total) = {
            let fixture = begun();
            fixture.sent(|| fixture.once().unwrap())
        };
        assert!(cycle.is_in_step() && total < 2_800_000, "{total}");
        // Each end writes frames of up to so many bytes at once. What has not come by the end of one does not count, nor
        // does one that came whole and was not read yet when its reader heard of the cut in what it was writing itself.
        let lost = 2 * 256 * 1024 + TALK;
        for cut in (TALK..total).step_by(150_001) {
            let fixture = begun();
            fixture.meter.left.store(cut, Ordering::SeqCst);
            fixture.once().unwrap_err();
            fixture.meter.left.store(u64::MAX, Ordering::SeqCst);
            // The end that serves has noticed it, and let go of what it was at.
            fixture.last_served().join().unwrap();
            let (cycle, again) = fixture.sent(|| fixture.once().unwrap());
            assert!(cycle.is_in_step(), "{cut}: {cycle:?}");
            fixture.check_same_bytes("edited", &edited);
            fixture.check_same_bytes("d/large", &large);
            // The sums of an old version go over again.
            let most = total - cut + lost + 16 * 1024;
            assert!(again <= most, "{there}, {cut}: {again} of {total}");
        }
    }
}

#[test]
fn a_rename_sends_no_contents() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    put(&fixture.path("host/d/large"), &noise(2 * MIB, 1));
    for number in 0..500 {
        put(
            &fixture.path(&format!("host/d/{}/{number}", number % 10)),
            &noise(500, 2 + number),
        );
    }
    put(&fixture.path("host/other"), b"1");
    fixture.once().unwrap();
    for (there, from, to) in [
        ("host", "d", "renamed"),
        ("container", "renamed", "d"),
        ("host", "d/large", "moved"),
    ] {
        let inodes = |fixture: &Fixture, at: &str| -> Vec<u64> {
            let mut found = Vec::new();
            inodes(&fixture.path(at), &mut found);
            found.sort_unstable();
            found
        };
        let other = if there == "host" { "container" } else { "host" };
        let before = inodes(&fixture, &format!("{other}/{from}"));
        let [from, to_path] = [from, to].map(|name| fixture.path(&format!("{there}/{name}")));
        move_to(&from, &to_path);
        let mut link = fixture.link();
        let ((), looked) = fixture.sent(|| drop(link.plan(&Both::everything()).unwrap()));
        let (cycle, sent) = fixture.sent(|| link.cycle(&Both::default(), true).unwrap());
        assert!(cycle.is_in_step());
        let applied = if other == "host" {
            &cycle.applied.host
        } else {
            &cycle.applied.container
        };
        assert_eq!(applied.bytes, 0);
        assert_eq!(applied.reused as usize, before.len());
        // The files themselves have got their new names.
        assert_eq!(inodes(&fixture, &format!("{other}/{to}")), before);
        assert!(sent + looked < 400_000, "{sent} {looked}");
        fixture.remove_trash();
    }
}

fn inodes(path: &Path, found: &mut Vec<u64>) {
    let facts = fs::symlink_metadata(path).unwrap();
    if facts.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            inodes(&entry.unwrap().path(), found);
        }
    } else {
        found.push(facts.ino());
    }
}
