//! The way from a root down to a directory.

use std::io;
use std::sync::Arc;

use mizzen_sync_core::RelPath;

use super::{DirHandle, Directory};

/// Directories that are held open, each in the one before: what lies near the last place is near to reach.
pub(crate) struct Way {
    root: Arc<DirHandle>,
    below: Vec<(Box<[u8]>, Arc<DirHandle>)>,
}

impl Way {
    pub(crate) fn new(root: &Arc<DirHandle>) -> Self {
        Self {
            root: root.clone(),
            below: Vec::new(),
        }
    }

    /// Goes to a directory; no link is followed.
    pub(crate) fn to(&mut self, path: &RelPath) -> io::Result<&Arc<DirHandle>> {
        let common = self.below.iter().zip(path.components());
        let common = common.take_while(|((held, _), name)| **held == **name);
        let common = common.count();
        self.below.truncate(common);
        for name in path.components().skip(common) {
            let opened = self.last().open_dir(name)?;
            self.below.push((name.into(), Arc::new(opened)));
        }
        Ok(self.last())
    }

    fn last(&self) -> &Arc<DirHandle> {
        self.below.last().map_or(&self.root, |(_, handle)| handle)
    }
}
