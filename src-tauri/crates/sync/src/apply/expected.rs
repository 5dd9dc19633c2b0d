//! Whether what stands somewhere is what was seen there.

use std::collections::HashMap;
use std::io;

use mizzen_sync_core::Node;

use crate::digest::{Hashed, Hasher};
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory};
use crate::scan::{Known, Seen, SeenDir};

/// Compares with what was seen.
pub(super) struct Expected {
    /// Files, by inode, that were given a second name since, and the time that this left on them.
    named_twice: HashMap<u64, i64>,
    hasher: Option<Hasher>,
}

/// When it is looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before it is moved away: what is not sure is believed.
    Before,
    /// After that, when nobody reaches it by its name any more.
    After,
}

impl Expected {
    pub(super) fn new(named_twice: HashMap<u64, i64>) -> Self {
        Self {
            named_twice,
            hasher: None,
        }
    }

    pub(super) fn has_second_name(&self, inode: u64) -> bool {
        self.named_twice.contains_key(&inode)
    }

    /// Whether an entry is still the one that was seen.
    pub(super) fn stands(
        &mut self,
        dir: &DirHandle,
        name: &[u8],
        known: Known<'_>,
    ) -> io::Result<bool> {
        match dir.look(name)? {
            Some(kind) => self.is_seen(dir, name, kind, known, Moment::Before),
            None => Ok(false),
        }
    }

    /// The same, after a rename, which leaves its time on what is moved.
    pub(super) fn came_out(
        &mut self,
        dir: &DirHandle,
        name: &[u8],
        known: Known<'_>,
    ) -> io::Result<bool> {
        let Some(mut kind) = dir.look(name)? else {
            return Ok(false);
        };
        if let (Kind::File { stamp, .. }, Seen::File { stamp: seen, .. }) = (&mut kind, known.1) {
            stamp.ctime = self.ctime(seen);
        }
        self.is_seen(dir, name, kind, known, Moment::After)
    }

    fn ctime(&self, seen: &Stamp) -> i64 {
        let since = self.named_twice.get(&seen.inode);
        since.copied().unwrap_or(seen.ctime)
    }

    fn is_seen(
        &mut self,
        dir: &DirHandle,
        name: &[u8],
        found: Kind,
        (node, seen): Known<'_>,
        moment: Moment,
    ) -> io::Result<bool> {
        match (node, seen, found) {
            (
                Node::File(file),
                Seen::File { stamp, settled },
                Kind::File {
                    stamp: found,
                    executable,
                },
            ) => {
                let ctime = self.ctime(stamp);
                if found != (Stamp { ctime, ..*stamp }) || executable != file.executable {
                    return Ok(false);
                }
                if *settled || moment == Moment::Before {
                    return Ok(true);
                }
                let hasher = self.hasher.get_or_insert_with(|| Hasher::new(false));
                let hashed = hasher.hash(dir, name)?;
                Ok(matches!(hashed, Hashed::File { digest, .. } if digest == file.digest))
            }
            (Node::Link(target), _, Kind::Link) => Ok(*dir.read_link(name)? == **target),
            (Node::Dir(_), Seen::Dir(seen), Kind::Dir) => {
                self.holds_seen(&dir.open_dir(name)?, seen, moment)
            }
            _ => Ok(false),
        }
    }

    /// Whether a directory holds what was seen in it and nothing else.
    fn holds_seen(&mut self, dir: &DirHandle, seen: &SeenDir, moment: Moment) -> io::Result<bool> {
        let listed = dir.list()?;
        if listed.len() != seen.dir.len() {
            return Ok(false);
        }
        for listed in listed {
            let name = listed.name.as_bytes();
            let Some(expected) = seen.get(&listed.name) else {
                return Ok(false);
            };
            if !self.is_seen(dir, name, listed.kind, expected, moment)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
