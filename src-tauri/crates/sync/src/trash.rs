//! What a side's cycles overwrote and deleted.
//!
//! Each cycle has a folder here, and in it, under the number of the change that displaced it, what stood there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::root::{DirHandle, Directory};
use crate::temp::Temps;

/// Nobody else looks into what a person deleted.
const PRIVATE: u32 = 0o700;

/// One side's trash, held open.
pub struct Trash {
    path: PathBuf,
    handle: DirHandle,
}

/// The trash cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct TrashError {
    /// The trash, or a place in it.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl Trash {
    /// Opens a folder that holds nothing else; it is made when there is none.
    ///
    /// # Errors
    /// It can neither be opened nor made.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TrashError> {
        let path = path.into();
        match opened(&path) {
            Ok(handle) => Ok(Self { path, handle }),
            Err(source) => Err(TrashError { path, source }),
        }
    }

    /// The same trash, with something before each of its changes.
    #[cfg(test)]
    pub(crate) fn tapped(path: &Path, tap: crate::root::Tap) -> Self {
        let handle = opened(path).unwrap().tapped(tap);
        let path = path.to_owned();
        Self { path, handle }
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a cycle at a time in nanoseconds since 1970.
    pub(crate) fn begin(&self, now: i64) -> io::Result<Cycle> {
        // Two cycles of one instant: the later one takes the next.
        for id in (now..).take(1000).map(|time| format!("{time:020}")) {
            match self.handle.create_dir(id.as_bytes(), PRIVATE) {
                Ok(()) => {
                    let handle = Arc::new(self.handle.open_dir(id.as_bytes())?);
                    let temps = Temps::new(self.token(&id));
                    return Ok(Cycle { handle, temps });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Another one for each cycle of each link.
    fn token(&self, id: &str) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.path.as_os_str().as_encoded_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        hasher.update(id.as_bytes());
        let bytes = hasher.finalize();
        u64::from_le_bytes(std::array::from_fn(|at| bytes.as_bytes()[at]))
    }
}

fn opened(path: &Path) -> io::Result<DirHandle> {
    std::fs::create_dir_all(path)?;
    DirHandle::open(path)
}

/// What one cycle displaces.
pub(crate) struct Cycle {
    handle: Arc<DirHandle>,
    pub(crate) temps: Temps,
}

impl Cycle {
    pub(crate) fn handle(&self) -> &Arc<DirHandle> {
        &self.handle
    }

    /// Where a change's displaced entry is kept.
    pub(crate) fn slot(&self, change: usize) -> Slot {
        Slot {
            dir: self.handle.clone(),
            name: change.to_string().into_bytes(),
        }
    }
}

/// A place for one displaced entry.
pub(crate) struct Slot {
    dir: Arc<DirHandle>,
    name: Vec<u8>,
}

impl Slot {
    /// Moves an entry here.
    pub(crate) fn stow(&self, dir: &DirHandle, name: &[u8]) -> io::Result<()> {
        dir.rename(name, &self.dir, &self.name)
    }

    /// Makes a directory here, for the entries of one that goes bit by bit.
    pub(crate) fn make_dir(&self) -> io::Result<Slots> {
        match self.dir.create_dir(&self.name, PRIVATE) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        Ok(Slots(Arc::new(self.dir.open_dir(&self.name)?)))
    }
}

/// A displaced directory.
pub(crate) struct Slots(Arc<DirHandle>);

impl Slots {
    pub(crate) fn slot(&self, name: &[u8]) -> Slot {
        Slot {
            dir: self.0.clone(),
            name: name.to_vec(),
        }
    }
}
