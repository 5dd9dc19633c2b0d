//! What a directory says of its entries.

use mizzen_sync_core::{File, Name};
use serde::{Deserialize, Serialize};

/// What the system says about a file, to know later whether it is still the one that was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// Nanoseconds since 1970, as are all times here.
    pub(crate) mtime: i64,
    pub(crate) ctime: i64,
    pub(crate) inode: u64,
}

impl Stamp {
    /// That of a file in a tree, of which the tree tells the rest.
    pub(crate) fn of(file: &File, Instance { ctime, inode }: Instance) -> Self {
        Self {
            size: file.size,
            mtime: file.mtime,
            ctime,
            inode,
        }
    }

    /// What a tree does not tell.
    pub(crate) fn instance(self) -> Instance {
        Instance {
            ctime: self.ctime,
            inode: self.inode,
        }
    }
}

/// What the tree does not tell of a file's stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) ctime: i64,
    pub(crate) inode: u64,
}

/// An entry as it is listed.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File {
        stamp: Stamp,
        executable: bool,
    },
    Dir,
    Link,
    /// A pipe, a socket or a device.
    Special,
}
