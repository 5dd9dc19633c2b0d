//! Directories by their paths, where the system has no handles for them that a program may go down from.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use mizzen_sync_core::Name;

use super::Directory;
use crate::entry::{Kind, Listed, Stamp};

pub(crate) struct DirHandle(PathBuf);

/// A file that was opened.
pub(crate) struct OpenFile {
    pub(crate) file: File,
}

impl DirHandle {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path)?.is_dir() {
            true => Ok(Self(fs::canonicalize(path)?)),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn path(&self, name: &[u8]) -> io::Result<PathBuf> {
        let name = std::str::from_utf8(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(self.0.join(name))
    }
}

impl Directory for DirHandle {
    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            // A name that is no text cannot be told to the other side.
            let Some(Ok(name)) = entry
                .file_name()
                .to_str()
                .map(|name| Name::new(name.as_bytes()))
            else {
                continue;
            };
            let kind = self.look(name.as_bytes())?;
            listed.extend(kind.map(|kind| Listed { name, kind }));
        }
        Ok(listed)
    }

    fn open_dir(&self, name: &[u8]) -> io::Result<Self> {
        match self.look(name)? {
            Some(Kind::Dir) => Ok(Self(self.path(name)?)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn open_file(&self, name: &[u8]) -> io::Result<OpenFile> {
        match self.look(name)? {
            Some(Kind::File { .. }) => Ok(OpenFile {
                file: File::open(self.path(name)?)?,
            }),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let target = fs::read_link(self.path(name)?)?;
        let target = target.to_str().ok_or(io::ErrorKind::InvalidData)?;
        Ok(target.replace('\\', "/").into_bytes())
    }

    fn file_system(&self) -> io::Result<u64> {
        // A folder that another volume is mounted in is a reparse point, which is taken for a link.
        Ok(0)
    }

    fn look(&self, name: &[u8]) -> io::Result<Option<Kind>> {
        match fs::symlink_metadata(self.path(name)?) {
            Ok(facts) => Ok(Some(kind(&facts))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl OpenFile {
    pub(crate) fn kind(&self) -> io::Result<Kind> {
        Ok(kind(&self.file.metadata()?))
    }
}

fn kind(facts: &Metadata) -> Kind {
    if facts.is_symlink() {
        Kind::Link
    } else if facts.is_dir() {
        Kind::Dir
    } else if facts.is_file() {
        let changed = nanos(facts.modified());
        let stamp = Stamp {
            size: facts.len(),
            mtime: changed,
            ctime: changed,
            inode: 0,
        };
        // Such systems have no bit for it.
        Kind::File {
            stamp,
            executable: false,
        }
    } else {
        Kind::Special
    }
}

fn nanos(time: io::Result<SystemTime>) -> i64 {
    let since = time
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or(0)
}
