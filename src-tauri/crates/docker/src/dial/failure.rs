//! A connection that could not be made, with words of its own.

use std::io;

use crate::DockerErrorKind;

/// Why a dial failed and what to do; travels to the caller inside an [`io::Error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct DialFailure {
    pub(crate) kind: DockerErrorKind,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl DialFailure {
    pub(crate) fn new(
        kind: DockerErrorKind,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Finds the failure that an error carries.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<DialFailure> for io::Error {
    fn from(failure: DialFailure) -> Self {
        Self::other(failure)
    }
}
