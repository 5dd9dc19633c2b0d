//! Opens beneath a directory handle. Linux looks before it opens, through `O_PATH`; other systems
//! open without blocking and without following, and look then.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::io::Errno;

use super::{Facts, FileKind, UnsafeReason};

pub(super) struct Dir(OwnedFd);

impl Dir {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(open(path, flags, Mode::empty())?))
    }

    pub(super) fn entry(&self, name: &str) -> Result<Entry, UnsafeReason> {
        openat(&self.0, name, ENTRY_FLAGS, Mode::empty())
            .map(Entry)
            .map_err(refused)
    }
}

/// Not yet opened for reading on Linux: looking at it cannot block, or wake a device.
#[cfg(target_os = "linux")]
const ENTRY_FLAGS: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const ENTRY_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

pub(super) struct Entry(OwnedFd);

impl Entry {
    pub(super) fn facts(&self) -> Result<Facts, UnsafeReason> {
        facts_of(&self.0)
    }

    /// Opens the very inode that was looked at, whatever its name leads to by now.
    #[cfg(target_os = "linux")]
    pub(super) fn open(self) -> Result<File, UnsafeReason> {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        open(path, flags, Mode::empty())
            .map(File::from)
            .map_err(refused)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn open(self) -> Result<File, UnsafeReason> {
        Ok(File::from(self.0))
    }
}

pub(super) fn facts_of(file: impl AsFd) -> Result<Facts, UnsafeReason> {
    let stat = fstat(file).map_err(refused)?;
    #[allow(
        clippy::useless_conversion,
        clippy::cast_sign_loss,
        reason = "widths differ by system"
    )]
    Ok(Facts {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        links: stat.st_nlink.into(),
        uid: Some(stat.st_uid),
        size: stat.st_size as u64,
    })
}

fn kind_of(kind: FileType) -> Option<FileKind> {
    Some(match kind {
        FileType::RegularFile => return None,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
        FileType::Unknown => FileKind::Unknown,
    })
}

fn refused(errno: Errno) -> UnsafeReason {
    match errno {
        Errno::NOENT => UnsafeReason::Missing,
        // Without O_PATH, NOFOLLOW answers like this for a link.
        Errno::LOOP => UnsafeReason::Kind(FileKind::Link),
        other => UnsafeReason::Io(other.into()),
    }
}
