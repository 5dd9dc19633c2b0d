//! What the other end of a sync says: the first byte chooses what it was asked, the rest is its answer.
//!
//! Only answers: whoever serves a folder does what it is asked, and so would with the folders of this machine.
#![no_main]

use std::io::{Cursor, sink};
use std::path::Path;

use mizzen_sync::{
    CycleId, Dirty, Durability, Endpoint, Far, Links, OpenSide, Recall, RemoteEndpoint, TakeBack,
};
use mizzen_sync_core::Rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((question, answer)) = bytes.split_first() else {
        return;
    };
    let framed = message(answer);
    match question % 9 {
        0 => folder(framed),
        1 => folder(answer.to_vec()),
        2 => drop(opened(framed).map(look)),
        3 => drop(opened(framed).map(rules)),
        4 => drop(opened(framed).map(|mut far| far.history(&Recall::last(3)))),
        5 => {
            let what = TakeBack::Cycle(CycleId(1));
            drop(opened(framed).map(|mut far| far.take_back(CycleId(2), &what)));
        }
        6 => drop(opened(framed).map(|mut far| far.watch(std::sync::Arc::new(|| {})))),
        7 => drop(opened(framed).map(|far| far.room())),
        _ => drop(opened(answer.to_vec()).map(look)),
    }
});

/// A whole message in one frame, as the other end would send it.
fn message(bytes: &[u8]) -> Vec<u8> {
    const LAST_PART: u8 = 1;
    let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
    [&[LAST_PART][..], &length, bytes].concat()
}

/// Where a folder is and what its settings say, before it is opened.
fn folder(said: Vec<u8>) {
    let mut far = Far::new(Cursor::new(said), sink()).expect("a thread");
    if let Ok(folder) = far.folder(Path::new("/p")) {
        // What is wrong with them is told to a person.
        let Err(error) = folder.settings(Path::new("c:/p"), None) else {
            return;
        };
        let is_wild = |c: char| c.is_control() && c != '\n';
        assert!(!error.to_string().contains(is_wild), "{error}");
    }
}

/// An endpoint that says these bytes once it is open.
fn opened(said: Vec<u8>) -> Option<RemoteEndpoint> {
    /// The first of all answers: it was done.
    const DONE: u8 = 0;
    let said = [message(&[DONE]), said].concat();
    let side = OpenSide {
        path: "/p".into(),
        size_max: 1 << 30,
        links: Links::Portable,
        look_for_secrets: true,
        durability: Durability::None,
    };
    RemoteEndpoint::open(Cursor::new(said), sink(), side).ok()
}

fn look(mut far: RemoteEndpoint) {
    if let Ok(looked) = far.look(&Dirty::All, None) {
        let shown = looked.polling.unwrap_or_default();
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}

/// What a folder's own files say decides what is carried: rules, or a pattern that is none.
fn rules(mut far: RemoteEndpoint) {
    if let Ok(Some(texts)) = far.rules(None, true) {
        drop(Rules::new(&texts));
    }
}
