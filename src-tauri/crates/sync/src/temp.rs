//! Names of what is not an entry yet, or not any more.

use mizzen_sync_core::Name;

/// No entry has such a name; one side's scans pass over them.
const PREFIX: &[u8] = b".mizzen-tmp-";

/// Whether a name is none of an entry.
pub(crate) fn is_one(name: &Name) -> bool {
    name.as_bytes().starts_with(PREFIX)
}

/// Names that belong to one cycle.
#[derive(Clone, Debug)]
pub(crate) struct Temps(String);

impl Temps {
    /// `token` is another one for each cycle of each link.
    pub(crate) fn new(token: u64) -> Self {
        let prefix = String::from_utf8_lossy(PREFIX);
        Self(format!("{prefix}{token:016x}-"))
    }

    /// Stands beside the place of a change.
    pub(crate) fn of(&self, change: usize) -> Vec<u8> {
        format!("{}{change}", self.0).into_bytes()
    }

    /// Stands beside an entry of a directory that a change takes away.
    pub(crate) fn of_child(&self, change: usize, position: usize) -> Vec<u8> {
        format!("{}{change}-{position}", self.0).into_bytes()
    }
}
