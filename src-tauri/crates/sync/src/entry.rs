//! What a directory says of its entries.

use mizzen_sync_core::Name;

/// What the system says about a file, to know later whether it is still the one that was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// Nanoseconds since 1970, as are all times here.
    pub(crate) mtime: i64,
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
