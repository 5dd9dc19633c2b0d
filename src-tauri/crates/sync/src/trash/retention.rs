//! How long the trash keeps things.

use std::time::Duration;

use super::history::weigh;
use super::{Trash, TrashError, copy};
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
    /// Something cannot be read or removed.
    pub fn prune(&self, retention: &Retention, now: i64) -> Result<Pruned, TrashError> {
        let age = i64::try_from(retention.age.as_nanos()).unwrap_or(i64::MAX);
        let oldest = now.saturating_sub(age);
        let (over, _) = self.cycles().map_err(self.error(""))?;
        self.prune_shelf(retention, now).map_err(self.error(""))?;
        let mut pruned = Pruned::default();
        let mut kept: u64 = 0;
        for id in over.into_iter().rev() {
            let (name, began) = (&*id.to_string(), id.0);
            let handle = self
                .handle
                .open_dir(name.as_bytes())
                .map_err(self.error(name))?;
            let weight = weigh(&handle).map_err(self.error(name))?;
            let with_it = kept.saturating_add(weight.bytes);
            if with_it <= retention.bytes && began >= oldest {
                kept = with_it;
                continue;
            }
            copy::remove_all(&self.handle, name.as_bytes()).map_err(self.error(name))?;
            pruned.cycles += 1;
            pruned.bytes += weight.bytes;
        }
        Ok(pruned)
    }
}
