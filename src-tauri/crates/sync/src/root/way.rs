//! The way from a root down to a directory.

use std::io;
use std::sync::Arc;

use mizzen_sync_core::RelPath;

use super::{DirHandle, Directory};

/// Directories that are held open, from the root down; those below them are opened each time.
const HELD_MAX: usize = 32;

/// Directories that are held open, each in the one before: what lies near the last place is near to reach.
pub(crate) struct Way {
    root: Arc<DirHandle>,
    held: Vec<(Box<[u8]>, Arc<DirHandle>)>,
    last: (RelPath, Arc<DirHandle>),
}

impl Way {
    pub(crate) fn new(root: &Arc<DirHandle>) -> Self {
        Self {
            root: root.clone(),
            held: Vec::new(),
            last: (RelPath::root(), root.clone()),
        }
    }

    /// Goes to a directory; no link is followed.
    pub(crate) fn to(&mut self, path: &RelPath) -> io::Result<&Arc<DirHandle>> {
        if self.last.0 != *path {
            self.last = (path.clone(), self.open(path)?);
        }
        Ok(&self.last.1)
    }

    fn open(&mut self, path: &RelPath) -> io::Result<Arc<DirHandle>> {
        let common = self.held.iter().zip(path.components());
        let common = common.take_while(|((held, _), name)| **held == **name);
        let common = common.count();
        self.held.truncate(common);
        let last = self.held.last().map_or(&self.root, |(_, handle)| handle);
        let mut dir = last.clone();
        for name in path.components().skip(common) {
            dir = Arc::new(dir.open_dir(name)?);
            if self.held.len() < HELD_MAX {
                self.held.push((name.into(), dir.clone()));
            }
        }
        Ok(dir)
    }
}
