//! One core per user.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mizzen_fsx::{LockFile, PathError};

/// Held by the running core.
#[derive(Debug)]
pub(crate) struct CoreLock {
    _file: LockFile,
}

/// A core ends within five seconds.
const RELEASE_DEADLINE: Duration = Duration::from_secs(6);

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another core runs.
    #[error("Mizzen already runs (process {pid})")]
    Held {
        /// Its process id, as it noted it.
        pid: String,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Io(#[from] PathError),
}

impl CoreLock {
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        match LockFile::take(path) {
            Ok(file) => Ok(Self { _file: file }),
            Err(mizzen_fsx::LockError::Held { pid }) => Err(LockError::Held { pid }),
            Err(mizzen_fsx::LockError::Io(error)) => Err(error.into()),
        }
    }

    /// Waits until nobody holds the lock, or for a core's shutdown at the longest.
    pub(crate) async fn released(path: PathBuf) {
        let wait = tokio::task::spawn_blocking(move || {
            // Shared, and let go at once: it only has to wait behind the holder.
            OpenOptions::new()
                .read(true)
                .open(path)
                .and_then(|file| file.lock_shared())
        });
        let _late = tokio::time::timeout(RELEASE_DEADLINE, wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_until_the_first_lets_go() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("core.lock");
        let first = CoreLock::take(&path).unwrap();
        let refused = CoreLock::take(&path).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("Mizzen already runs (process {})", std::process::id())
        );
        drop(first);
        CoreLock::take(&path).unwrap();
    }
}
