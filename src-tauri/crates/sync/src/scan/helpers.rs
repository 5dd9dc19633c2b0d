//! Who helps to look: to open and to read twenty thousand small files keeps more than one processor at work.

use std::num::NonZero;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use crate::entry::{Kind, Listed};

/// Each holds as many directories open as the one who looks, and a process has a thousand files.
const MANY: usize = 2;

/// How many are free.
pub(super) struct Helpers(AtomicUsize);

impl Helpers {
    pub(super) fn new(free: usize) -> Self {
        Self(AtomicUsize::new(free))
    }

    /// For each processor but the one that looks already. To count them takes the reading of files, and looks are many:
    /// it is done once.
    pub(super) fn of_this_machine() -> Self {
        static PROCESSORS: LazyLock<usize> =
            LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));
        Self::new((*PROCESSORS - 1).min(MANY))
    }

    /// One who is not free until they are dropped.
    pub(super) fn take(&self) -> Option<Helper<'_>> {
        let free = &self.0;
        let taken = free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1));
        taken.is_ok().then(|| Helper(free))
    }
}

/// One who helps.
pub(super) struct Helper<'a>(&'a AtomicUsize);

impl Drop for Helper<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Where what is listed parts into two that hold as many directories each. Files alone are not worth a thread.
pub(super) fn half(listed: &[Listed]) -> Option<usize> {
    let all = listed.iter().enumerate();
    let dirs = all.filter(|(_, it)| it.kind == Kind::Dir);
    let dirs: Vec<usize> = dirs.map(|(at, _)| at).collect();
    (dirs.len() > 1).then(|| dirs[dirs.len() / 2])
}

#[cfg(test)]
mod tests {
    use mizzen_sync_core::Name;

    use super::*;

    #[test]
    fn one_who_helps_is_free_again_in_the_end() {
        let helpers = Helpers::new(2);
        let both = [helpers.take(), helpers.take()];
        assert!(both.iter().all(Option::is_some));
        assert!(helpers.take().is_none());
        drop(both);
        assert!(helpers.take().is_some());
    }

    #[test]
    fn directories_are_parted_and_files_go_along() {
        for (kinds, expected) in [
            ("", None),
            ("fff", None),
            ("fdf", None),
            ("dd", Some(1)),
            ("dfd", Some(2)),
            ("fdfddf", Some(3)),
            ("dddd", Some(2)),
        ] {
            let listed: Vec<_> = kinds.chars().map(listed).collect();
            assert_eq!(half(&listed), expected, "{kinds}");
        }
    }

    fn listed(kind: char) -> Listed {
        let kind = if kind == 'd' {
            Kind::Dir
        } else {
            Kind::Special
        };
        let name = Name::new(*b"name").unwrap();
        Listed { name, kind }
    }
}
