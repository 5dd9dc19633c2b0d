//! Figures of sync between two folders of this machine, for `cargo xtask bench sync`: the released program against its
//! peers, in turns.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]
#![allow(
    clippy::disallowed_methods,
    reason = "the folders are the bench's own, and are changed as other programs would"
)]
#![cfg(target_os = "linux")]

mod container;
mod corpus;
mod once;
mod program;
mod syncthing;
mod watch;

use std::fs;

use container::Container;
use corpus::Corpus;
use program::Folders;

fn main() {
    let place = tempfile::tempdir().unwrap();
    let container = Container::with(place.path());
    let folders = |what: &str| Folders {
        place: place.path().join(what),
        container: container.name.clone(),
    };
    // Cargo itself adds `--bench`.
    match std::env::args().nth(1).as_deref() {
        Some("burst") => return watch::measure_bursts(&folders("burst")),
        Some(other) if !other.starts_with('-') => panic!("there is no case {other}"),
        _ => {}
    }
    let (one, corpus) = (folders("one"), Corpus { files: 1 });
    fs::create_dir_all(one.source()).unwrap();
    fs::write(one.source().join("large"), corpus::noise(once::LARGE)).unwrap();
    for (whereto, work) in &once::ONE_FILE {
        once::measure(
            work,
            corpus,
            &one,
            &format!("a file of 256 MiB{whereto}"),
            5,
        );
    }

    for (files, rounds) in [(20_000, 5), (100_000, 3)] {
        let (corpus, what) = (Corpus { files }, format!("{files} files"));
        let folders = folders(&files.to_string());
        corpus.write(&folders.source());
        folders.prepare_git();
        for work in &once::WORKS {
            once::measure(work, corpus, &folders, &what, rounds);
        }
        let into = format!("{what}, to a container");
        if files > 20_000 {
            for work in &once::MEMORY {
                once::measure(work, corpus, &folders, &what, 1);
            }
            continue;
        }
        for work in &once::CONTAINER {
            once::measure(work, corpus, &folders, &into, rounds);
        }
        watch::measure(corpus, &folders, files);
        once::measure(&once::RENAME, corpus, &folders, &what, rounds);
        let work = &once::RENAME_IN_CONTAINER;
        once::measure(work, corpus, &folders, &into, rounds);
    }
}
