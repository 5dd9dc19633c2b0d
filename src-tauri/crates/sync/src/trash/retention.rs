//! How long the trash keeps things.

use std::time::Duration;

use super::history::{Weight, weigh};
use super::{CycleId, Trash, TrashError, copy};
use crate::root::Directory;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Not what is older.
    pub age: Duration,
    /// Of the rest no more than so many bytes; the newest are kept first.
    pub bytes: u64,
}

/// What was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Cycles that cannot be taken back any more.
    pub cycles: u64,
    /// Bytes that they kept.
    pub bytes: u64,
}

impl Trash {
    /// Removes what is not to be kept at a time in nanoseconds since 1970. Cycles that are under way stay.
    ///
    /// # Errors
    /// Something cannot be read or removed; all else is gone then.
    pub fn prune(&self, retention: &Retention, now: i64) -> Result<Pruned, TrashError> {
        let age = i64::try_from(retention.age.as_nanos()).unwrap_or(i64::MAX);
        let oldest = now.saturating_sub(age);
        let (over, _) = self.cycles().map_err(self.error(""))?;
        let shelf = self.prune_shelf(retention, now);
        let mut failed = shelf.map_err(self.error("")).err();
        let mut pruned = Pruned::default();
        let mut kept: u64 = 0;
        for id in over.into_iter().rev() {
            let is_kept = |weight: Weight| {
                let with_it = kept.saturating_add(weight.bytes);
                let is_kept = with_it <= retention.bytes && id.0 >= oldest;
                kept = if is_kept { with_it } else { kept };
                is_kept
            };
            match self.prune_one(id, is_kept) {
                Ok(None) => {}
                Ok(Some(gone)) => {
                    pruned.cycles += 1;
                    pruned.bytes += gone.bytes;
                }
                // What came with files of another user may have to stay; older ones go for all that.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(pruned), Err)
    }

    /// Removes a cycle unless it is kept, and tells what it weighed.
    fn prune_one(
        &self,
        id: CycleId,
        is_kept: impl FnOnce(Weight) -> bool,
    ) -> Result<Option<Weight>, TrashError> {
        let name = &*id.to_string();
        let handle = self.handle.open_dir(name.as_bytes());
        let weight = handle.and_then(|handle| weigh(&handle));
        let weight = weight.map_err(self.error(name))?;
        if is_kept(weight) {
            return Ok(None);
        }
        copy::remove_all(&self.handle, name.as_bytes()).map_err(self.error(name))?;
        Ok(Some(weight))
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use rustix::process::{Uid, geteuid};
    use rustix::thread::set_thread_res_uid;

    use super::*;
    use crate::root::{Op, Tap};
    use crate::trash::Recall;

    const NOTHING: Retention = Retention {
        age: Duration::ZERO,
        bytes: 0,
    };

    /// The folder of a cycle that keeps a file in a directory.
    fn cycle(trash: &Path, id: CycleId, dir: &str) {
        let dir = trash.join(id.to_string()).join("0").join(dir);
        fs::create_dir_all(&dir).unwrap();
        mizzen_fsx::write_atomic(dir.join("file"), b"12345").unwrap();
    }

    /// Root is refused nothing, so another one does it.
    #[test]
    fn what_came_with_directories_that_take_no_change_goes_as_well() {
        let done = std::thread::spawn(|| {
            if geteuid().is_root() {
                let nobody = Uid::from_raw(65534);
                set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            for mode in [0o555, 0o644, 0o300, 0o000] {
                let folder = tempfile::tempdir().unwrap();
                let trash = Trash::open(folder.path()).unwrap();
                for number in 1..=3 {
                    cycle(folder.path(), CycleId(number), "d/locked");
                }
                let dir = CycleId(2).to_string() + "/0/d/locked";
                let locked = Permissions::from_mode(mode);
                fs::set_permissions(folder.path().join(dir), locked).unwrap();
                let told = trash.history(&Recall::last(10)).unwrap().len();
                let pruned = trash.prune(&NOTHING, 10).unwrap();
                let left = fs::read_dir(folder.path()).unwrap().count();
                assert_eq!((told, pruned.cycles, left), (3, 3, 0), "{mode:o}");
            }
        });
        done.join().unwrap();
    }

    #[test]
    fn a_cycle_that_cannot_be_removed_keeps_no_other_one() {
        let folder = tempfile::tempdir().unwrap();
        for (number, dir) in [(1, "a"), (2, "stays"), (3, "a")] {
            cycle(folder.path(), CycleId(number), dir);
        }
        let tap = Tap::new(|op, name| match (op, name) {
            (Op::RemoveDir, b"stays") => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(()),
        });
        let trash = Trash::tapped(folder.path(), tap);
        let error = trash.prune(&NOTHING, 10).unwrap_err().to_string();
        let stays = CycleId(2).to_string();
        assert!(error.contains(&stays), "{error}");
        let left = fs::read_dir(folder.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [&*stays]);
    }
}
