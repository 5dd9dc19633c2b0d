//! Files that are being written, for all that is known.

use std::collections::HashSet;

use mizzen_sync_core::Name;

/// More than that are not told apart.
const SLOW_MAX: usize = 1000;

/// A file, by the watch of its directory.
type Place = (i32, Name);

/// A file that was changed is about to be closed, and is then complete; but not one that was waited for in vain.
#[derive(Debug, Default)]
pub(super) struct Writing {
    open: HashSet<Place>,
    slow: HashSet<Place>,
}

impl Writing {
    pub(super) fn begun(&mut self, watch: i32, name: Name) {
        let place = (watch, name);
        if !self.slow.contains(&place) {
            self.open.insert(place);
        }
    }

    pub(super) fn ended(&mut self, watch: i32, name: Name) {
        let place = (watch, name);
        self.open.remove(&place);
        self.slow.remove(&place);
    }

    /// Whether it is worth to wait.
    pub(super) fn is_any(&self) -> bool {
        !self.open.is_empty()
    }

    /// What is still open was waited for.
    pub(super) fn waited(&mut self) {
        if self.slow.len() > SLOW_MAX {
            self.slow.clear();
        }
        self.slow.extend(self.open.drain());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_waited_for_until_it_is_closed_or_once_in_vain() {
        let name = || Name::new(*b"a").unwrap();
        let mut writing = Writing::default();
        writing.begun(1, name());
        writing.begun(2, name());
        writing.ended(1, name());
        assert!(writing.is_any());
        writing.ended(2, name());
        assert!(!writing.is_any());
        writing.begun(1, name());
        writing.waited();
        writing.begun(1, name());
        assert!(!writing.is_any(), "a log that stays open");
        writing.ended(1, name());
        writing.begun(1, name());
        assert!(writing.is_any());
    }
}
