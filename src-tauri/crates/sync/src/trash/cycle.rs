//! A cycle under way, and the places where it keeps what it displaces.

use std::io;
use std::path::Path;
use std::sync::Arc;

use mizzen_sync_core::Node;

use super::{CycleId, PLAN, PRIVATE_DIR, copy, open_name};
use crate::root::{DirHandle, Directory, NewFile};
use crate::temp::{Part, Temp};

/// What one cycle displaces.
pub(crate) struct Cycle {
    pub(crate) id: CycleId,
    /// Where the trash is, for people.
    pub(super) place: Arc<Path>,
    pub(super) trash: Arc<DirHandle>,
    pub(super) handle: Arc<DirHandle>,
    pub(super) plan: NewFile,
    pub(super) token: u64,
    /// Whether what is copied here must be on disk before the original goes.
    pub(super) durable: bool,
}

impl Cycle {
    pub(crate) fn handle(&self) -> &Arc<DirHandle> {
        &self.handle
    }

    pub(crate) fn temp(&self, change: usize, part: Part) -> Vec<u8> {
        let token = self.token;
        Temp {
            token,
            change,
            part,
        }
        .name()
    }

    /// Where a change's displaced entry is kept.
    pub(crate) fn slot(&self, change: usize) -> Slot {
        Slot {
            trash: self.place.clone(),
            dir: self.handle.clone(),
            name: slot_name(change),
            durable: self.durable,
        }
    }

    /// The plan is on disk, and where it is.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.plan.sync()?;
        // With a new file, Linux's file systems bring its name to the disk as well, and the new folder that holds it.
        if cfg!(target_os = "linux") {
            return Ok(());
        }
        self.handle.sync()?;
        self.trash.sync()
    }

    /// Nothing of the cycle is left to do. One that touched nothing leaves nothing.
    pub(crate) fn finish(self, has_touched: bool) -> io::Result<()> {
        let open = open_name(self.id, self.token);
        let trash = &self.trash;
        if has_touched {
            return trash.rename(open.as_bytes(), trash, self.id.to_string().as_bytes());
        }
        self.handle.remove_file(PLAN)?;
        copy::remove_empty(trash, open.as_bytes())
    }
}

/// Under which name a change's displaced entry is kept.
pub(super) fn slot_name(change: usize) -> Vec<u8> {
    change.to_string().into_bytes()
}

/// A place for one displaced entry.
#[derive(Clone)]
pub(crate) struct Slot {
    /// Where the trash is, for people.
    pub(super) trash: Arc<Path>,
    pub(super) dir: Arc<DirHandle>,
    pub(super) name: Vec<u8>,
    pub(super) durable: bool,
}

impl Slot {
    /// Brings an entry here; false when something is left of it where it was. It is left there whole when it cannot be
    /// brought, or is not what was expected.
    pub(crate) fn stow(
        &self,
        dir: &DirHandle,
        name: &[u8],
        expected: Option<&Node>,
    ) -> io::Result<bool> {
        match dir.rename(name, &self.dir, &self.name) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let copied = copy::copy(dir, name, &self.dir, &self.name, expected, self.durable);
                copied.map_err(|error| self.no_room(error))?;
                Ok(copy::remove_copied(dir, name, &self.dir, &self.name).is_ok())
            }
            Err(error) => Err(error),
        }
    }

    /// Known here: the trash has a disk of its own.
    fn no_room(&self, error: io::Error) -> io::Error {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        let kind = error.kind();
        match kind {
            StorageFull | QuotaExceeded => {
                let trash = self.trash.display();
                io::Error::new(
                    kind,
                    format!("what goes from there is to be kept in {trash}: {error}"),
                )
            }
            _ => error,
        }
    }

    /// The same for what nobody expected, beside what was put here before.
    pub(crate) fn stow_also(mut self, dir: &DirHandle, name: &[u8]) -> io::Result<bool> {
        let first = self.name.clone();
        let mut others = 1..;
        loop {
            match self.stow(dir, name, None) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let other: u64 = others.next().expect("BUG: there is no end of numbers");
                    self.name = [&first, format!(".{other}").as_bytes()].concat();
                }
                stowed => return stowed,
            }
        }
    }

    /// Makes a directory here, for the entries of one that goes bit by bit.
    pub(crate) fn make_dir(&self) -> io::Result<Slots> {
        match self.dir.create_dir(&self.name, PRIVATE_DIR) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        Ok(Slots {
            trash: self.trash.clone(),
            dir: Arc::new(self.dir.open_dir(&self.name)?),
            durable: self.durable,
        })
    }
}

/// A displaced directory.
pub(crate) struct Slots {
    trash: Arc<Path>,
    dir: Arc<DirHandle>,
    durable: bool,
}

impl Slots {
    pub(crate) fn slot(&self, name: &[u8]) -> Slot {
        Slot {
            trash: self.trash.clone(),
            dir: self.dir.clone(),
            name: name.to_vec(),
            durable: self.durable,
        }
    }
}
