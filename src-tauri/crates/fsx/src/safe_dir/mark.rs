//! What the system says of an entry, and of what is in it, without anybody looking into a file.

use std::collections::BTreeMap;
use std::io;

use super::{SafeDir, UnsafeReason, is_plain, system};
use crate::path_error::{At, PathError};

/// What stands at a place: the same again, and it is the same with the same content, unless it was changed within the
/// moment that the mark was made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(Standing);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Nothing,
    /// Its stamp, and what stands in it, so far down as was asked for.
    Entry(Stamp, BTreeMap<String, Standing>),
}

/// An entry as its directory tells it; a link's is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds.
    pub(super) modified: (i64, i64),
    /// The same of any change, of names and permissions as well; no program can set it.
    pub(super) changed: (i64, i64),
}

impl SafeDir {
    /// Marks what stands under a name, with what is in it so many directories down; none where the system tells too
    /// little, or one of them holds more than `max` entries.
    #[must_use]
    pub fn mark(&self, name: &str, depth: usize, max: usize) -> Option<Mark> {
        let plain = is_plain(name).then_some(name)?;
        standing(&self.handle, plain, depth, max).map(Mark)
    }

    /// Whether the same stands there still. It opens nothing but directories, and those so that nobody who watches them
    /// is woken: thousands of such looks are nothing to anybody.
    #[must_use]
    pub fn is_as(&self, name: &str, mark: &Mark) -> bool {
        is_plain(name) && holds(&self.handle, name, &mark.0)
    }

    /// Number of the disk that it lies on, where there are such.
    ///
    /// # Errors
    /// The system does not say.
    pub fn disk(&self) -> Result<Option<u64>, PathError> {
        self.handle.disk().at(&self.path)
    }
}

fn standing(dir: &system::Dir, name: &str, depth: usize, max: usize) -> Option<Standing> {
    let Some(stamp) = stamp(dir, name)? else {
        return Some(Standing::Nothing);
    };
    let mut inside = BTreeMap::new();
    if depth > 0 {
        match dir.child(name) {
            Ok(dir) => {
                for entry in dir.list(max).ok()? {
                    let found = standing(&dir, &entry.name, depth - 1, max)?;
                    inside.insert(entry.name, found);
                }
            }
            // A link, a file: its own stamp says all of it.
            Err(reason) if is_no_folder(&reason) => {}
            Err(_) => return None,
        }
    }
    Some(Standing::Entry(stamp, inside))
}

/// A directory's own stamp tells of everything that comes or goes in it.
fn holds(dir: &system::Dir, name: &str, before: &Standing) -> bool {
    match (before, stamp(dir, name)) {
        (Standing::Nothing, Some(None)) => true,
        (Standing::Entry(before, inside), Some(Some(now))) if *before == now => {
            let all_hold = |dir: system::Dir| {
                let mut inside = inside.iter();
                inside.all(|(name, before)| holds(&dir, name, before))
            };
            inside.is_empty() || dir.glance(name).is_ok_and(all_hold)
        }
        _ => false,
    }
}

/// The stamp of what stands there, if anything does; none where that cannot be told.
#[allow(clippy::option_option, reason = "that nothing is there is known, too")]
fn stamp(dir: &system::Dir, name: &str) -> Option<Option<Stamp>> {
    match dir.stamp(name) {
        Ok(stamp) => stamp.map(Some),
        Err(UnsafeReason::Missing) => Some(None),
        Err(_) => None,
    }
}

fn is_no_folder(reason: &UnsafeReason) -> bool {
    match reason {
        UnsafeReason::Kind(_) => true,
        UnsafeReason::Io(error) => error.kind() == io::ErrorKind::NotADirectory,
        _ => false,
    }
}
