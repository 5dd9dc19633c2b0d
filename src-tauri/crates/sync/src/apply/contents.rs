//! Where the contents of new files come from.

use std::fs;
use std::io::{self, Read, Write};
use std::sync::Arc;

use mizzen_sync_core::{File, RelPath};

use crate::root::{DirHandle, Directory, Root, Way, is_shortage};

/// Contents of the other side's files.
pub trait Contents: Sync {
    /// How many may ask at once.
    fn suppliers(&self) -> usize;

    /// Whether they come a long way: what has come is then kept until it is in its place, and of a large file no more
    /// is asked for than is not here.
    fn is_far(&self) -> bool {
        false
    }

    /// Told, when one alone may ask, before it asks: all files that it will ask for, in its order. It may leave some out.
    fn expect(&self, _files: Vec<Wish>) {}

    /// Somebody who can be asked, for one file after the other.
    fn supplier(&self) -> Box<dyn Supply + '_>;
}

/// Hands over contents.
pub trait Supply {
    /// Writes a file's contents. What is written is compared with the file's size and digest.
    ///
    /// # Errors
    /// It has other contents by now, it cannot be read, or nothing can any more. An error of `to` is passed on as it is.
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError>;

    /// Writes what is missing of a file's contents, and tells how many bytes had to come for it.
    ///
    /// # Errors
    /// As for all of it.
    fn supply_rest(
        &mut self,
        path: &RelPath,
        file: &File,
        here: &PartHere<'_>,
        to: &mut dyn Write,
    ) -> Result<u64, SupplyError> {
        let left = here.first;
        self.supply(path, file, &mut Behind { left, to })?;
        Ok(file.size)
    }
}

/// A file that will be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Where it is to be.
    pub path: RelPath,
    /// What it is to be.
    pub file: File,
    /// Whether a part of it is here.
    pub is_part_here: bool,
}

/// What is here of a file that is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartHere<'a> {
    /// So many of its first bytes: what is written follows them.
    pub first: u64,
    /// An older version of it.
    pub old: Option<&'a fs::File>,
}

impl PartHere<'_> {
    /// Whether anything is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first == 0 && self.old.is_none()
    }
}

/// Passes on what comes behind the first bytes.
pub(crate) struct Behind<'a> {
    pub(crate) left: u64,
    pub(crate) to: &'a mut dyn Write,
}

impl Write for Behind<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len();
        let passed = usize::try_from(self.left).unwrap_or(length).min(length);
        self.left -= passed as u64;
        if passed < length {
            self.to.write_all(&bytes[passed..])?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Contents were not handed over.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    /// Those of this file: it has changed or cannot be read.
    #[error(transparent)]
    File(io::Error),
    /// Those of any file.
    #[error(transparent)]
    All(io::Error),
}

/// Contents that lie in another root of this machine.
pub struct FromRoot<'a>(pub &'a Root);

impl Contents for FromRoot<'_> {
    fn suppliers(&self) -> usize {
        2
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(FromHandle::new(self.0.handle()))
    }
}

/// Reads files below a directory.
pub(crate) struct FromHandle {
    pub(super) way: Way,
    buffer: Vec<u8>,
}

/// As much as is read at once.
const PIECE: usize = 256 * 1024;

impl FromHandle {
    pub(crate) fn new(root: &Arc<DirHandle>) -> Self {
        Self {
            way: Way::new(root),
            buffer: Vec::new(),
        }
    }

    fn read(&mut self, path: &RelPath, size: u64, to: &mut dyn Write) -> io::Result<()> {
        let name = path.components().last().unwrap_or_default();
        let parent = path.parent().unwrap_or_default();
        let mut file = self.way.to(&parent)?.open_file(name)?.file;
        if self.buffer.is_empty() {
            // Known here: the system hands out zeros, page by page, as they are written to. A small file needs few.
            self.buffer = vec![0; PIECE];
        }
        let mut left = size;
        while left > 0 {
            // What a file has grown by since it was seen is not asked for.
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let read = file.read(&mut self.buffer[..most])?;
            if read == 0 {
                break;
            }
            to.write_all(&self.buffer[..read])?;
            left -= read as u64;
        }
        Ok(())
    }
}

impl Supply for FromHandle {
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError> {
        self.read(path, file.size, to).map_err(|error| {
            if is_shortage(&error) {
                SupplyError::All(error)
            } else {
                SupplyError::File(error)
            }
        })
    }
}
