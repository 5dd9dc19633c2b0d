//! Which folders the base was agreed with.
//!
//! Without the file nothing is known of them, and nothing held back for their sake.

use std::fs;
use std::path::Path;

use mizzen_fsx::{PathError, write_cache};

use super::BaseStore;
use crate::root::RootId;

pub(super) const FILE: &str = "roots.json";

/// The host's and the container's, as far as is known.
pub(crate) type Roots = [Option<RootId>; 2];

pub(super) fn load(dir: &Path) -> Roots {
    let bytes = fs::read(dir.join(FILE)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

impl BaseStore {
    /// Which of these are other folders than those that the base was agreed with.
    pub(crate) fn exchanged(&self, now: Roots) -> [bool; 2] {
        let is_other = |at: usize| match (self.roots[at], now[at]) {
            (Some(then), Some(now)) => then != now,
            _ => false,
        };
        [is_other(0), is_other(1)]
    }

    /// The base was agreed with these.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub(crate) fn agreed_with(&mut self, now: Roots) -> Result<(), PathError> {
        let roots = [0, 1].map(|at| now[at].or(self.roots[at]));
        if roots != self.roots {
            let text = serde_json::to_vec(&roots).expect("BUG: numbers are JSON");
            write_cache(self.dir.join(FILE), &text)?;
            self.roots = roots;
        }
        Ok(())
    }
}
