//! Trees as bytes: an entry, then, of a directory, the entries in it.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use mizzen_sync_core::{Digest, Dir, File, Name, NameError, Node, Unsyncable};
use serde::{Deserialize, Serialize};

use crate::scan::DEPTH_MAX;

/// A name and its length, a kind, and what follows a kind: an entry takes no less.
const ENTRY_MIN: usize = 4;

/// Bytes of an entry whose name and target are of usual lengths.
const USUAL: usize = 256;

/// Why bytes are no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end within an entry, or an entry is of no known kind.
    #[error("an entry is cut off or of no known kind")]
    Entry,
    /// A directory states more entries than there are bytes for.
    #[error("a directory has more entries than there can be")]
    Entries,
    /// An entry's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Names of a directory are not in their order, or one comes twice.
    #[error("names are not in order")]
    Order,
    /// Directories lie deeper than a side is looked at.
    #[error("directories lie too deep")]
    Depth,
    /// Bytes follow the tree.
    #[error("something follows the tree")]
    Rest,
}

#[derive(Serialize, Deserialize)]
struct Named<'a> {
    name: &'a [u8],
    #[serde(borrow)]
    entry: Entry<'a>,
}

#[derive(Serialize, Deserialize)]
enum Entry<'a> {
    File {
        digest: [u8; 32],
        size: u64,
        mtime: i64,
        executable: bool,
    },
    Dir {
        entries: usize,
    },
    Link {
        target: &'a [u8],
    },
    Unsyncable {
        why: u8,
    },
}

/// A tree as bytes.
pub(crate) fn encode(node: &Node) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_to(node, &mut bytes).expect("BUG: bytes in memory take all that is appended");
    bytes
}

/// Writes a tree, entry by entry: all bytes of a large one need not be in memory.
pub(crate) fn encode_to(node: &Node, out: &mut dyn Write) -> io::Result<()> {
    put(&entry(node), out)?;
    encode_below(node, out)
}

fn encode_below(node: &Node, out: &mut dyn Write) -> io::Result<()> {
    for (name, node) in node.as_dir().into_iter().flatten() {
        let named = Named {
            name: name.as_bytes(),
            entry: entry(node),
        };
        put(&named, out)?;
        encode_below(node, out)?;
    }
    Ok(())
}

/// Writes what a reader takes with `postcard`.
pub(crate) fn put(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    match postcard::to_slice(value, &mut [0; USUAL]) {
        Ok(bytes) => out.write_all(bytes),
        Err(_) => out.write_all(&postcard::to_stdvec(value).expect("BUG: memory takes all")),
    }
}

/// The digest of what is written, many entries at a time: that is several times faster than each by itself.
pub(crate) fn hashed(
    hasher: blake3::Hasher,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<[u8; 32]> {
    let mut buffer = BufWriter::with_capacity(64 * 1024, hasher);
    write(&mut buffer)?;
    let hasher = buffer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok(*hasher.finalize().as_bytes())
}

/// The same, and passes on what is written.
pub(crate) fn hashed_to(
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<[u8; 32]> {
    let hasher = blake3::Hasher::new();
    let mut buffer = BufWriter::with_capacity(64 * 1024, Hashed { hasher, out });
    write(&mut buffer)?;
    let hashed = buffer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok(*hashed.hasher.finalize().as_bytes())
}

struct Hashed<'a> {
    hasher: blake3::Hasher,
    out: &'a mut dyn Write,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn entry(node: &Node) -> Entry<'_> {
    match node {
        Node::File(file) => Entry::File {
            digest: file.digest.0,
            size: file.size,
            mtime: file.mtime,
            executable: file.executable,
        },
        Node::Dir(dir) => Entry::Dir { entries: dir.len() },
        Node::Link(target) => Entry::Link { target },
        Node::Unsyncable(why) => Entry::Unsyncable { why: number(*why) },
    }
}

/// Reads a tree. It takes no more memory than a small multiple of the bytes.
///
/// # Errors
/// They are none, or more than one.
pub(crate) fn decode(bytes: &[u8]) -> Result<Node, Malformed> {
    decode_below(0, bytes, &mut Most(u64::MAX))
}

/// Reads a tree, and gives what follows it. Directories that are the same in another tree are that one's from the beginning,
/// so that two trees that hardly differ take little more memory than one.
///
/// # Errors
/// The bytes begin with no tree.
pub(crate) fn decode_sharing<'a>(
    bytes: &'a [u8],
    other: Option<&Node>,
) -> Result<(Node, &'a [u8]), Malformed> {
    let mut reader = Reader {
        bytes,
        entries_left: bytes.len() / ENTRY_MIN,
    };
    let root = reader.take()?;
    let tree = reader.node(root, 0, other)?;
    Ok((tree, reader.bytes))
}

/// How many more entries trees may hold: an entry may take thirty times as much memory as its bytes.
pub(crate) struct Most(pub(crate) u64);

/// The same of an entry that lies below so many directories, and of no more entries than that.
pub(crate) fn decode_below(
    depth: usize,
    bytes: &[u8],
    Most(most): &mut Most,
) -> Result<Node, Malformed> {
    let all = usize::try_from(*most).unwrap_or(usize::MAX);
    let all = all.min(bytes.len() / ENTRY_MIN);
    let mut reader = Reader {
        bytes,
        entries_left: all,
    };
    let root = reader.take()?;
    let tree = reader.node(root, depth, None)?;
    *most -= (all - reader.entries_left) as u64;
    reader
        .bytes
        .is_empty()
        .then_some(tree)
        .ok_or(Malformed::Rest)
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// What is left of the entries that all the bytes can hold: what each directory states comes off it.
    entries_left: usize,
}

impl<'a> Reader<'a> {
    fn take<T: Deserialize<'a>>(&mut self) -> Result<T, Malformed> {
        let (taken, rest) = postcard::take_from_bytes(self.bytes).map_err(|_| Malformed::Entry)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn node(
        &mut self,
        entry: Entry<'_>,
        depth: usize,
        other: Option<&Node>,
    ) -> Result<Node, Malformed> {
        Ok(match entry {
            Entry::File {
                digest,
                size,
                mtime,
                executable,
            } => Node::File(File {
                digest: Digest(digest),
                size,
                mtime,
                executable,
            }),
            Entry::Dir { entries } => {
                let other = match other {
                    Some(Node::Dir(other)) => Some(other),
                    _ => None,
                };
                Node::Dir(self.dir(entries, depth, other)?)
            }
            Entry::Link { target } => Node::Link(target.into()),
            Entry::Unsyncable { why } => Node::Unsyncable(unsyncable(why).ok_or(Malformed::Entry)?),
        })
    }

    fn dir(
        &mut self,
        count: usize,
        depth: usize,
        other: Option<&Arc<Dir>>,
    ) -> Result<Arc<Dir>, Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed::Depth);
        }
        let left = self.entries_left.checked_sub(count);
        self.entries_left = left.ok_or(Malformed::Entries)?;
        let mut entries: Vec<(Name, Node)> = Vec::with_capacity(count);
        for _ in 0..count {
            let Named { name, entry } = self.take()?;
            let name = Name::new(name)?;
            if entries.last().is_some_and(|(last, _)| *last >= name) {
                return Err(Malformed::Order);
            }
            let below = other.and_then(|other| other.get(name.as_bytes()));
            let node = self.node(entry, depth + 1, below)?;
            entries.push((name, node));
        }
        Ok(match other.filter(|other| other.holds(&entries)) {
            Some(other) => other.clone(),
            None => Arc::new(Dir::new(entries)),
        })
    }
}

pub(crate) fn number(why: Unsyncable) -> u8 {
    match why {
        Unsyncable::Special => 0,
        Unsyncable::Unreadable => 1,
        Unsyncable::Unsteady => 2,
        Unsyncable::TooLarge => 3,
        Unsyncable::LinkOutside => 4,
        Unsyncable::Mount => 5,
        Unsyncable::Secret => 6,
        Unsyncable::TooDeep => 7,
        Unsyncable::NameCollision => 8,
        Unsyncable::NameImpossible => 9,
    }
}

pub(crate) fn unsyncable(number: u8) -> Option<Unsyncable> {
    Some(match number {
        0 => Unsyncable::Special,
        1 => Unsyncable::Unreadable,
        2 => Unsyncable::Unsteady,
        3 => Unsyncable::TooLarge,
        4 => Unsyncable::LinkOutside,
        5 => Unsyncable::Mount,
        6 => Unsyncable::Secret,
        7 => Unsyncable::TooDeep,
        8 => Unsyncable::NameCollision,
        9 => Unsyncable::NameImpossible,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{file, name, tree};

    /// Directories within each other, so that the innermost lies as deep as that.
    fn nested(depth: usize) -> Node {
        (0..depth).fold(Node::empty_dir(), |inner, _| {
            Node::Dir(Dir::new(vec![(name(b"d"), inner)]).into())
        })
    }

    #[test]
    fn every_reason_has_its_number() {
        for reason in 0..=u8::MAX {
            if let Some(why) = unsyncable(reason) {
                assert_eq!(number(why), reason);
            }
        }
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let stated = |entries| postcard::to_stdvec(&Entry::Dir { entries }).unwrap();
        let dir = |entries: &[(&[u8], Node)]| {
            let mut bytes = stated(entries.len());
            for (name, node) in entries {
                let entry = entry(node);
                put(&Named { name, entry }, &mut bytes).unwrap();
                encode_below(node, &mut bytes).unwrap();
            }
            bytes
        };
        let one = || Node::File(file(1));
        for (bytes, expected) in [
            (vec![], Malformed::Entry),
            (vec![9], Malformed::Entry),
            (vec![3, 200], Malformed::Entry),
            (stated(1), Malformed::Entries),
            (stated(usize::MAX), Malformed::Entries),
            (dir(&[(b"b", one()), (b"a", one())]), Malformed::Order),
            (dir(&[(b"a", one()), (b"a", one())]), Malformed::Order),
            (dir(&[(b"..", one())]), Malformed::Name(NameError::Dots)),
            (
                dir(&[(b"a/b", one())]),
                Malformed::Name(NameError::Separator),
            ),
            ([dir(&[(b"a", one())]), vec![0]].concat(), Malformed::Rest),
            (encode(&nested(DEPTH_MAX + 1)), Malformed::Depth),
        ] {
            assert_eq!(decode(&bytes), Err(expected), "{bytes:?}");
        }
        let deepest = nested(DEPTH_MAX);
        assert_eq!(decode(&encode(&deepest)), Ok(deepest));
    }

    #[test]
    fn trees_hold_no_more_entries_than_they_may() {
        let entries = [b"a", b"b", b"c"].map(|at| (name(at), Node::File(file(1))));
        let bytes = encode(&Node::Dir(Dir::new(entries.into()).into()));
        let mut most = Most(7);
        let mut next = || decode_below(0, &bytes, &mut most).map(|tree| tree.count());
        assert_eq!(
            [next(), next(), next()],
            [Ok(4), Ok(4), Err(Malformed::Entries)]
        );
    }

    proptest! {
        #[test]
        fn a_tree_comes_back_as_it_was(tree in tree()) {
            prop_assert_eq!(decode(&encode(&tree)), Ok(tree));
        }

        #[test]
        fn a_tree_that_is_read_beside_another_comes_back_as_it_was(tree in tree(), other in tree()) {
            let bytes = encode(&tree);
            let followed = [&bytes[..], b"rest"].concat();
            let found = decode_sharing(&followed, Some(&other));
            prop_assert_eq!(found, Ok((tree.clone(), &b"rest"[..])));
            let (same, _) = decode_sharing(&bytes, Some(&tree)).unwrap();
            prop_assert!(same.is(&tree), "it takes no memory of its own");
        }

        #[test]
        fn bytes_of_any_kind_are_a_tree_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(tree) = decode(&bytes) {
                prop_assert!(tree.count() as usize <= 1 + bytes.len() / ENTRY_MIN);
            }
        }

        #[test]
        fn a_tree_with_other_bytes_in_it_is_a_tree_or_an_error(
            tree in tree(),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
            end in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = encode(&tree);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            for bytes in [&bytes[..], &bytes[..end.index(bytes.len())]] {
                if let Ok(tree) = decode(bytes) {
                    let again = decode(&encode(&tree));
                    prop_assert_eq!(again, Ok(tree));
                }
            }
        }
    }
}
