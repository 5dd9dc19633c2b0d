//! Opens beneath a directory handle. Linux looks before it opens, through `O_PATH`; other systems
//! open without blocking and without following, and look then.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, fchmod, fstat, fsync, mkdirat, open, openat,
    renameat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::mark::Stamp;
use super::{Facts, FileKind, Listed, UnsafeReason};

pub(super) struct Dir(OwnedFd);

impl Dir {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(open(path, DIR_FLAGS, Mode::empty())?))
    }

    pub(super) fn entry(&self, name: &str) -> Result<Entry, UnsafeReason> {
        openat(&self.0, name, ENTRY_FLAGS, Mode::empty())
            .map(Entry)
            .map_err(refused)
    }

    pub(super) fn child(&self, name: &str) -> Result<Self, UnsafeReason> {
        self.child_with(name, DIR_FLAGS)
    }

    pub(super) fn glance(&self, name: &str) -> Result<Self, UnsafeReason> {
        self.child_with(name, GLANCE_FLAGS)
    }

    fn child_with(&self, name: &str, flags: OFlags) -> Result<Self, UnsafeReason> {
        match openat(&self.0, name, flags, Mode::empty()) {
            Ok(dir) => Ok(Self(dir)),
            Err(errno @ (Errno::NOTDIR | Errno::LOOP)) => Err(self.kind_in_the_way(name, errno)),
            Err(errno) => Err(refused(errno)),
        }
    }

    fn kind_in_the_way(&self, name: &str, errno: Errno) -> UnsafeReason {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => match kind_of(FileType::from_raw_mode(stat.st_mode)) {
                Some(FileKind::Directory) => UnsafeReason::Io(errno.into()),
                Some(kind) => UnsafeReason::Kind(kind),
                None => UnsafeReason::Io(errno.into()),
            },
            Err(errno) => refused(errno),
        }
    }

    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "widths differ by system"
    )]
    pub(super) fn stamp(&self, name: &str) -> Result<Option<Stamp>, UnsafeReason> {
        let stat = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map_err(refused)?;
        Ok(Some(Stamp {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }))
    }

    pub(super) fn first(&self, max: usize) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == "." || name == ".." {
                continue;
            }
            if listed.len() == max {
                break;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => self.look(entry.file_name())?,
                kind => kind,
            };
            let kind = kind_of(kind);
            listed.push(Listed { name, kind });
        }
        Ok(listed)
    }

    fn look(&self, name: &std::ffi::CStr) -> io::Result<FileType> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
            // Gone since it was listed.
            Err(Errno::NOENT) => Ok(FileType::Unknown),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn owner(&self) -> io::Result<Option<u32>> {
        Ok(Some(fstat(&self.0)?.st_uid))
    }

    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        reason = "widths differ by system"
    )]
    pub(super) fn disk(&self) -> io::Result<Option<u64>> {
        Ok(Some(fstat(&self.0)?.st_dev as u64))
    }

    pub(super) fn is_open_to_others(&self, name: &str) -> bool {
        statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| {
            let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            is_file && stat.st_mode & 0o066 != 0
        })
    }

    pub(super) fn create_dir(&self, name: &str, mode: u32) -> io::Result<()> {
        Ok(mkdirat(&self.0, name, as_mode(mode))?)
    }

    pub(super) fn create_file(&self, name: &str, mode: u32) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, as_mode(mode))?;
        fchmod(&file, as_mode(mode))?;
        Ok(File::from(file))
    }

    pub(super) fn protect(&self, mode: u32) -> io::Result<()> {
        Ok(fchmod(&self.0, as_mode(mode))?)
    }

    pub(super) fn rename_new(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        match renameat_with(&self.0, name, &to.0, new, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return Ok(done?),
        }
        if statat(&to.0, new, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Err(Errno::EXIST.into());
        }
        // RACE: a file that takes the name now is replaced. Such file systems have no better way.
        Ok(renameat(&self.0, name, &to.0, new)?)
    }

    pub(super) fn rename_over(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(renameat(&self.0, name, &to.0, new)?)
    }

    /// Whether the two have changed places; without, the system cannot do it.
    pub(super) fn exchange(&self, name: &str, to: &Self, new: &str) -> io::Result<bool> {
        match renameat_with(&self.0, name, &to.0, new, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    pub(super) fn remove_dir(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(fsync(&self.0)?)
    }
}

const DIR_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Enough to ask for stamps: nobody who watches the directory is woken by it.
#[cfg(target_os = "linux")]
const GLANCE_FLAGS: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const GLANCE_FLAGS: OFlags = DIR_FLAGS;

#[allow(
    clippy::cast_possible_truncation,
    clippy::useless_conversion,
    reason = "the width differs by system"
)]
fn as_mode(mode: u32) -> Mode {
    Mode::from_raw_mode((mode & 0o777) as rustix::fs::RawMode)
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
