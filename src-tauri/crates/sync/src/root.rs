//! One side's folder, held open.

mod tap;
mod way;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::entry::{Kind, Listed};

#[cfg(not(unix))]
#[path = "root/portable.rs"]
mod system;
#[cfg(unix)]
#[path = "root/unix.rs"]
mod system;
#[cfg(any(not(unix), test))]
mod windows;

pub(crate) use system::{DirHandle, NewFile, OpenFile};
#[cfg(unix)]
#[cfg(test)]
pub(crate) use tap::{Op, Tap};
pub(crate) use way::Way;

/// A folder that is kept in step. It is the folder that was opened, whatever its path means later.
pub struct Root {
    path: PathBuf,
    handle: Arc<DirHandle>,
    /// Which directory the handle leads to.
    identity: (u64, u64),
}

/// Which folder it is, as long as its disk is not made anew: both outlive a restart of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootId {
    disk: u64,
    number: u64,
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
        let opened = DirHandle::open(&path).and_then(|handle| Ok((handle.identity()?, handle)));
        match opened {
            Ok((identity, handle)) => Ok(Self {
                path,
                handle: Arc::new(handle),
                identity,
            }),
            Err(source) => Err(RootError { path, source }),
        }
    }

    /// The same root, with something before each of its changes.
    #[cfg(unix)]
    #[cfg(test)]
    pub(crate) fn tapped(path: &Path, tap: Tap) -> Self {
        let root = Self::open(path).unwrap();
        let handle = DirHandle::open(path).unwrap().tapped(tap);
        Self {
            handle: Arc::new(handle),
            ..root
        }
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its path still leads to it.
    #[must_use]
    pub fn stands(&self) -> bool {
        let found = DirHandle::open(&self.path).and_then(|found| found.identity());
        found.is_ok_and(|found| found == self.identity)
    }

    /// Which folder it is; none where nobody can tell.
    pub(crate) fn id(&self) -> Option<RootId> {
        let disk = self.handle.disk()?;
        let (_, number) = self.identity;
        Some(RootId { disk, number })
    }

    pub(crate) fn handle(&self) -> &Arc<DirHandle> {
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

    /// Which file system it lies on, and what tells it there from all other directories.
    fn identity(&self) -> io::Result<(u64, u64)>;

    /// What stands at a name now; none when nothing does.
    fn look(&self, name: &[u8]) -> io::Result<Option<Kind>>;

    /// What tells the entry at a name from all others of its file system; none where nothing stands, or where the system
    /// does not say.
    fn number(&self, name: &[u8]) -> io::Result<Option<u64>>;

    /// Who may do what with a file in it, as nine bits.
    fn permissions(&self, name: &[u8]) -> io::Result<u32>;

    /// Lets the owner of a directory in it do everything there; no link is followed.
    fn open_up(&self, name: &[u8]) -> io::Result<()>;

    /// A file that was not there before. It is allowed what `mode` says, and no more than to any program's files here.
    fn create_file(&self, name: &[u8], mode: u32) -> io::Result<NewFile>;

    /// A new file that was begun before, behind what was written to it; none when it has another name as well, or is no
    /// file. It is taken with care: somebody may have put something else in its place.
    fn open_new(&self, name: &[u8]) -> io::Result<Option<NewFile>>;

    /// A directory that was not there before, allowed what a file would be.
    fn create_dir(&self, name: &[u8], mode: u32) -> io::Result<()>;

    /// A symbolic link that was not there before.
    fn create_link(&self, name: &[u8], target: &[u8]) -> io::Result<()>;

    /// Gives a file one name more, where nothing has that name.
    fn link(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()>;

    /// Moves an entry to a name that nothing has.
    fn rename(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()>;

    /// Lets two of its entries change places, at once. [`io::ErrorKind::Unsupported`] where a file system cannot.
    fn exchange(&self, one: &[u8], two: &[u8]) -> io::Result<()>;

    /// Takes a file or link away.
    fn remove_file(&self, name: &[u8]) -> io::Result<()>;

    /// Takes a directory away that is empty.
    fn remove_dir(&self, name: &[u8]) -> io::Result<()>;

    /// Its names are on disk.
    fn sync(&self) -> io::Result<()>;

    /// All that was written to its file system is on disk. [`io::ErrorKind::Unsupported`] where a system cannot.
    fn sync_file_system(&self) -> io::Result<()>;
}

/// Whether an entry did not come about for its name: the disk cannot hold it.
pub(crate) fn is_no_name(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput};
    matches!(error.kind(), InvalidFilename | InvalidInput) || system::is_no_text(error)
}

/// Whether an error says nothing about an entry: the same works when there is more of something.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    use io::ErrorKind::{OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    #[cfg(unix)]
    const TOO_MANY_OPEN_FILES: &[i32] = &[23, 24];
    #[cfg(windows)]
    const TOO_MANY_OPEN_FILES: &[i32] = &[4];
    matches!(
        error.kind(),
        OutOfMemory | QuotaExceeded | ReadOnlyFilesystem | StorageFull
    ) || error
        .raw_os_error()
        .is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code))
}
