//! Symbolic links.

use mizzen_sync_core::RelPath;
use serde::{Deserialize, Serialize};

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// Those that stay within the root on any machine are carried; others are problems.
    #[default]
    Portable,
    /// None is carried.
    Ignore,
    /// All are carried as they are.
    Posix,
}

/// Whether a link in a directory leads to a place within the root, wherever the root lies.
pub(crate) fn stays_inside(parent: &RelPath, target: &[u8]) -> bool {
    if target.is_empty() || target[0] == b'/' || target.contains(&b'\\') || target.contains(&b':') {
        return false;
    }
    let mut depth = parent.components().count();
    for component in target.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return false,
            },
            _ => depth += 1,
        }
    }
    true
}
