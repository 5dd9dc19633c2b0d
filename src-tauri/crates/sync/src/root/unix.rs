//! Directories by their descriptors.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use mizzen_sync_core::Name;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::Directory;
use crate::entry::{Kind, Listed, Stamp};

pub(crate) struct DirHandle(OwnedFd);

/// A file that was opened, and what was said of it at that moment.
pub(crate) struct OpenFile {
    pub(crate) file: File,
}

const DIR: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

/// Without waiting, so that a pipe that took a file's place does not hold us up.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK);

impl DirHandle {
    /// The root itself may be reached through links: it is the person who named it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = DIR.difference(OFlags::NOFOLLOW);
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }
}

impl Directory for DirHandle {
    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let Ok(name) = Name::new(name.to_bytes()) else {
                continue; // `.` and `..`
            };
            // The listing says what is no file, and most systems say it for nothing.
            let kind = match entry.file_type() {
                FileType::Directory => Some(Kind::Dir),
                FileType::Symlink => Some(Kind::Link),
                FileType::RegularFile | FileType::Unknown => self.look(name.as_bytes())?,
                _ => Some(Kind::Special),
            };
            // None: it went since it was listed.
            listed.extend(kind.map(|kind| Listed { name, kind }));
        }
        Ok(listed)
    }

    fn open_dir(&self, name: &[u8]) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, DIR, Mode::empty())?))
    }

    fn open_file(&self, name: &[u8]) -> io::Result<OpenFile> {
        let file = File::from(openat(&self.0, name, FILE, Mode::empty())?);
        Ok(OpenFile { file })
    }

    fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(&self.0, name, Vec::new())?.into_bytes())
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the width of this field differs between systems"
    )]
    fn file_system(&self) -> io::Result<u64> {
        Ok(fstat(&self.0)?.st_dev as u64)
    }

    fn look(&self, name: &[u8]) -> io::Result<Option<Kind>> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl OpenFile {
    /// What stands behind the name that was opened.
    pub(crate) fn kind(&self) -> io::Result<Kind> {
        Ok(kind(&fstat(&self.file)?))
    }
}

fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File {
            stamp: stamp(stat),
            executable: stat.st_mode & 0o100 != 0,
        },
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    }
}

#[allow(
    clippy::unnecessary_cast,
    reason = "the widths of these fields differ between systems"
)]
fn stamp(stat: &Stat) -> Stamp {
    let time =
        |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
    Stamp {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        inode: stat.st_ino as u64,
    }
}
