//! One side's folder, held open.

use std::io;
use std::path::{Path, PathBuf};

use crate::entry::{Kind, Listed};

#[cfg(not(unix))]
#[path = "root/portable.rs"]
mod system;
#[cfg(unix)]
#[path = "root/unix.rs"]
mod system;

pub(crate) use system::{DirHandle, OpenFile};

/// A folder that is kept in step. It is the folder that was opened, whatever its path means later.
pub struct Root {
    path: PathBuf,
    handle: DirHandle,
}

/// Why a folder cannot be a root.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct RootError {
    /// The folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl Root {
    /// Opens a folder.
    ///
    /// # Errors
    /// It is not there, is no folder, or may not be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RootError> {
        let path = path.into();
        match DirHandle::open(&path) {
            Ok(handle) => Ok(Self { path, handle }),
            Err(source) => Err(RootError { path, source }),
        }
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn handle(&self) -> &DirHandle {
        &self.handle
    }
}

/// What both platforms offer of a directory.
pub(crate) trait Directory: Sized {
    /// Entries in no order, the names of which this side can hold.
    fn list(&self) -> io::Result<Vec<Listed>>;

    /// A directory in it; no link is followed.
    fn open_dir(&self, name: &[u8]) -> io::Result<Self>;

    /// A regular file in it, to be read; no link is followed and nothing is waited for.
    fn open_file(&self, name: &[u8]) -> io::Result<OpenFile>;

    /// Where a link in it points.
    fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>>;

    /// Which file system it lies on.
    fn file_system(&self) -> io::Result<u64>;

    /// What stands at a name now; none when nothing does.
    fn look(&self, name: &[u8]) -> io::Result<Option<Kind>>;
}
