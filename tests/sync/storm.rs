//! More changes at once than the system keeps in mind for who watches.

use std::fs;
use std::path::Path;
use std::process::Command;

use mizzen_tests::own_core::supervisor;

use crate::link::with_far;
use crate::pair::{Pair, Watching, until, write};

/// The system drops what comes when so many events wait to be read.
const QUEUE: &str = "/proc/sys/fs/inotify/max_queued_events";
const FILES: usize = 50_000;
const IN_A_DIR: usize = 500;
/// In KiB; that of 50 000 files is 64 MiB at most, and programs that are built for tests need more.
const MEMORY_MAX: u64 = 256 * 1024;

#[test]
fn fifty_thousand_files_at_once_come_over_whole_and_take_bounded_memory() {
    let pair = Pair::new();
    pair.put("a/before=1");
    assert_eq!(pair.once().code, 0);
    let queue = fs::read_to_string(QUEUE).expect("a number");
    assert!(queue.trim().parse::<usize>().expect("a number") < FILES);
    let watching = Watching::start(&pair, &["--watch", "--interval", "100000"]);
    storm(&pair.path("a/while"));
    until("what came while it ran", || {
        count(&pair.path("b/while")) == FILES
    });
    // Nobody takes what the system has to tell, so that most of it is dropped.
    watching.signal("STOP");
    storm(&pair.path("b/asleep"));
    fs::remove_file(pair.path("a/before")).unwrap();
    watching.signal("CONT");
    until("what came while it slept", || {
        count(&pair.path("a/asleep")) == FILES
    });
    until("what went while it slept", || {
        !pair.path("b/before").exists()
    });
    // It goes on as before: a change is told, and not looked for.
    pair.put("a/there=22");
    until("an edit", || {
        fs::read(pair.path("b/there")).is_ok_and(|text| text == b"22")
    });
    let peak = watching.peak();
    assert!(peak < MEMORY_MAX, "{peak} KiB");
    drop(watching);
    assert_eq!(pair.words("a"), pair.words("b"));
    let again = pair.once();
    assert!(again.stdout.contains("nothing to do"), "{again:?}");
}

fn storm(dir: &Path) {
    for number in 0..FILES {
        let path = dir.join(format!("{}/{number}", number / IN_A_DIR));
        write(&path, number.to_string().as_bytes());
    }
}

fn count(dir: &Path) -> usize {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten();
    let files = |dir: fs::DirEntry| entries(&dir.path()).count();
    entries(dir).map(files).sum()
}

#[test]
fn a_hundred_thousand_entries_in_one_folder_come_over_both_ways() {
    const ENTRIES: usize = 100_000;
    let pair = Pair::new();
    for number in 0..ENTRIES {
        write(&pair.path(&format!("a/d/{number}")), b"");
    }
    let far = || {
        let (done, _) = with_far(&pair.path(""), Command::new(supervisor()), false);
        assert_eq!(done, Ok(0));
    };
    far();
    let b = fs::read_dir(pair.path("b/d")).expect("a folder");
    assert_eq!(b.count(), ENTRIES);
    pair.put("b/d/777=1 b/d/778- a/d/new=2 a/d/779-");
    far();
    assert_eq!(pair.words("a"), pair.words("b"));
    assert!(!pair.path("a/d/778").exists() && !pair.path("b/d/779").exists());
    let said = pair.once();
    assert!(said.stdout.contains("nothing to do"), "{said:?}");
}
