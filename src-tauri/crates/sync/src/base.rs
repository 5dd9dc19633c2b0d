//! What both sides last agreed on, on disk.
//!
//! Two files take turns, so that the one before last is still whole whatever becomes of the last. A base that cannot be
//! used is set aside under another name, and never removed: without a base nothing is deleted on either side.

mod generation;
mod texts;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, remove_leftovers, write_atomic};
use mizzen_sync_core::Node;

pub use generation::Unusable;
pub use texts::{Kept, TEXT_SIZE_MAX, TextStore};

use generation::{Generation, Held};

const FILES: [&str; 2] = ["base.0", "base.1"];

/// Which two roots a base tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkId([u8; 32]);

impl LinkId {
    /// Takes what tells a pair of roots from all others, in an order of the caller's: their places, the container's id.
    #[must_use]
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..16]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Keeps the base of one link.
#[derive(Debug)]
pub struct BaseStore {
    dir: PathBuf,
    link: LinkId,
    /// The file that is written next, and the number of what is written.
    next: (usize, u64),
}

/// A store and what was found in it.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: BaseStore,
    /// The base; without one nothing may be deleted on either side.
    pub base: Option<Node>,
    /// Files that could not be used; with neither these nor a base, the link is new.
    pub set_aside: Vec<SetAside>,
}

/// A file that could not be used.
#[derive(Debug)]
pub struct SetAside {
    /// Where it is now.
    pub file: PathBuf,
    /// Why.
    pub why: Unusable,
}

impl BaseStore {
    /// Opens the base of a link in a directory that is the link's own, and that nobody else has opened.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn open(dir: impl Into<PathBuf>, link: LinkId) -> Result<Opened, PathError> {
        let dir = dir.into();
        let mut held = Vec::new();
        for (turn, file) in FILES.iter().enumerate() {
            let path = dir.join(file);
            remove_leftovers(&path)?;
            let found = generation::load(&path, &link)?;
            held.extend(found.map(|held| (turn, held)));
        }
        let (newest, unusable) = choose(held);
        let mut set_aside = Vec::new();
        for (turn, why) in unusable {
            let file = put_aside(&dir.join(FILES[turn]))?;
            set_aside.push(SetAside { file, why });
        }
        let (next, base) = match newest {
            Some((turn, newest)) => ((1 - turn, newest.number + 1), Some(newest.base)),
            None => ((0, 1), None),
        };
        Ok(Opened {
            store: Self { dir, link, next },
            base,
            set_aside,
        })
    }

    /// Keeps a base. It is on the disk when this returns; when it fails, the last one stays.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn save(&mut self, base: &Node) -> Result<(), PathError> {
        let (turn, number) = self.next;
        let bytes = generation::write(number, &self.link, base);
        write_atomic(self.dir.join(FILES[turn]), &bytes)?;
        self.next = (1 - turn, number + 1);
        Ok(())
    }
}

/// Something about one of the files.
type OfFile<T> = (usize, T);

/// The generation to go on from, and the files that are in the way.
fn choose(held: Vec<OfFile<Held>>) -> (Option<OfFile<Generation>>, Vec<OfFile<Unusable>>) {
    // One that was torn while it was written followed the other at once, and so the other is nearly as good. But others
    // may have gone on for long from a base of another pair or version: what it does not know it would delete.
    let was_left = held
        .iter()
        .any(|(_, held)| matches!(held, Err(Unusable::OtherLink | Unusable::Newer(_))));
    let mut usable = Vec::new();
    let mut unusable = Vec::new();
    for (turn, held) in held {
        match held {
            Ok(_) if was_left => unusable.push((turn, Unusable::Outdated)),
            Ok(found) => usable.push((turn, found)),
            Err(why) => unusable.push((turn, why)),
        }
    }
    let newest = usable.into_iter().max_by_key(|(_, found)| found.number);
    (newest, unusable)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the lock makes this the only writer, and the name was free"
)]
fn put_aside(path: &Path) -> Result<PathBuf, PathError> {
    let mut numbers = 1..;
    let aside = numbers.find_map(|number: u32| {
        let aside = path.with_added_extension(format!("unusable-{number}"));
        (!fs::exists(&aside).unwrap_or(true)).then_some(aside)
    });
    let aside = aside.expect("BUG: there is no end of numbers");
    fs::rename(path, &aside).at(path)?;
    Ok(aside)
}

#[cfg(test)]
mod tests;
