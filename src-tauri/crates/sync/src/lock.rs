//! One instance for each pair of roots.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mizzen_fsx::{At, PathError};

const FILE: &str = "lock";

/// Held by whoever keeps a pair in step; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct PairLock {
    file: File,
}

/// Why a pair cannot be kept in step by this process.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another one does it already.
    #[error("these folders are kept in step already, by process {pid} ({})", path.display())]
    Held {
        /// Its process id, as it noted it.
        pid: String,
        /// The lock file.
        path: PathBuf,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Io(#[from] PathError),
}

impl PairLock {
    /// Takes the lock of the pair whose state is kept in a directory.
    ///
    /// # Errors
    /// Another process holds it, or the directory cannot be used.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = locked(options.open(&path).at(&path)?, &path)?;
        file.set_len(0).at(&path)?;
        file.rewind().at(&path)?;
        writeln!(file, "{}", std::process::id()).at(&path)?;
        Ok(Self { file })
    }

    /// The same without a note, for as long as the pair is removed.
    pub(crate) fn hold(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(FILE);
        let file = locked(File::open(&path).at(&path)?, &path)?;
        Ok(Self { file })
    }

    /// Whether somebody holds it.
    pub(crate) fn is_held(dir: &Path) -> bool {
        File::open(dir.join(FILE))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// When it was last taken; none when it never was.
    pub(crate) fn last_taken(dir: &Path) -> Option<SystemTime> {
        dir.join(FILE).metadata().ok()?.modified().ok()
    }
}

impl Drop for PairLock {
    /// To close it would not do: a program that is being started somewhere in this process has a copy of every descriptor,
    /// for a moment, and with it the lock.
    fn drop(&mut self) {
        // Then it goes with the last copy.
        let _ = self.file.unlock();
    }
}

fn locked(mut file: File, path: &Path) -> Result<File, LockError> {
    let path = path.to_owned();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let pid = noted(&mut file);
            Err(LockError::Held { pid, path })
        }
        Err(TryLockError::Error(source)) => Err(PathError { path, source }.into()),
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
        let first = PairLock::take(dir.path()).unwrap();
        let refused = PairLock::take(dir.path()).unwrap_err().to_string();
        let expected = format!("already, by process {} (", std::process::id());
        assert!(refused.contains(&expected), "{refused}");
        assert!(
            refused.contains(&*dir.path().to_string_lossy()),
            "{refused}"
        );
        drop(first);
        PairLock::take(dir.path()).unwrap();
    }

    #[test]
    fn whoever_is_being_started_meanwhile_does_not_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        for take in [PairLock::take, PairLock::hold] {
            let first = take(dir.path()).unwrap();
            let copy = first.file.try_clone().unwrap();
            drop(first);
            assert!(!PairLock::is_held(dir.path()));
            PairLock::take(dir.path()).unwrap();
            drop(copy);
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let refused = PairLock::take(Path::new("no/such/dir")).unwrap_err();
        assert!(matches!(refused, LockError::Io(_)));
        assert!(refused.to_string().contains("no/such/dir"), "{refused}");
    }
}
