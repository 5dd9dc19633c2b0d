//! What was seen of a side, on disk, so that the next process need not read all files again.
//!
//! It may be lost or be wrong in any way that its checksum shows: the files are read then.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mizzen_fsx::{At, PathError, write_cache};
use mizzen_sync_core::{Dir, Node};
use serde::{Deserialize, Serialize};

use super::Scan;
use super::seen::{Seen, SeenDir};
use crate::encoding::{decode, encode};
use crate::entry::Stamp;
use crate::root::{Directory, Root};

const MAGIC: [u8; 12] = *b"mizzen seen\x01";

/// What the tree does not say of a file whose digest can be trusted; none when it cannot.
type Beside = Option<Times>;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Times {
    ctime: i64,
    inode: u64,
}

#[derive(Serialize, Deserialize)]
struct Cache<'a> {
    /// Inodes are numbers of one file system.
    file_system: u64,
    /// Whether files were searched for secrets: those that were not have to be read for it.
    searched: bool,
    #[serde(borrow)]
    tree: &'a [u8],
    /// Of its files, in their order.
    beside: Vec<Beside>,
}

impl Scan {
    /// Keeps what was seen of a root for the next process; `searched` says whether for secrets, too.
    ///
    /// # Errors
    /// The root is gone, or the file cannot be written.
    pub fn keep(&self, file: &Path, root: &Root, searched: bool) -> Result<(), PathError> {
        let mut beside = Vec::new();
        gather(&self.0, &mut beside);
        let cache = Cache {
            file_system: root.handle().file_system().at(root.path())?,
            searched,
            tree: &encode(&self.tree(), Vec::new()),
            beside,
        };
        let body = postcard::to_stdvec(&cache).expect("BUG: bytes in memory take all");
        let checksum = blake3::hash(&body);
        write_cache(file, &[&MAGIC, &checksum.as_bytes()[..], &body].concat())
    }

    /// What an earlier process kept; none when there is nothing that can be used.
    #[must_use]
    pub fn kept(file: &Path, root: &Root, searched: bool) -> Option<Self> {
        let bytes = fs::read(file).ok()?;
        let (checksum, body) = bytes.strip_prefix(&MAGIC)?.split_first_chunk::<32>()?;
        if blake3::hash(body).as_bytes() != checksum {
            return None;
        }
        let cache: Cache<'_> = postcard::from_bytes(body).ok()?;
        let file_system = root.handle().file_system().ok()?;
        if (cache.file_system, cache.searched) != (file_system, searched) {
            return None;
        }
        let Node::Dir(dir) = decode(cache.tree).ok()? else {
            return None;
        };
        let mut beside = cache.beside.into_iter();
        let seen = spread(&dir, &mut beside)?;
        beside.next().is_none().then_some(Self(seen))
    }
}

fn gather(seen: &SeenDir, told: &mut Vec<Beside>) {
    for (_, seen) in seen.entries() {
        match seen {
            Seen::File { stamp, settled } => told.push(settled.then_some(Times {
                ctime: stamp.ctime,
                inode: stamp.inode,
            })),
            Seen::Dir(below) => gather(below, told),
            Seen::Other => {}
        }
    }
}

fn spread(dir: &Arc<Dir>, beside: &mut impl Iterator<Item = Beside>) -> Option<Arc<SeenDir>> {
    let mut all = Vec::with_capacity(dir.len());
    for (_, node) in dir.iter() {
        all.push(match node {
            Node::File(file) => {
                let times = beside.next()?;
                let Times { ctime, inode } = times.unwrap_or(Times { ctime: 0, inode: 0 });
                let stamp = Stamp {
                    size: file.size,
                    mtime: file.mtime,
                    ctime,
                    inode,
                };
                Seen::File {
                    stamp,
                    settled: times.is_some(),
                }
            }
            Node::Dir(below) => Seen::Dir(spread(below, beside)?),
            Node::Link(_) | Node::Unsyncable(_) => Seen::Other,
        });
    }
    Some(SeenDir::new(dir.clone(), all))
}
