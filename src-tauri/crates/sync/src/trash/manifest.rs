//! The file that says what a cycle is about: its changes, and how it calls what it leaves lying about.

use mizzen_sync_core::{Change, RelPath};
use serde::{Deserialize, Serialize};

use crate::encoding::{decode, encode};

const VERSION: u8 = 1;

/// What a cycle is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) token: u64,
    pub(super) changes: Vec<Change>,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    version: u8,
    token: u64,
    #[serde(borrow)]
    changes: Vec<WrittenChange<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenChange<'a> {
    path: &'a [u8],
    old: Option<&'a [u8]>,
    new: Option<&'a [u8]>,
}

pub(super) fn write(token: u64, changes: &[Change]) -> Vec<u8> {
    let trees: Vec<_> = changes
        .iter()
        .map(|change| [&change.old, &change.new].map(|node| Some(encode(node.as_ref()?))))
        .collect();
    let changes = changes.iter().zip(&trees);
    let written = Written {
        version: VERSION,
        token,
        changes: changes
            .map(|(change, [old, new])| WrittenChange {
                path: change.path.as_bytes(),
                old: old.as_deref(),
                new: new.as_deref(),
            })
            .collect(),
    };
    let body =
        postcard::to_stdvec(&written).expect("BUG: bytes in memory take all that is appended");
    [&blake3::hash(&body).as_bytes()[..], &body].concat()
}

/// Reads what was written; none when it is not whole or another version wrote it.
pub(super) fn read(bytes: &[u8]) -> Option<Manifest> {
    let (checksum, body) = bytes.split_first_chunk::<32>()?;
    if blake3::hash(body).as_bytes() != checksum {
        return None;
    }
    let Written {
        version,
        token,
        changes,
    } = postcard::from_bytes(body).ok()?;
    let node = |tree: Option<&[u8]>| {
        tree.map(|tree| decode(tree).ok())
            .map_or(Some(None), |node| node.map(Some))
    };
    let changes = changes.into_iter().map(|change| {
        Some(Change {
            path: RelPath::new(change.path).ok()?,
            old: node(change.old)?,
            new: node(change.new)?,
        })
    });
    let changes = changes.collect::<Option<_>>()?;
    (version == VERSION).then_some(Manifest { token, changes })
}

#[cfg(test)]
mod tests {
    use mizzen_sync_core::Node;

    use super::*;

    #[test]
    fn what_is_written_is_read_when_it_is_whole() {
        let change = |path: &[u8], old, new| Change {
            path: RelPath::new(path).unwrap(),
            old,
            new,
        };
        let changes = vec![
            change(b"a/\xff", None, Some(Node::empty_dir())),
            change(b"", Some(Node::Link((*b"x").into())), None),
        ];
        let bytes = write(7, &changes);
        assert_eq!(read(&bytes), Some(Manifest { token: 7, changes }));
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None);
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged), None);
        }
    }
}
