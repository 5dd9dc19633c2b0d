//! What goes to the disk while more is still coming.

use std::sync::{Arc, Condvar, Mutex};

use super::super::write_back::MUCH;
use super::*;

const FILES: u64 = 20;
const LAST: &str = "file-99";

/// A side that holds twice as much as is waited for, in files that take no room.
fn much() -> Side {
    let side = Side::new("");
    let names = (10..10 + FILES - 1).map(|number| format!("file-{number}"));
    for name in names.chain([LAST.to_owned()]) {
        let file = fs::File::create(side.path(&name)).unwrap();
        file.set_len(2 * MUCH / FILES).unwrap();
    }
    side
}

#[test]
fn the_disk_works_while_files_come() {
    let there = much();
    let mut here = Side::new("");
    here.options.durability = Durability::Data;
    let began = Arc::new((Mutex::new(false), Condvar::new()));
    let told = began.clone();
    here.tap = Tap::new(move |op, name| {
        let (began, changed) = &*told;
        let mut began = began.lock().unwrap();
        if op == Op::SyncFileSystem {
            *began = true;
            changed.notify_all();
        } else if op == Op::CreateFile && name == LAST.as_bytes() {
            let deadline = Duration::from_secs(60);
            let waited = changed.wait_timeout_while(began, deadline, |began| !*began);
            assert!(!waited.unwrap().1.timed_out(), "nobody tells the disk");
        }
        Ok(())
    });
    let applied = here.follow(&there).unwrap();
    assert_eq!((applied.files, applied.failed.len()), (FILES, 0));
}

#[test]
fn what_the_disk_did_not_take_early_is_told_in_the_end() {
    let there = much();
    let mut here = Side::new("");
    here.options.durability = Durability::Data;
    let syncs = Mutex::new(0);
    here.tap = Tap::new(move |op, _| {
        let mut syncs = syncs.lock().unwrap();
        *syncs += u32::from(op == Op::SyncFileSystem);
        match (op, *syncs) {
            // As the system does: of one failure it tells once.
            (Op::SyncFileSystem, 1) => Err(io::Error::other("the disk is broken")),
            _ => Ok(()),
        }
    });
    let error = here.follow(&there).unwrap_err();
    assert!(error.to_string().contains("the disk is broken"), "{error}");
    assert!(error.applied.done.is_empty());
    assert_eq!(here.words(), [""; 0]);
}
