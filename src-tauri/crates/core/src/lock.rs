//! One core per user.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Held by the running core; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct CoreLock {
    _file: File,
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
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CoreLock {
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        let at = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    pid: noted(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(at(source)),
        }
        note(&mut file).map_err(at)?;
        Ok(Self { _file: file })
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

/// The holder's note is for people only; the lock itself decides.
fn noted(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text);
    let pid = text.trim();
    if pid.is_empty() {
        "unknown".to_owned()
    } else {
        pid.to_owned()
    }
}

fn note(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
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
