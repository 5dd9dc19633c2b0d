//! Where there are no directory handles: look at the entry, open it, look again.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::{Facts, FileKind, UnsafeReason};

pub(super) struct Dir(PathBuf);

impl Dir {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        if !found.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "not a directory",
            ));
        }
        Ok(Self(path.to_owned()))
    }

    pub(super) fn entry(&self, name: &str) -> Result<Entry, UnsafeReason> {
        let path = self.0.join(name);
        let found = fs::symlink_metadata(&path).map_err(refused)?;
        Ok(Entry { path, found })
    }
}

pub(super) struct Entry {
    path: PathBuf,
    found: Metadata,
}

impl Entry {
    pub(super) fn facts(&self) -> Result<Facts, UnsafeReason> {
        Ok(facts(&self.found))
    }

    // RACE: the entry may be replaced by a link in between. Containers do not share files with a
    // Windows host except through a virtual machine's own file server, which follows no links out.
    pub(super) fn open(self) -> Result<File, UnsafeReason> {
        File::open(self.path).map_err(refused)
    }
}

pub(super) fn facts_of(file: &File) -> Result<Facts, UnsafeReason> {
    file.metadata().map(|found| facts(&found)).map_err(refused)
}

fn facts(found: &Metadata) -> Facts {
    let kind = match found.file_type() {
        kind if kind.is_file() => None,
        kind if kind.is_symlink() => Some(FileKind::Link),
        kind if kind.is_dir() => Some(FileKind::Directory),
        _ => Some(FileKind::Unknown),
    };
    Facts {
        kind,
        links: 1,
        uid: None,
        size: found.len(),
    }
}

fn refused(error: io::Error) -> UnsafeReason {
    match error.kind() {
        io::ErrorKind::NotFound => UnsafeReason::Missing,
        _ => UnsafeReason::Io(error),
    }
}
