//! What the system says of an entry without anybody looking into it.

use super::{SafeDir, UnsafeFile, UnsafeReason, is_plain};
use crate::path_error::{At, PathError};

/// An entry as its directory tells it: the same again, and it is the same entry with the same content, unless it was
/// changed within the moment that the stamp was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds.
    pub(super) modified: (i64, i64),
    /// The same of any change, of names and permissions as well; no program can set it.
    pub(super) changed: (i64, i64),
}

impl SafeDir {
    /// Stamp of an entry, whatever it is; a link's is its own. None where the system tells too little to go by.
    ///
    /// # Errors
    /// There is no such entry, or the system does not say.
    pub fn stamp(&self, name: &str) -> Result<Option<Stamp>, UnsafeFile> {
        let stamp = match is_plain(name) {
            true => self.handle.stamp(name),
            false => Err(UnsafeReason::Name),
        };
        stamp.map_err(|reason| UnsafeFile {
            path: self.path.join(name),
            reason,
        })
    }

    /// Number of the disk that it lies on, where there are such.
    ///
    /// # Errors
    /// The system does not say.
    pub fn disk(&self) -> Result<Option<u64>, PathError> {
        self.handle.disk().at(&self.path)
    }
}
