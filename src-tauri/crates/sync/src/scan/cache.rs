//! What was seen of a side, on disk, so that the next process need not read all files again.
//!
//! It may be lost or be wrong in any way that its checksum shows: the files are read then.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use mizzen_fsx::{At, PathError, write_cache_by};
use mizzen_sync_core::{Dir, Node};
use serde::{Deserialize, Serialize};

use super::seen::{Seen, SeenDir};
use super::{Made, Scan};
use crate::encoding::{decode_sharing, encode_to, hashed_to, put};
use crate::entry::Instance;
use crate::root::{Directory, Root};

const MAGIC: [u8; 12] = *b"mizzen seen\x04";

/// What stands first. The tree follows, and then, for each of its files in their order, what the tree does not tell of it:
/// nothing when its digest cannot be trusted. Then come files that were made since, and not looked at, and last a checksum.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    /// Inodes are numbers of one file system.
    file_system: u64,
    /// Whether files were searched for secrets: those that were not have to be read for it.
    searched: bool,
}

impl Of {
    fn new(root: &Root, searched: bool) -> Result<Self, PathError> {
        let file_system = root.handle().file_system().at(root.path())?;
        Ok(Self {
            file_system,
            searched,
        })
    }
}

impl Scan {
    /// Keeps what was seen of a root, and made there since, for the next process; `searched` says whether for secrets, too.
    ///
    /// # Errors
    /// The root is gone, or the file cannot be written.
    pub fn keep(
        &self,
        made: &Made,
        file: &Path,
        root: &Root,
        searched: bool,
    ) -> Result<(), PathError> {
        let of = Of::new(root, searched)?;
        write_cache_by(file, |out| {
            out.write_all(&MAGIC)?;
            let checksum = hashed_to(out, |out| self.write(made, &of, out))?;
            out.write_all(&checksum)
        })
    }

    fn write(&self, made: &Made, of: &Of, out: &mut dyn Write) -> io::Result<()> {
        put(of, out)?;
        encode_to(&self.tree(), out)?;
        write_beside(&self.0, out)?;
        made.write(out)
    }

    /// What an earlier process kept; none when there is nothing that can be used. What it has in common with the base is
    /// the base's.
    #[must_use]
    pub fn kept(
        file: &Path,
        root: &Root,
        searched: bool,
        base: Option<&Node>,
    ) -> Option<(Self, Made)> {
        let bytes = fs::read(file).ok()?;
        let (body, checksum) = bytes.strip_prefix(&MAGIC)?.split_last_chunk::<32>()?;
        if blake3::hash(body).as_bytes() != checksum {
            return None;
        }
        let (of, rest) = postcard::take_from_bytes::<Of>(body).ok()?;
        if of != Of::new(root, searched).ok()? {
            return None;
        }
        let (Node::Dir(dir), mut rest) = decode_sharing(rest, base).ok()? else {
            return None;
        };
        let seen = spread(&dir, &mut rest)?;
        Some((Self(seen), Made::read(rest)?))
    }
}

fn write_beside(seen: &SeenDir, out: &mut dyn Write) -> io::Result<()> {
    for (_, seen) in seen.entries() {
        match seen {
            Seen::File { instance, settled } => put(&settled.then_some(*instance), out)?,
            Seen::Dir(below) => write_beside(below, out)?,
            Seen::Other => {}
        }
    }
    Ok(())
}

fn spread(dir: &Arc<Dir>, rest: &mut &[u8]) -> Option<Arc<SeenDir>> {
    let beside = dir.iter().map(|(_, node)| {
        Some(match node {
            Node::File(_) => {
                let (instance, after) = postcard::take_from_bytes::<Option<Instance>>(rest).ok()?;
                *rest = after;
                Seen::File {
                    instance: instance.unwrap_or(Instance { ctime: 0, inode: 0 }),
                    settled: instance.is_some(),
                }
            }
            Node::Dir(below) => Seen::Dir(spread(below, rest)?),
            Node::Link(_) | Node::Unsyncable(_) => Seen::Other,
        })
    });
    let beside = beside.collect::<Option<_>>()?;
    Some(SeenDir::new(dir.clone(), beside))
}
