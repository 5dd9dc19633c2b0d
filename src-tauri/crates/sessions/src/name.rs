//! Session names: a name is a folder, a URL host, a container's name and a command-line argument, so it is checked
//! before anything is built from it.

use std::fmt;
use std::path::Path;

/// Longest name: one DNS label.
const MAX_LEN: usize = 63;

/// The directory beside the sessions' own in `.para/state/docker`.
const SHARED: &str = "shared";

/// Device names that Windows does not allow as a file, with or without an extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A well-formed session name; keeps the case it was given in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName(String);

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or white space.
    #[error("a session needs a name")]
    Empty,
    /// More than 63 bytes.
    #[error("the session name has {0} bytes; at most {MAX_LEN} are allowed")]
    TooLong(usize),
    /// A character outside the grammar, or at a place where it is not allowed.
    #[error("`{0}` is not a session name")]
    Malformed(String),
    /// `shared`, or a device name of Windows.
    #[error("`{0}` is reserved and cannot name a session")]
    Reserved(String),
}

impl NameError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "Use letters, digits, `_`, `.` and `-`, beginning and ending with a letter or digit, at most 63 characters."
    }
}

impl SessionName {
    /// Checks a name; nothing may be built from text that did not pass here.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.trim().is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_LEN {
            return Err(NameError::TooLong(text.len()));
        }
        let bytes = text.as_bytes();
        let ends_well =
            bytes[0].is_ascii_alphanumeric() && bytes[bytes.len() - 1].is_ascii_alphanumeric();
        let inner_well = bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b));
        if !ends_well || !inner_well {
            return Err(NameError::Malformed(text.escape_debug().collect()));
        }
        let folded = text.to_ascii_lowercase();
        let stem = folded.split('.').next().unwrap_or_default();
        if folded == SHARED || DEVICES.contains(&stem) {
            return Err(NameError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Proposes a name for a project folder: its last component, with everything outside the grammar replaced.
    pub fn for_folder(folder: &Path) -> Result<Self, NameError> {
        let last = folder.file_name().unwrap_or_default().to_string_lossy();
        let spelled: String = last
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_.-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let edge = |c: char| !c.is_ascii_alphanumeric();
        let cut: String = spelled.trim_matches(edge).chars().take(MAX_LEN).collect();
        Self::parse(cut.trim_end_matches(edge))
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is compared and looked up: without case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for SessionName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for SessionName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
