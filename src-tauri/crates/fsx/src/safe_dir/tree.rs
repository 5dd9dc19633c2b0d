//! What lies below a hostile directory, and changes in it that nothing can be in the way of.

use std::io::{self, Write};

use super::{FileKind, SafeDir, UnsafeFile, UnsafeReason, is_plain, system};
use crate::path_error::{At, PathError};

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name; what is no text in it is replaced.
    pub name: String,
    /// What it is; none for a regular file.
    pub kind: Option<FileKind>,
}

impl system::Dir {
    pub(super) fn list(&self, max: usize) -> io::Result<Vec<Listed>> {
        let listed = self.first(max.saturating_add(1))?;
        match listed.len() > max {
            true => Err(io::Error::other(format!("holds more than {max} entries"))),
            false => Ok(listed),
        }
    }
}

impl SafeDir {
    /// Opens a directory in it that is not a link.
    ///
    /// # Errors
    /// There is none, or something else stands there.
    pub fn open_dir(&self, name: &str) -> Result<Self, UnsafeFile> {
        let path = self.path.join(name);
        let opened = match is_plain(name) {
            true => self.handle.child(name),
            false => Err(UnsafeReason::Name),
        };
        match opened {
            Ok(handle) => Ok(Self { path, handle }),
            Err(reason) => Err(UnsafeFile { path, reason }),
        }
    }

    /// What is in it, in no order.
    ///
    /// # Errors
    /// It cannot be listed, or holds more than `max` entries.
    pub fn list(&self, max: usize) -> Result<Vec<Listed>, PathError> {
        self.handle.list(max).at(&self.path)
    }

    /// So many entries of what is in it, whichever the system names first; what comes after them is not looked at.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn first(&self, max: usize) -> Result<Vec<Listed>, PathError> {
        self.handle.first(max).at(&self.path)
    }

    /// User id of its owner, where there are such.
    ///
    /// # Errors
    /// The system does not say.
    pub fn owner(&self) -> Result<Option<u32>, PathError> {
        self.handle.owner().at(&self.path)
    }

    /// Whether a file of that name is one that other users of this machine may read or write; it may be gone.
    #[must_use]
    pub fn is_open_to_others(&self, name: &str) -> bool {
        is_plain(name) && self.handle.is_open_to_others(name)
    }

    /// Makes a directory in it, with exactly this mode, and opens it.
    ///
    /// # Errors
    /// Something stands there, or it cannot be made.
    pub fn create_dir(&self, name: &str, mode: u32) -> Result<Self, PathError> {
        let path = self.path.join(name);
        self.plain(name)?;
        self.handle.create_dir(name, mode).at(&path)?;
        let handle = self.handle.child(name);
        let handle = handle.map_err(|reason| io::Error::other(reason.to_string()));
        let handle = handle.at(&path)?;
        handle.protect(mode).at(&path)?;
        Ok(Self { path, handle })
    }

    /// Makes a file in it, with exactly this mode, and waits until it is on the disk.
    ///
    /// # Errors
    /// Something stands there, or it cannot be written.
    pub fn create_file(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), PathError> {
        let path = self.path.join(name);
        self.plain(name)?;
        let mut file = self.handle.create_file(name, mode).at(&path)?;
        file.write_all(bytes).at(&path)?;
        file.sync_all().at(&path)
    }

    /// Moves an entry to where nothing stands.
    ///
    /// # Errors
    /// There is no such entry, or something stands there.
    pub fn move_new(&self, name: &str, to: &Self, new: &str) -> Result<(), PathError> {
        self.plain(name)?;
        to.plain(new)?;
        self.handle
            .rename_new(name, &to.handle, new)
            .at(to.path.join(new))
    }

    /// Moves a file to where another may stand, which is gone then.
    ///
    /// # Errors
    /// There is no such entry, or what stands there cannot be replaced.
    pub fn move_over(&self, name: &str, to: &Self, new: &str) -> Result<(), PathError> {
        self.plain(name)?;
        to.plain(new)?;
        self.handle
            .rename_over(name, &to.handle, new)
            .at(to.path.join(new))
    }

    /// Lets two entries change places; `false` where the system cannot, and nothing has happened.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn exchange(&self, name: &str, to: &Self, new: &str) -> Result<bool, PathError> {
        self.plain(name)?;
        to.plain(new)?;
        self.handle
            .exchange(name, &to.handle, new)
            .at(to.path.join(new))
    }

    /// Removes an entry with all that is below it, without following any link. It is no error when it is not there.
    ///
    /// # Errors
    /// Names what could not be removed.
    pub fn remove_all(&self, name: &str) -> Result<(), PathError> {
        let path = self.path.join(name);
        self.plain(name)?;
        let removed = match self.handle.remove_file(name) {
            // Systems differ in what they say of a directory.
            Err(error) if error.kind() != io::ErrorKind::NotFound => match self.open_dir(name) {
                Ok(dir) => {
                    for entry in dir.list(usize::MAX)? {
                        dir.remove_all(&entry.name)?;
                    }
                    self.handle.remove_dir(name)
                }
                Err(_) => Err(error),
            },
            removed => removed,
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.at(&path),
        }
    }

    /// Waits until its entries are on the disk.
    ///
    /// # Errors
    /// The system refuses.
    pub fn sync(&self) -> Result<(), PathError> {
        self.handle.sync().at(&self.path)
    }

    fn plain(&self, name: &str) -> Result<(), PathError> {
        match is_plain(name) {
            true => Ok(()),
            false => Err(io::Error::from(io::ErrorKind::InvalidInput)).at(self.path.join(name)),
        }
    }
}
