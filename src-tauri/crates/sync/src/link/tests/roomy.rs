//! Disks are asked for their room when that matters.

use super::asking::meddled_with_room;
use super::*;

const MEBIBYTE: u64 = 1 << 20;

/// A disk that counts how often it is asked.
#[derive(Clone, Default)]
struct Disk {
    room: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Disk {
    fn has(&self, room: u64) {
        self.room.store(room, Ordering::Relaxed);
    }

    /// How often it was asked since the last time.
    fn asked(&self) -> u64 {
        self.asked.swap(0, Ordering::Relaxed)
    }

    fn link(&self, fixture: &Fixture) -> Link {
        let (full, disk) = (self.clone(), self.clone());
        let happens = move || match full.room.load(Ordering::Relaxed) {
            0 => Err(std::io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        };
        meddled_with_room(fixture, Side::Container, happens, move |found| {
            assert!(found.is_some(), "the real one answers");
            disk.asked.fetch_add(1, Ordering::Relaxed);
            Some(disk.room.load(Ordering::Relaxed))
        })
    }
}

/// A link that is in step, whose disk has plenty of room and was asked for it once.
fn in_step() -> (Fixture, Disk, Link) {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "1");
    let disk = Disk::default();
    disk.has(100 * MEBIBYTE);
    let mut link = disk.link(&fixture);
    link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(disk.asked(), 1);
    (fixture, disk, link)
}

fn changed(path: &str) -> Both<Dirty> {
    let path = RelPath::new(path.as_bytes()).unwrap();
    Both {
        host: [path].iter().collect(),
        container: Dirty::default(),
    }
}

#[test]
fn a_disk_with_plenty_of_room_is_not_asked_for_each_edit() {
    let (fixture, disk, mut link) = in_step();
    for text in ["2", "3"] {
        fixture.write("host/a", text);
        link.cycle(&changed("a"), false).unwrap();
    }
    assert_eq!(disk.asked(), 0);
    fixture.write("host/a", "4");
    link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(disk.asked(), 1, "all is looked at anew");
    fixture.check_same(&["a=4"]);
}

#[test]
fn what_matters_to_a_disk_is_asked_for_before_anything_is_written() {
    let (fixture, disk, mut link) = in_step();
    // Others have filled it meanwhile.
    disk.has(MEBIBYTE);
    fixture.write("host/b", "2");
    fixture.write("host/large", &"x".repeat(2 * 1024 * 1024));
    let mut dirty = changed("b");
    dirty.host.merge(changed("large").host);
    let ended = link.cycle(&dirty, false);
    let full = |error: &CycleError| {
        matches!(
            error,
            CycleError::Halted(Halt::DiskFull {
                side: Side::Container,
                room: MEBIBYTE,
                ..
            })
        )
    };
    assert!(ended.as_ref().is_err_and(full), "{ended:?}");
    assert_eq!(disk.asked(), 1);
    assert!(!fixture.path("container/b").exists());
    // Whoever was stopped asks again, whatever it is about.
    fs::remove_file(fixture.path("host/large")).unwrap();
    link.cycle(&changed("large"), false).unwrap();
    assert_eq!(disk.asked(), 1);
    fixture.check_same(&["a=1", "b=2"]);
}

#[test]
fn a_disk_that_filled_up_unasked_stops_the_next_cycle() {
    let (fixture, disk, mut link) = in_step();
    disk.has(0);
    fixture.write("host/a", "2");
    let ended = link.cycle(&changed("a"), false);
    assert!(matches!(ended, Err(CycleError::Apply(..))), "{ended:?}");
    assert_eq!(disk.asked(), 0);
    let ended = link.cycle(&Both::default(), false);
    let is_halted = matches!(ended, Err(CycleError::Halted(Halt::DiskFull { .. })));
    assert!(is_halted, "{ended:?}");
    disk.has(100 * MEBIBYTE);
    link.cycle(&Both::default(), false).unwrap();
    fixture.check_same(&["a=2"]);
}
