//! Directories that stay on one side, on disk.
//!
//! Without the file they are empty directories like others, and go over.

use std::fs;
use std::path::Path;

use mizzen_fsx::{PathError, write_cache};
use mizzen_sync_core::{Left, RelPath, Side};

use super::BaseStore;
use crate::encoding::{decode, encode};

pub(super) const FILE: &str = "left";

/// Whether it is on the host, the place, and the shape.
type Stored = (bool, Vec<u8>, Vec<u8>);

pub(super) fn load(dir: &Path) -> Vec<Left> {
    let bytes = fs::read(dir.join(FILE)).unwrap_or_default();
    let stored: Vec<Stored> = postcard::from_bytes(&bytes).unwrap_or_default();
    let left = stored.into_iter().map(|(is_on_host, path, shape)| {
        let side = if is_on_host {
            Side::Host
        } else {
            Side::Container
        };
        let path = RelPath::new(&path).ok()?;
        let shape = decode(&shape).ok()?;
        Some(Left { side, path, shape })
    });
    left.collect::<Option<_>>().unwrap_or_default()
}

impl BaseStore {
    /// Directories that stay on one side.
    pub(crate) fn left(&self) -> &[Left] {
        &self.left
    }

    /// From now on these stay.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub(crate) fn leave(&mut self, left: Vec<Left>) -> Result<(), PathError> {
        if left == self.left {
            return Ok(());
        }
        let stored = left.iter().map(|left| -> Stored {
            let path = left.path.as_bytes().to_vec();
            (left.side == Side::Host, path, encode(&left.shape))
        });
        let stored: Vec<Stored> = stored.collect();
        let bytes = postcard::to_stdvec(&stored).expect("BUG: bytes in memory take all");
        write_cache(self.dir.join(FILE), &bytes)?;
        self.left = left;
        Ok(())
    }
}
