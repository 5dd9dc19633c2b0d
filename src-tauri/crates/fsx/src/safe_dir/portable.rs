//! Where there are no directory handles: look at the entry, open it, look again.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::mark::Stamp;
use super::{Facts, FileKind, Listed, UnsafeReason};

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

    pub(super) fn child(&self, name: &str) -> Result<Self, UnsafeReason> {
        let found = fs::symlink_metadata(self.0.join(name)).map_err(refused)?;
        match kind_of(&found) {
            Some(FileKind::Directory) => Ok(Self(self.0.join(name))),
            Some(kind) => Err(UnsafeReason::Kind(kind)),
            None => Err(UnsafeReason::Io(io::ErrorKind::NotADirectory.into())),
        }
    }

    /// A file can be changed here without any of its times telling so.
    pub(super) fn stamp(&self, name: &str) -> Result<Option<Stamp>, UnsafeReason> {
        fs::symlink_metadata(self.0.join(name))
            .map(|_| None)
            .map_err(refused)
    }

    pub(super) fn glance(&self, name: &str) -> Result<Self, UnsafeReason> {
        self.child(name)
    }

    /// Who may read it is a list of users here, which nobody reads.
    pub(super) fn is_open_to_others(&self, _name: &str) -> bool {
        false
    }

    pub(super) fn first(&self, max: usize) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(&self.0)?.take(max) {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = kind_of(&entry.metadata()?);
            listed.push(Listed { name, kind });
        }
        Ok(listed)
    }

    pub(super) fn owner(&self) -> io::Result<Option<u32>> {
        Ok(None)
    }

    pub(super) fn disk(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    pub(super) fn create_dir(&self, name: &str, _mode: u32) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    pub(super) fn create_file(&self, name: &str, _mode: u32) -> io::Result<File> {
        File::create_new(self.0.join(name))
    }

    pub(super) fn protect(&self, _mode: u32) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn rename_new(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        if fs::symlink_metadata(to.0.join(new)).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename_over(name, to, new)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the step that puts a whole file in its place"
    )]
    pub(super) fn rename_over(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        fs::rename(self.0.join(name), to.0.join(new))
    }

    pub(super) fn exchange(&self, _name: &str, _to: &Self, _new: &str) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    pub(super) fn remove_dir(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }

    // Windows writes directory entries through; there is no handle to sync.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(())
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
    Facts {
        kind: kind_of(found),
        links: 1,
        uid: None,
        size: found.len(),
    }
}

fn kind_of(found: &Metadata) -> Option<FileKind> {
    match found.file_type() {
        kind if kind.is_file() => None,
        kind if kind.is_symlink() => Some(FileKind::Link),
        kind if kind.is_dir() => Some(FileKind::Directory),
        _ => Some(FileKind::Unknown),
    }
}

fn refused(error: io::Error) -> UnsafeReason {
    match error.kind() {
        io::ErrorKind::NotFound => UnsafeReason::Missing,
        _ => UnsafeReason::Io(error),
    }
}
