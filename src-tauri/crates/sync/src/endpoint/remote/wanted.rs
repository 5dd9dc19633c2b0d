//! Contents that one end asks the other for.

use std::io;

use mizzen_sync_core::{Digest, File, RelPath};
use serde::{Deserialize, Serialize};

use super::delta::{Cuts, SUMS_MAX, Sum, is_average};
use super::few::few;
use super::frames::senseless;
use super::place::Place;
use crate::apply::Wish;

/// A file whose contents are asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Wanted {
    path: Place,
    digest: [u8; 32],
    size: u64,
    mtime: i64,
    executable: bool,
    left: Option<Left>,
}

/// What of a file is still wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Left {
    /// Not so many of its first bytes.
    pub(super) first: u64,
    /// Nor pieces of this average length, with these sums.
    pub(super) cuts: Cuts,
    pub(super) average: u32,
    #[serde(deserialize_with = "few")]
    pub(super) sums: Vec<Sum>,
}

/// A file that the other end asks for.
pub(super) struct Asked {
    pub(super) path: RelPath,
    pub(super) file: File,
    pub(super) left: Option<Left>,
}

impl Wanted {
    pub(super) fn new(path: &RelPath, file: &File) -> Self {
        Self {
            path: path.into(),
            digest: file.digest.0,
            size: file.size,
            mtime: file.mtime,
            executable: file.executable,
            left: None,
        }
    }

    /// The same without what is here already.
    pub(super) fn rest(path: &RelPath, file: &File, left: Left) -> Self {
        Self {
            left: Some(left),
            ..Self::new(path, file)
        }
    }

    /// About how many bytes it takes to ask.
    pub(super) fn length(&self) -> usize {
        self.path.0.len() + 48
    }

    fn asked(self) -> io::Result<Asked> {
        let file = File {
            digest: Digest(self.digest),
            size: self.size,
            mtime: self.mtime,
            executable: self.executable,
        };
        if self
            .left
            .as_ref()
            .is_some_and(|left| !left.makes_sense(&file))
        {
            return Err(senseless("a part of a file that cannot be"));
        }
        Ok(Asked {
            path: self.path.path()?,
            file,
            left: self.left,
        })
    }
}

impl Left {
    fn makes_sense(&self, file: &File) -> bool {
        let may_be_cut = is_average(self.average as usize) && self.sums.len() <= SUMS_MAX;
        self.first <= file.size && (self.sums.is_empty() || may_be_cut)
    }
}

impl Asked {
    /// All of the file, where it has to be asked for in turn.
    pub(super) fn wish(&self) -> Wish {
        Wish {
            path: self.path.clone(),
            file: self.file,
            is_part_here: false,
        }
    }
}

pub(super) fn asked(wanted: Vec<Wanted>) -> io::Result<Vec<Asked>> {
    wanted.into_iter().map(Wanted::asked).collect()
}
