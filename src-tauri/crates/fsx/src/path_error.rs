use std::io;
use std::path::{Path, PathBuf};

/// An I/O error together with the path it happened at.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct PathError {
    /// Where.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl PathError {
    /// The system's kind of error, for callers that branch.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// Adds the path to an I/O result.
pub trait At<T> {
    /// Names the path that the operation was about.
    ///
    /// # Errors
    /// The same error, with the path.
    fn at(self, path: impl AsRef<Path>) -> Result<T, PathError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, path: impl AsRef<Path>) -> Result<T, PathError> {
        self.map_err(|error| PathError {
            path: path.as_ref().to_owned(),
            source: error.into(),
        })
    }
}
