//! Whether what stands somewhere is what was seen there.

use std::collections::HashMap;
use std::io;

use mizzen_sync_core::Node;

use crate::digest::{Hashed, Hasher};
use crate::entry::{Instance, Kind, Stamp};
use crate::root::{DirHandle, Directory};
use crate::scan::{Known, Seen, SeenDir};
use crate::spelling::Spellings;

/// Compares with what was seen.
pub(super) struct Expected {
    /// Files, by inode, that were given a second name since, and the time that this left on them.
    named_twice: HashMap<u64, i64>,
    hasher: Option<Hasher>,
}

/// What is found where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// That.
    Seen,
    /// That, and more in a directory of it.
    More,
    /// Not that.
    Otherwise,
}

impl Found {
    fn new(is_seen: bool) -> Self {
        if is_seen { Self::Seen } else { Self::Otherwise }
    }
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

    /// What is found now where an entry was seen.
    pub(super) fn stands(
        &mut self,
        dir: &DirHandle,
        name: &[u8],
        known: Known<'_>,
    ) -> io::Result<Found> {
        match dir.look(name)? {
            Some(kind) => self.is_seen(dir, name, kind, known, Moment::Before),
            None => Ok(Found::Otherwise),
        }
    }

    /// The same, after a rename, which leaves its time on what is moved.
    pub(super) fn came_out(
        &mut self,
        dir: &DirHandle,
        name: &[u8],
        known: Known<'_>,
    ) -> io::Result<Found> {
        let Some(mut kind) = dir.look(name)? else {
            return Ok(Found::Otherwise);
        };
        if let (Kind::File { stamp, .. }, Seen::File { instance, .. }) = (&mut kind, known.1) {
            stamp.ctime = self.ctime(instance);
        }
        self.is_seen(dir, name, kind, known, Moment::After)
    }

    fn ctime(&self, seen: &Instance) -> i64 {
        let since = self.named_twice.get(&seen.inode);
        since.copied().unwrap_or(seen.ctime)
    }

    fn is_seen(
        &mut self,
        dir: &DirHandle,
        name: &[u8],
        kind: Kind,
        (node, seen): Known<'_>,
        moment: Moment,
    ) -> io::Result<Found> {
        match (node, seen, kind) {
            (
                Node::File(file),
                Seen::File { instance, settled },
                Kind::File {
                    stamp: found,
                    executable,
                },
            ) => {
                let ctime = self.ctime(instance);
                if found != Stamp::of(file, Instance { ctime, ..*instance })
                    || executable != file.executable
                {
                    return Ok(Found::Otherwise);
                }
                if *settled || moment == Moment::Before {
                    return Ok(Found::Seen);
                }
                let hasher = self.hasher.get_or_insert_with(|| Hasher::new(false));
                let hashed = hasher.hash(dir, name)?;
                let same = matches!(hashed, Hashed::File { digest, .. } if digest == file.digest);
                Ok(Found::new(same))
            }
            (Node::Link(target), _, Kind::Link) => {
                Ok(Found::new(*dir.read_link(name)? == **target))
            }
            (Node::Dir(_), Seen::Dir(seen), Kind::Dir) => {
                self.holds_seen(&dir.open_dir(name)?, seen, moment)
            }
            _ => Ok(Found::Otherwise),
        }
    }

    /// Whether a directory holds what was seen in it, and whether it holds more.
    fn holds_seen(&mut self, dir: &DirHandle, seen: &SeenDir, moment: Moment) -> io::Result<Found> {
        let mut all = Found::Seen;
        let mut expected = seen.dir.len();
        let mut listed = dir.list()?;
        listed.sort_by(|one, two| one.name.cmp(&two.name));
        let names = listed.iter().map(|entry| &entry.name);
        let spellings = Spellings::find(dir, names, seen.dir.iter().map(|(name, _)| name));
        for entry in &listed {
            let name = spellings.known(&entry.name).unwrap_or(&entry.name);
            let found = match seen.get(name) {
                Some(known) => {
                    expected -= 1;
                    self.is_seen(dir, name.as_bytes(), entry.kind, known, moment)?
                }
                None => Found::More,
            };
            all = all.max(found);
            if all == Found::Otherwise {
                return Ok(all);
            }
        }
        Ok(if expected == 0 { all } else { Found::Otherwise })
    }
}
