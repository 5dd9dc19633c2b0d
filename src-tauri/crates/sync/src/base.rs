//! What both sides last agreed on, on disk.
//!
//! Two files take turns, so that the one before last is still whole whatever becomes of the last. Beside each lies what
//! became of it later, for as long as that is less than to write it anew. A base that cannot be
//! used is set aside under another name, and never removed: without a base nothing is deleted on either side.

mod edits;
mod generation;
mod left;
mod roots;
mod texts;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, remove_leftovers, write_atomic_by};
use mizzen_sync_core::{Edit, Left, Node};

pub use generation::Unusable;
pub use texts::{Kept, TEXT_SIZE_MAX, TextStore};

use edits::{EditsFile, FoundEdits};
use generation::{Generation, Held, Written};
use roots::Roots;

const FILES: [&str; 2] = ["base.0", "base.1"];
const EDITS: [&str; 2] = ["base.0.edits", "base.1.edits"];

/// A share of a base's length that is not appended to it at once, nor one by one: it is written anew instead.
const SHARE: u64 = 4;
/// Less than that is always appended.
const FEW: u64 = 64 * 1024;

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
    /// The generation that edits can be appended to; none when the next base is written whole.
    last: Option<Last>,
    /// The folders that it was agreed with.
    roots: Roots,
    /// What stays on one side, and is not in it.
    left: Vec<Left>,
}

/// The generation that was written last, and its edits, if it has any.
#[derive(Debug)]
struct Last {
    checksum: [u8; 32],
    length: u64,
    edits: Option<EditsFile>,
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
            remove_leftovers(dir.join(EDITS[turn]))?;
            let found = generation::load(&path, &link)?;
            held.extend(found.map(|held| (turn, held)));
        }
        let has_become = |turn: usize| {
            let edits = dir.join(EDITS[turn]).metadata();
            let is_any = edits.is_ok_and(|edits| edits.len() > edits::HEADER as u64);
            is_any.then(|| generation::stated_number(&dir.join(FILES[turn])))
        };
        let (newest, mut unusable) = choose(held, has_become);
        let newest = match newest {
            Some(newest) => with_edits(&dir, newest, &mut unusable)?,
            None => None,
        };
        // Those first that are whole: without what followed them they would be gone on from.
        unusable.sort_by_key(|(_, why)| !matches!(why, Unusable::Outdated));
        let mut set_aside = Vec::new();
        for (turn, why) in unusable {
            let file = put_aside(&dir.join(FILES[turn]))?;
            let edits = dir.join(EDITS[turn]);
            if edits.exists() {
                put_aside(&edits)?;
            }
            set_aside.push(SetAside { file, why });
        }
        for file in [roots::FILE, left::FILE] {
            remove_leftovers(dir.join(file))?;
        }
        let mut store = Self {
            roots: roots::load(&dir),
            left: left::load(&dir),
            dir,
            link,
            next: (0, 1),
            last: None,
        };
        let base = match newest {
            Some((((turn, newest), base), found)) => {
                store.next = (1 - turn, newest.number + 1);
                store.grown(&newest, base, found)
            }
            None => None,
        };
        Ok(Opened {
            store,
            base,
            set_aside,
        })
    }

    /// What a generation has become.
    fn grown(&mut self, of: &Generation, base: Node, found: FoundEdits) -> Option<Node> {
        // Behind a record that is not whole none would be found again.
        self.last = (!found.is_torn).then_some(Last {
            checksum: of.checksum,
            length: of.length(),
            edits: found.file,
        });
        match &*found.edits {
            [] => Some(base),
            edits => Node::overlaid(Some(&base), edits),
        }
    }

    /// Keeps a base. It is on the disk when this returns; when it fails, the last one stays.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn save(&mut self, base: &Node) -> Result<(), PathError> {
        let (turn, number) = self.next;
        self.last = None;
        remove(&self.dir.join(EDITS[turn]))?;
        let mut written = None;
        write_atomic_by(self.dir.join(FILES[turn]), |out| {
            written = Some(generation::write(number, &self.link, base, out)?);
            Ok(())
        })?;
        self.next = (1 - turn, number + 1);
        self.last = written.map(|Written { checksum, length }| Last {
            checksum,
            length,
            edits: None,
        });
        Ok(())
    }

    /// Keeps what the last base has become by edits that were put over it, in as few bytes as that takes. The same holds
    /// as for [`Self::save`]. What has become nothing is not kept.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn learn(&mut self, edits: &[Edit], base: Option<&Node>) -> Result<(), PathError> {
        // Put back when all went well: what could not be appended is not in the file, and all later edits stand on it.
        let last = self.last.take();
        let Some(base) = base else { return Ok(()) };
        let Some(mut last) = last else {
            return self.save(base);
        };
        let body = edits::body(edits);
        let length = body.len() as u64 + last.edits.as_ref().map_or(0, EditsFile::bytes);
        if length > FEW.max(last.length / SHARE) {
            return self.save(base);
        }
        let (next, _) = self.next;
        let mut file = match last.edits {
            Some(file) => file,
            None => EditsFile::begin(&self.dir.join(EDITS[1 - next]), last.checksum)?,
        };
        file.append(&body)?;
        last.edits = Some(file);
        self.last = Some(last);
        Ok(())
    }
}

/// Something about one of the files.
type OfFile<T> = (usize, T);

/// A generation and the base in it.
type Chosen = (OfFile<Generation>, Node);

/// The generation to go on from, with the base in it, and the files that are in the way. Told by `has_become` are those that
/// were gone on from, with the number that they state.
fn choose(
    held: Vec<OfFile<Held>>,
    has_become: impl Fn(usize) -> Option<Option<u64>>,
) -> (Option<Chosen>, Vec<OfFile<Unusable>>) {
    // One that was torn while it was written followed the other at once, and so the other is nearly as good. But from one
    // that has edits, or is of another pair or version, somebody may have gone on for long: what the other does not know
    // it would delete.
    let numbers = held.iter().filter_map(|(_, held)| held.as_ref().ok());
    let newest = numbers.map(|found| found.number).max();
    let was_left = held.iter().any(|(turn, held)| match held {
        Ok(_) => false,
        Err(Unusable::OtherLink | Unusable::Newer(_)) => true,
        Err(_) => has_become(*turn).is_some_and(|number| number.is_none_or(|it| Some(it) > newest)),
    });
    let mut usable = Vec::new();
    let mut unusable = Vec::new();
    for (turn, held) in held {
        match held {
            Ok(_) if was_left => unusable.push((turn, Unusable::Outdated)),
            Ok(found) => usable.push((turn, found)),
            Err(why) => unusable.push((turn, why)),
        }
    }
    usable.sort_by_key(|(_, found)| found.number);
    while let Some((turn, newest)) = usable.pop() {
        match newest.base() {
            Ok(base) => return (Some(((turn, newest), base)), unusable),
            Err(why) => unusable.push((turn, why)),
        }
    }
    (None, unusable)
}

/// What a generation has become. When that is damaged, the generation is in the way, and so is the one before it.
fn with_edits(
    dir: &Path,
    chosen: Chosen,
    unusable: &mut Vec<OfFile<Unusable>>,
) -> Result<Option<(Chosen, FoundEdits)>, PathError> {
    let ((turn, newest), _) = &chosen;
    let why = match edits::load(&dir.join(EDITS[*turn]), newest.checksum)? {
        Ok(found) => return Ok(Some((chosen, found))),
        Err(why) => why,
    };
    let other = 1 - turn;
    let is_told = unusable.iter().any(|(turn, _)| *turn == other);
    if !is_told && fs::exists(dir.join(FILES[other])).at(dir)? {
        unusable.push((other, Unusable::Outdated));
    }
    unusable.push((*turn, why));
    Ok(None)
}

/// Removes edits of a base that is about to go.
fn remove(edits: &Path) -> Result<(), PathError> {
    match fs::remove_file(edits) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(edits),
        _ => Ok(()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the lock makes this the only writer, and the name was free"
)]
fn put_aside(path: &Path) -> Result<PathBuf, PathError> {
    let mut numbers = 1..;
    loop {
        let number: u32 = numbers.next().expect("BUG: there is no end of numbers");
        let aside = path.with_added_extension(format!("unusable-{number}"));
        if !fs::exists(&aside).at(&aside)? {
            fs::rename(path, &aside).at(path)?;
            return Ok(aside);
        }
    }
}

#[cfg(test)]
mod tests;
