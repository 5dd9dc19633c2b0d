//! What outlives the core: the key of the cookies, and the port.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Far above what we write; a longer file is not ours.
const CAP: u64 = 4096;

/// The secret behind every cookie.
pub(crate) type Key = [u8; 32];

/// The gateway's file in the state directory; readable by its user only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Port that the settings asked for when `port` was chosen.
    pub(crate) preferred: u16,
    /// Port that was free then.
    pub(crate) port: u16,
    pub(crate) key: Key,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    preferred: u16,
    port: u16,
    key: String,
}

impl State {
    /// Reads the file; none when it is missing, broken, or others could have read it: then a new key is due.
    pub(crate) fn load(path: &Path) -> Option<Self> {
        let file = std::fs::File::open(path).ok()?;
        if !is_private(&file.metadata().ok()?) {
            tracing::warn!(path = %path.display(), "readable by others: browsers must log in anew");
            return None;
        }
        let mut text = String::new();
        file.take(CAP).read_to_string(&mut text).ok()?;
        let Stored {
            preferred,
            port,
            key,
        } = serde_json::from_str(&text).ok()?;
        Some(Self {
            preferred,
            port,
            key: unhex(&key)?,
        })
    }

    /// Replaces the file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), mizzen_fsx::PathError> {
        let stored = Stored {
            preferred: self.preferred,
            port: self.port,
            key: hex(&self.key),
        };
        let text = serde_json::to_vec(&stored).expect("BUG: numbers and text are JSON");
        mizzen_fsx::write_atomic(path, &text)
    }
}

#[cfg(unix)]
fn is_private(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 == 0
}

/// The user's profile directory carries the access list.
#[cfg(not(unix))]
fn is_private(_: &std::fs::Metadata) -> bool {
    true
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Reads what [`hex`] wrote, and nothing else.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() != N * 2 || !text.bytes().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            preferred: 8743,
            port: 8744,
            key: [7; 32],
        }
    }

    #[test]
    fn comes_back_as_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.json");
        state().save(&path).unwrap();
        assert_eq!(State::load(&path), Some(state()));
    }

    #[cfg(unix)]
    #[test]
    fn is_private_on_disk_and_distrusted_when_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.json");
        state().save(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(State::load(&path), None);
    }

    #[test]
    fn hexadecimal_has_one_spelling() {
        assert_eq!(unhex(&hex(&[0, 171, 255])), Some([0, 171, 255]));
        for bad in ["", "0", "00", "00AB", "+1", "zz", "é"] {
            assert_eq!(unhex::<1>(bad).filter(|_| bad != "00"), None, "{bad}");
        }
    }
}
