//! Files that were made here by ourselves: what they hold need not be read again.

use std::collections::HashMap;
use std::io::{self, Write};

use mizzen_sync_core::{Digest, File};

use super::settled::grain;
use crate::encoding::put;
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory};

/// What files hold that were made since the last look, by their stamps in their places right after that. Whatever a file is
/// called by then, with that number and those times it is that one.
#[derive(Debug, Default)]
pub struct Made(HashMap<Stamp, Digest>);

impl Made {
    /// Notes a file that was made from contents of this digest. Where the system gives files no numbers it would be taken
    /// for others.
    pub(crate) fn note(&mut self, stamp: Stamp, digest: Digest) {
        if stamp.inode != 0 {
            self.0.insert(stamp, digest);
        }
    }

    /// Notes all of another.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Forgets all: they were looked at.
    pub(crate) fn clear(&mut self) {
        self.0 = HashMap::new();
    }

    /// Whether nothing was made.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes all that is noted.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut all = self.0.iter();
        all.try_for_each(|(stamp, digest)| put(&(stamp, digest.0), out))
    }

    /// Reads what was written, to the end.
    pub(super) fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut made = Self::default();
        while !bytes.is_empty() {
            let ((stamp, digest), rest) = postcard::take_from_bytes(bytes).ok()?;
            made.note(stamp, Digest(digest));
            bytes = rest;
        }
        Some(made)
    }

    /// What a file was made to hold, when it is still as it was then.
    pub(super) fn held(&self, stamp: Stamp) -> Option<Digest> {
        self.0.get(&stamp).copied()
    }
}

/// What the system says of a file that was just made, when that will tell it from one that is written to later.
///
/// Its time of change is that of its making. The time of its contents was set, and lies before that by more than the
/// clock's grain: whoever writes to it leaves another one, however soon they do.
pub(crate) fn as_it_was_made(dir: &DirHandle, name: &[u8], file: &File) -> Option<Stamp> {
    let Ok(Some(Kind::File { stamp, .. })) = dir.look(name) else {
        return None;
    };
    let is_as_made = (stamp.size, stamp.mtime) == (file.size, file.mtime);
    let is_older = stamp.mtime.saturating_add(grain(stamp)) < stamp.ctime;
    (is_as_made && is_older).then_some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_with_a_number_is_known_by_its_stamp() {
        let stamp = |inode| Stamp {
            size: 1,
            mtime: 2,
            ctime: 3,
            inode,
        };
        let mut made = Made::default();
        for inode in [0, 7] {
            made.note(stamp(inode), Digest([1; 32]));
        }
        let held = [0, 7, 8].map(|inode| made.held(stamp(inode)));
        assert_eq!(held, [None, Some(Digest([1; 32])), None]);
    }
}
