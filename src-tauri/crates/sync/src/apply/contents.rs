//! Where the contents of new files come from.

use std::io::{self, Read, Write};
use std::sync::Arc;

use mizzen_sync_core::{File, RelPath};

use crate::root::{DirHandle, Directory, Root, Way, is_shortage};

/// Contents of the other side's files.
pub trait Contents: Sync {
    /// How many may ask at once.
    fn suppliers(&self) -> usize;

    /// Told, when one alone may ask, before it asks: all files that it will ask for, in its order. It may leave some out.
    fn expect(&self, _files: Vec<(RelPath, File)>) {}

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
        self.buffer.resize(PIECE, 0);
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
