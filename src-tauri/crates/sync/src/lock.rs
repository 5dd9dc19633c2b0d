//! One instance for each pair of roots.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mizzen_fsx::{LockFile, PathError};

const FILE: &str = "lock";

/// Held by whoever keeps a pair in step.
#[derive(Debug)]
pub struct PairLock {
    _file: LockFile,
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
        Self::of(dir, LockFile::take)
    }

    /// The same without a note, for as long as the pair is removed.
    pub(crate) fn hold(dir: &Path) -> Result<Self, LockError> {
        Self::of(dir, LockFile::hold)
    }

    fn of(
        dir: &Path,
        take: impl FnOnce(&Path) -> Result<LockFile, mizzen_fsx::LockError>,
    ) -> Result<Self, LockError> {
        let path = dir.join(FILE);
        match take(&path) {
            Ok(file) => Ok(Self { _file: file }),
            Err(mizzen_fsx::LockError::Held { pid }) => Err(LockError::Held { pid, path }),
            Err(mizzen_fsx::LockError::Io(error)) => Err(error.into()),
        }
    }

    /// Whether somebody holds it.
    pub(crate) fn is_held(dir: &Path) -> bool {
        LockFile::is_held(dir.join(FILE))
    }

    /// When it was last taken; none when it never was.
    pub(crate) fn last_taken(dir: &Path) -> Option<SystemTime> {
        dir.join(FILE).metadata().ok()?.modified().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_is_told_by_whom_and_where() {
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
}
