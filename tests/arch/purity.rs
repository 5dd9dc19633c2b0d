//! What is pure by its crate's invariant stays so.

use crate::repository::{expect_none, files_named, read};

/// The crate that decides what a sync cycle does.
const PURE: &str = "src-tauri/crates/sync-core/src/";

/// Ways out of a pure function.
const WORLD: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time",
    "std::io",
    "tokio",
];

#[test]
fn what_sync_decides_touches_nothing() {
    let sources = files_named(&["rs"]);
    let pure: Vec<_> = sources
        .iter()
        .filter(|file| file.starts_with(PURE))
        .collect();
    assert!(!pure.is_empty(), "{PURE} has moved");
    expect_none(pure.into_iter().flat_map(|file| {
        let text = read(file);
        let found = WORLD.into_iter().filter(move |world| text.contains(world));
        found
            .map(move |world| format!("{file} names {world}; the crate is pure"))
            .collect::<Vec<_>>()
    }));
}
