//! Who owns a container: the random id of one state directory, so that two cores on one engine leave each other alone.

use std::io;
use std::path::Path;

use mizzen_fsx::{At, PathError, write_atomic};

use crate::labels;

const FILE: &str = "owner-id";

/// Bytes of randomness in an id or a nonce.
const RANDOM_BYTES: usize = 8;

/// The id of a state directory; written once, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(String);

impl Identity {
    /// Reads the id of a state directory, made when there is none.
    pub fn load(state_dir: &Path) -> Result<Self, PathError> {
        let path = state_dir.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) if is_token(text.trim()) => Ok(Self(text.trim().to_owned())),
            // A damaged id names no container that exists, so nothing is lost by a new one.
            Ok(_) => Self::make(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(state_dir).at(state_dir)?;
                Self::make(&path)
            }
            Err(error) => Err(error).at(path),
        }
    }

    fn make(path: &Path) -> Result<Self, PathError> {
        let id = random_token();
        write_atomic(path, id.as_bytes())?;
        Ok(Self(id))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label that every container of this owner carries: an engine filters by it.
    #[must_use]
    pub fn label(&self) -> (String, String) {
        (labels::OWNER.to_owned(), self.0.clone())
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Makes an id that nobody guesses: 16 hex digits.
pub(crate) fn random_token() -> String {
    hex(&rand::random::<[u8; RANDOM_BYTES]>())
}

/// Whether a text can be one of our ids or nonces.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == 2 * RANDOM_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn an_id_is_made_once_and_a_damaged_one_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("new/state");
        let first = Identity::load(&state).unwrap();
        assert_eq!(Identity::load(&state).unwrap(), first);
        mizzen_fsx::write_atomic(state.join("owner-id"), b"torn").unwrap();
        let second = Identity::load(&state).unwrap();
        assert_ne!(second, first);
        assert_eq!(
            second.label(),
            ("dev.mizzen.owner".to_owned(), second.as_str().to_owned())
        );
    }
}
