//! What a side's cycles overwrote and deleted.
//!
//! Each cycle has a folder here. In it lies the plan, and, under the number of the change that displaced it, what stood
//! there: moved, or copied where the trash lies on another file system. While a cycle is under way its folder's name
//! says so; one that was killed is found by that, and what it left lying about by the names that it gave.

mod copy;
mod cycle;
mod history;
mod id;
mod leftovers;
mod manifest;
mod retention;
mod shelf;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_sync_core::Change;

use crate::root::{DirHandle, Directory, NewFile};

pub(crate) use cycle::{Cycle, Slot};
pub use history::{FromTrash, Past, PastChange, Recall, Undo, Was};
pub use id::{CycleId, NoCycleId};
pub use leftovers::Leftovers;
pub use retention::{Pruned, Retention};

pub(crate) use history::slot_path;
pub(crate) use shelf::{LARGE, Shelf, Taken};

use manifest::Manifest;

/// Nobody else looks into what a person deleted.
const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// What follows a cycle's id in its folder's name while the cycle is under way; its token comes after it.
const OPEN: &str = ".open-";

/// The file that says what a cycle is about.
const PLAN: &[u8] = b"plan";

/// Some ten million entries.
const PLAN_MAX: u64 = 1 << 30;

/// One side's trash, held open.
pub struct Trash {
    path: PathBuf,
    handle: Arc<DirHandle>,
}

/// The trash cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct TrashError {
    /// The trash, or a place in it.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl Trash {
    /// Opens a folder that holds nothing else; it is made when there is none. On the root's file system nothing has to
    /// be copied; within the root, the rules must leave it out.
    ///
    /// # Errors
    /// It can neither be opened nor made.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TrashError> {
        let path = path.into();
        match opened(&path) {
            Ok(handle) => Ok(Self {
                path,
                handle: Arc::new(handle),
            }),
            Err(source) => Err(TrashError { path, source }),
        }
    }

    /// The same trash, with something before each of its changes.
    #[cfg(unix)]
    #[cfg(test)]
    pub(crate) fn tapped(path: &Path, tap: crate::root::Tap) -> Self {
        Self {
            path: path.to_owned(),
            handle: Arc::new(opened(path).unwrap().tapped(tap)),
        }
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a cycle.
    pub(crate) fn begin(
        &self,
        id: CycleId,
        changes: &[Change],
        durable: bool,
    ) -> io::Result<Cycle> {
        // Where the clock was set back, there may be another one of that name: the later one takes the next.
        for id in std::iter::successors(Some(id), |id| Some(id.next())).take(1000) {
            if self.handle.look(id.to_string().as_bytes())?.is_some() {
                continue;
            }
            let token = self.token(id);
            let open = open_name(id, token);
            match self.handle.create_dir(open.as_bytes(), PRIVATE_DIR) {
                Ok(()) => {
                    let plan = manifest::write(token, changes);
                    let begun = self.begin_in(&open, &plan);
                    if begun.is_err() {
                        let _ = copy::remove_all(&self.handle, open.as_bytes());
                    }
                    let (handle, plan) = begun?;
                    return Ok(Cycle {
                        id,
                        place: self.path.as_path().into(),
                        trash: self.handle.clone(),
                        handle,
                        plan,
                        token,
                        durable,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn begin_in(&self, name: &str, plan: &[u8]) -> io::Result<(Arc<DirHandle>, NewFile)> {
        let handle = self.handle.open_dir(name.as_bytes())?;
        let mut file = handle.create_file(PLAN, PRIVATE_FILE)?;
        file.write(plan)?;
        Ok((Arc::new(handle), file))
    }

    /// All cycles' folders: of those that are over the ids, the oldest first, and the others' names.
    fn cycles(&self) -> io::Result<(Vec<CycleId>, Vec<String>)> {
        let listed = self.handle.list()?.into_iter();
        let names =
            listed.filter_map(|listed| String::from_utf8(listed.name.as_bytes().into()).ok());
        let (mut open, over): (Vec<_>, Vec<_>) = names.partition(|name| name.contains(OPEN));
        let over = over.iter().filter_map(|name| name.parse().ok());
        let mut over: Vec<CycleId> = over.collect();
        over.sort_unstable();
        open.sort_unstable();
        Ok((over, open))
    }

    /// The last of its cycles that keep something.
    pub(crate) fn last_that_keeps(&self) -> Result<Option<CycleId>, TrashError> {
        let (over, open) = self.cycles().map_err(self.error(""))?;
        for id in over.into_iter().rev() {
            let name = &*id.to_string();
            let handle = self.handle.open_dir(name.as_bytes());
            let weight = handle.and_then(|handle| history::weigh(&handle));
            if weight.map_err(self.error(name))?.files > 0 {
                return Ok(Some(id));
            }
        }
        // Of one that was cut off nobody knows what it keeps.
        let cut_off = open
            .iter()
            .filter_map(|name| name.split_once(OPEN)?.0.parse().ok());
        Ok(cut_off.max())
    }

    fn error(&self, name: &str) -> impl FnOnce(io::Error) -> TrashError {
        let path = self.path.join(name);
        |source| TrashError { path, source }
    }

    /// Another one for each cycle of each link.
    fn token(&self, id: CycleId) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.path.as_os_str().as_encoded_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        hasher.update(id.to_string().as_bytes());
        let bytes = hasher.finalize();
        u64::from_le_bytes(std::array::from_fn(|at| bytes.as_bytes()[at]))
    }
}

fn opened(path: &Path) -> io::Result<DirHandle> {
    std::fs::create_dir_all(path)?;
    DirHandle::open(path)
}

/// Reads what a cycle is about; none when that is not known any more.
fn manifest(cycle: &DirHandle) -> Option<Manifest> {
    let mut bytes = Vec::new();
    let plan = cycle.open_file(PLAN).ok()?.file;
    plan.take(PLAN_MAX).read_to_end(&mut bytes).ok()?;
    manifest::read(&bytes)
}

/// What the folder of a cycle that is under way is called.
fn open_name(id: CycleId, token: u64) -> String {
    format!("{id}{OPEN}{token:016x}")
}
