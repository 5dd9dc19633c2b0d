//! Names that a disk takes for each other: such that differ in case alone, mostly, or in how Unicode writes a letter.
//!
//! Nobody keeps a list of such disks and their rules. Where a name is taken and no entry bears it, the disk has said it.

use std::collections::HashSet;
use std::io;

use mizzen_sync_core::{Change, Unsyncable};

use super::{Failure, Why, place};
use crate::entry::Listed;
use crate::root::{DirHandle, Directory, Root, Way};

/// Whether a name stands for an entry that bears another.
pub(super) fn is_taken_for_another(dir: &DirHandle, name: &[u8]) -> bool {
    let is_another = |listed: Vec<Listed>| listed.iter().all(|entry| entry.name.as_bytes() != name);
    matches!(dir.look(name), Ok(Some(_))) && dir.list().is_ok_and(is_another)
}

/// Why nothing was made in a directory that is new as well: what has the name there was made for another one.
pub(super) fn in_new_dir(why: Why) -> Why {
    match why {
        Why::System(error) if error.kind() == io::ErrorKind::AlreadyExists => collision(),
        why => why,
    }
}

pub(super) fn collision() -> Why {
    Why::Unsyncable(Unsyncable::NameCollision)
}

/// Parts changes from those that make something under a name that is taken for that of an entry which stays. Nothing is
/// asked of the other side for them, in this cycle or the next.
pub(super) fn told_apart(root: &Root, changes: Vec<Change>) -> (Vec<Change>, Vec<Failure>) {
    let goes = changes.iter().filter(|change| change.new.is_none());
    let goes: HashSet<_> = goes.map(|change| change.path.parent()).collect();
    let mut way = Way::new(root.handle());
    let mut failed = Vec::new();
    let told_apart = changes.into_iter().filter(|change| {
        // Where something goes as well, it may be that entry: that shows when it has gone.
        let is_sure = change.old.is_none() && !goes.contains(&change.path.parent());
        let stands = is_sure
            .then(|| place(&mut way, &change.path).ok())
            .flatten();
        let is_taken = stands.is_some_and(|(dir, name)| is_taken_for_another(&dir, name));
        if is_taken {
            failed.push(Failure {
                path: change.path.clone(),
                why: collision(),
            });
        }
        !is_taken
    });
    let told_apart = told_apart.collect();
    (told_apart, failed)
}
