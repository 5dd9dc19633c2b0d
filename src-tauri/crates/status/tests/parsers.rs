//! The laws of all parsers, for files that are nearly right: golden ones with bytes changed, cut and doubled.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

mod laws;

/// The golden files of a kind.
fn golden(kind: &str) -> Vec<Vec<u8>> {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/protocol/golden");
    let entries = fs::read_dir(kit.join(kind)).expect("the kit is there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

/// A golden file of a kind with some harm done to it.
fn damaged(kind: &'static str) -> impl Strategy<Value = Vec<u8>> {
    static BITS: [&str; 12] = [
        "\\u0000",
        "\\u200b",
        "\\u001b[2J",
        "{",
        "]",
        "\"",
        "null",
        "-1",
        "1e308",
        ",",
        "é",
        "\"status\":",
    ];
    let harm = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        proptest::sample::select(&BITS[..]).prop_map(|bit| bit.as_bytes().to_vec()),
    ];
    let harms = proptest::collection::vec((any::<Index>(), 0..3_usize, harm), 0..4);
    let file = LazyLock::new(move || golden(kind));
    (any::<Index>(), harms).prop_map(move |(which, harms)| {
        let mut bytes = which.get(&file).clone();
        for (at, gone, new) in harms {
            let at = at.index(bytes.len() + 1);
            let end = (at + gone).min(bytes.len());
            bytes.splice(at..end, new);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn of_reports(bytes in damaged("status")) {
        laws::status(&bytes);
    }

    #[test]
    fn of_queues(bytes in damaged("commands")) {
        laws::commands(&bytes);
    }

    #[test]
    fn of_metrics(bytes in damaged("metrics")) {
        laws::metrics(&bytes);
    }

    #[test]
    fn of_registries(bytes in damaged("registry")) {
        laws::registry(&bytes);
    }
}
