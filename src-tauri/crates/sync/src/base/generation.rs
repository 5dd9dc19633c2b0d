//! The file that holds one generation of the base: what it is, whose, which, and the tree, under one checksum.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use mizzen_fsx::{At, PathError};
use mizzen_sync_core::Node;

use super::LinkId;
use crate::encoding::{Malformed, decode, encode_to, hashed};

const MAGIC: [u8; 12] = *b"mizzen base\n";
const VERSION: u32 = 1;

/// What comes before the checksum: magic, version, link, number and length.
const STATED: usize = MAGIC.len() + 4 + 32 + 8 + 8;
/// What comes before the tree.
const HEADER: usize = STATED + 32;
/// Some ten million entries.
const SIZE_MAX: u64 = 1 << 30;

/// Why a file holds no base that can be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It ends too early.
    #[error("it is cut off")]
    Truncated,
    /// Its checksum says that it is not what was written.
    #[error("it is damaged")]
    Corrupt,
    /// What was written is no tree.
    #[error("it holds no tree: {0}")]
    Malformed(Malformed),
    /// It tells of two other roots.
    #[error("it belongs to another pair of folders")]
    OtherLink,
    /// A newer Mizzen wrote it.
    #[error("a newer version of Mizzen wrote it (format {0})")]
    Newer(u32),
    /// It is whole, but what it became later is not known any more.
    #[error("what followed it is damaged")]
    Edits,
    /// It is whole, but the one that followed it cannot be used and was gone on from.
    #[error("another one followed it")]
    Outdated,
    /// The disk does not give it back.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
}

/// A base as it was written, and how many there were before it.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) checksum: [u8; 32],
    /// All of the file.
    bytes: Vec<u8>,
}

impl Generation {
    /// The base.
    pub(super) fn base(&self) -> Result<Node, Unusable> {
        decode(&self.bytes[HEADER..]).map_err(Unusable::Malformed)
    }

    /// Of the file.
    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// What a file holds.
pub(super) type Held = Result<Generation, Unusable>;

/// What was written.
pub(super) struct Written {
    pub(super) checksum: [u8; 32],
    /// Of the file.
    pub(super) length: u64,
}

/// Writes a generation. The tree is gone through three times, and its bytes are never in memory.
pub(super) fn write(
    number: u64,
    link: &LinkId,
    base: &Node,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut tree = Counted(0);
    encode_to(base, &mut tree)?;
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend(link.0);
    header.extend(number.to_le_bytes());
    header.extend(tree.0.to_le_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let checksum = hashed(hasher, |out| encode_to(base, out))?;
    header.extend(checksum);
    out.write_all(&header)?;
    encode_to(base, out)?;
    Ok(Written {
        checksum,
        length: header.len() as u64 + tree.0,
    })
}

/// How many bytes were written.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number that a file states, which may be damaged.
pub(super) fn stated_number(path: &Path) -> Option<u64> {
    let mut stated = [0; STATED];
    File::open(path).ok()?.read_exact(&mut stated).ok()?;
    let (number, _length) = stated.last_chunk::<16>()?.split_first_chunk()?;
    Some(u64::from_le_bytes(*number))
}

/// What a file holds; none when there is no file.
pub(super) fn load(path: &Path, link: &LinkId) -> Result<Option<Held>, PathError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at(path),
    };
    let mut bytes = Vec::new();
    let held = match file.take(SIZE_MAX + 1).read_to_end(&mut bytes) {
        Ok(_) => read(bytes, link),
        Err(error) => Err(Unusable::Unreadable(error)),
    };
    Ok(Some(held))
}

fn read(bytes: Vec<u8>, link: &LinkId) -> Held {
    let mut rest = &bytes[..];
    let magic: [u8; 12] = take(&mut rest)?;
    let version = u32::from_le_bytes(take(&mut rest)?);
    if magic != MAGIC || version == 0 {
        return Err(Unusable::Corrupt);
    }
    if version > VERSION {
        return Err(Unusable::Newer(version));
    }
    let of: [u8; 32] = take(&mut rest)?;
    let number = u64::from_le_bytes(take(&mut rest)?);
    let length = u64::from_le_bytes(take(&mut rest)?);
    let expected: [u8; 32] = take(&mut rest)?;
    if (rest.len() as u64) < length {
        return Err(Unusable::Truncated);
    }
    if checksum(&bytes) != expected {
        return Err(Unusable::Corrupt);
    }
    if of != link.0 {
        return Err(Unusable::OtherLink);
    }
    Ok(Generation {
        number,
        checksum: expected,
        bytes,
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Unusable> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Unusable::Truncated)?;
    *bytes = rest;
    Ok(*taken)
}

/// Of all that a file holds besides.
fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..STATED]).update(&bytes[HEADER..]);
    *hasher.finalize().as_bytes()
}

/// The file of a generation.
#[cfg(test)]
pub(super) fn written(number: u64, link: &LinkId, base: &Node) -> Vec<u8> {
    let mut bytes = Vec::new();
    let told = write(number, link, base, &mut bytes).expect("BUG: memory takes all");
    assert_eq!(told.length, bytes.len() as u64);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{of_one, tree};

    fn link() -> LinkId {
        LinkId::new([&b"host"[..], b"container"])
    }

    #[test]
    fn a_file_that_ends_early_is_told_from_one_that_is_damaged() {
        let whole = written(7, &link(), &of_one(1));
        assert_eq!(read(whole.clone(), &link()).unwrap().number, 7);
        for end in 0..whole.len() {
            let found = read(whole[..end].to_vec(), &link());
            assert!(
                matches!(found, Err(Unusable::Truncated)),
                "{end}: {found:?}"
            );
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            let found = read(bytes, &link()).unwrap_err();
            let expected = match at {
                12 => matches!(found, Unusable::Corrupt), // version 0
                13..16 => matches!(found, Unusable::Newer(_)),
                56..64 => matches!(found, Unusable::Corrupt | Unusable::Truncated), // its length
                _ => matches!(found, Unusable::Corrupt),
            };
            assert!(expected, "{at}: {found:?}");
        }
        let longer = [&whole[..], b"x"].concat();
        assert!(matches!(read(longer, &link()), Err(Unusable::Corrupt)));
    }

    #[test]
    fn another_pair_and_a_newer_version_are_told() {
        let bytes = written(1, &link(), &of_one(1));
        let swapped = LinkId::new([&b"container"[..], b"host"]);
        assert!(matches!(
            read(bytes.clone(), &swapped),
            Err(Unusable::OtherLink)
        ));
        let mut newer = bytes;
        newer[12] = 2;
        assert!(matches!(read(newer, &link()), Err(Unusable::Newer(2))));
    }

    proptest! {
        #[test]
        fn a_base_comes_back_as_it_was(tree in tree(), number: u64) {
            let found = read(written(number, &link(), &tree), &link()).unwrap();
            prop_assert_eq!((found.number, found.base().unwrap()), (number, tree));
        }
    }
}
