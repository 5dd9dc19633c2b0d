//! Figures of sync between two folders of this machine, for `cargo xtask bench sync`: the released program against its
//! peers, in turns.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]
#![allow(
    clippy::disallowed_methods,
    reason = "the folders are the bench's own, and are changed as other programs would"
)]
#![cfg(target_os = "linux")]

mod corpus;
mod once;
mod program;
mod watch;

use std::fs;

use corpus::Corpus;
use program::Folders;

fn main() {
    let place = tempfile::tempdir().unwrap();
    let folders = Folders(place.path().join("one"));
    let corpus = Corpus { files: 1 };
    fs::create_dir_all(folders.source()).unwrap();
    fs::write(folders.source().join("large"), vec![b'a'; once::LARGE]).unwrap();
    once::measure(&once::EDIT, corpus, &folders, "a file of 256 MiB", 5);

    for (files, rounds) in [(20_000, 5), (100_000, 3)] {
        let (corpus, what) = (Corpus { files }, format!("{files} files"));
        let folders = Folders(place.path().join(&what));
        corpus.write(&folders.source());
        folders.prepare_git();
        for work in &once::WORKS {
            once::measure(work, corpus, &folders, &what, rounds);
        }
        if files == 20_000 {
            watch::measure(corpus, &folders, &what);
        } else {
            for work in &once::MEMORY {
                once::measure(work, corpus, &folders, &what, 1);
            }
        }
    }
}
