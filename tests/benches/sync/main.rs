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
    let part = std::env::args().nth(1).filter(|it| !it.starts_with('-'));
    match part.as_deref() {
        Some("file") => one_file(&folders("one")),
        Some("folders") => works(&folders("folders"), FILES, 5),
        Some("container") => into_a_container(&folders("container")),
        Some("watching") => {
            let (folders, corpus) = (folders("watching"), Corpus { files: FILES });
            corpus.write(&folders.source());
            watch::measure(corpus, &folders, FILES);
        }
        Some("renames") => renames(&folders("renames")),
        Some("many") => many(&folders("many")),
        Some("burst") => watch::measure_bursts(&folders("burst")),
        Some(other) => panic!("there is no part {other}"),
        None => panic!("which part? Ask `cargo xtask bench sync`, which takes one after the other"),
    }
}

/// Files of the smaller corpus.
const FILES: usize = 20_000;
const MANY: usize = 100_000;

fn one_file(folders: &Folders) {
    let corpus = Corpus { files: 1 };
    fs::create_dir_all(folders.source()).unwrap();
    fs::write(folders.source().join("large"), corpus::noise(once::LARGE)).unwrap();
    for (whereto, work) in &once::ONE_FILE {
        let what = format!("a file of 256 MiB{whereto}");
        once::measure(work, corpus, folders, &what, 5);
    }
}

fn works(folders: &Folders, files: usize, rounds: usize) {
    let (corpus, what) = (Corpus { files }, format!("{files} files"));
    corpus.write(&folders.source());
    folders.prepare_git();
    for work in &once::WORKS {
        // A pass over what is there takes a moment only, and the disk has its moods.
        let rounds = if work.is_first { rounds } else { rounds.max(7) };
        once::measure(work, corpus, folders, &what, rounds);
    }
}

fn into_a_container(folders: &Folders) {
    let corpus = Corpus { files: FILES };
    corpus.write(&folders.source());
    for work in &once::CONTAINER {
        let what = format!("{FILES} files, to a container");
        once::measure(work, corpus, folders, &what, 5);
    }
}

fn renames(folders: &Folders) {
    let corpus = Corpus { files: FILES };
    corpus.write(&folders.source());
    for (whereto, work) in [
        ("", &once::RENAME),
        (", to a container", &once::RENAME_IN_CONTAINER),
    ] {
        let what = format!("{FILES} files{whereto}");
        once::measure(work, corpus, folders, &what, 5);
    }
}

fn many(folders: &Folders) {
    works(folders, MANY, 3);
    for work in &once::MEMORY {
        let what = format!("{MANY} files");
        once::measure(work, Corpus { files: MANY }, folders, &what, 1);
    }
}
