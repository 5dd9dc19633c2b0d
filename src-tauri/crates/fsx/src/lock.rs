//! A file that one holder at a time has locked, and in which it notes who it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::path_error::{At, PathError};

/// Held until it is dropped; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct LockFile {
    file: File,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another holds it.
    #[error("process {pid} holds it")]
    Held {
        /// Its process id, as it noted it.
        pid: String,
    },
    /// The file cannot be used.
    #[error(transparent)]
    Io(#[from] PathError),
}

impl LockFile {
    /// Takes the lock, and notes the process. The file is made where there is none.
    ///
    /// # Errors
    /// Another holds it, or the file cannot be used.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut lock = Self::of(options.open(path).at(path)?, path)?;
        lock.note().at(path)?;
        Ok(lock)
    }

    /// The same of a file that is there, and without a note.
    ///
    /// # Errors
    /// Another holds it, or the file cannot be used.
    pub fn hold(path: &Path) -> Result<Self, LockError> {
        Self::of(File::open(path).at(path)?, path)
    }

    /// Whether somebody holds it.
    #[must_use]
    pub fn is_held(path: impl AsRef<Path>) -> bool {
        File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn of(mut file: File, path: &Path) -> Result<Self, LockError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                pid: noted(&mut file),
            }),
            Err(TryLockError::Error(source)) => Err(LockError::Io(PathError {
                path: path.to_owned(),
                source,
            })),
        }
    }

    fn note(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{}", std::process::id())
    }
}

impl Drop for LockFile {
    /// To close it would not do: a program that is being started somewhere in this process has a copy of every descriptor,
    /// for a moment, and with it the lock.
    fn drop(&mut self) {
        // Then it goes with the last copy.
        let _ = self.file.unlock();
    }
}

/// The holder's note is for people only; the lock itself decides.
fn noted(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text);
    match text.trim() {
        "" => "unknown".to_owned(),
        pid => pid.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = LockFile::take(&path).unwrap();
        let refused = LockFile::take(&path).unwrap_err().to_string();
        assert_eq!(refused, format!("process {} holds it", std::process::id()));
        assert!(LockFile::is_held(&path));
        drop(first);
        LockFile::take(&path).unwrap();
    }

    #[test]
    fn whoever_is_being_started_meanwhile_does_not_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        for take in [LockFile::take, LockFile::hold] {
            let first = take(&path).unwrap();
            let copy = first.file.try_clone().unwrap();
            drop(first);
            assert!(!LockFile::is_held(&path));
            LockFile::take(&path).unwrap();
            drop(copy);
        }
    }

    #[test]
    fn a_place_that_is_not_there_is_named() {
        for take in [LockFile::take, LockFile::hold] {
            let refused = take(Path::new("no/such/lock")).unwrap_err();
            assert!(matches!(refused, LockError::Io(_)));
            assert!(refused.to_string().contains("no/such/lock"), "{refused}");
        }
    }
}
