//! Directories by their descriptors.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};

use mizzen_sync_core::Name;
#[cfg(not(target_os = "linux"))]
use rustix::fs::Dir;
#[cfg(target_os = "linux")]
use rustix::fs::RawDir;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawMode, RenameFlags, Stat, Timespec, Timestamps, UTIME_OMIT,
    fchmod, fstat, futimens, linkat, mkdirat, openat, readlinkat, renameat, renameat_with, statat,
    symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::Directory;
use super::tap::{Op, Tap};
use crate::entry::{Kind, Listed, Stamp};

pub(crate) struct DirHandle {
    descriptor: OwnedFd,
    tap: Tap,
    /// Then it has to begin anew to be listed again.
    #[cfg(target_os = "linux")]
    was_listed: AtomicBool,
}

/// A file that was made just now.
pub(crate) struct NewFile {
    file: File,
    ends_in_hole: bool,
    tap: Tap,
}

/// A file that was opened, and what was said of it at that moment.
pub(crate) struct OpenFile {
    pub(crate) file: File,
}

/// A disk is nearly full when no more than this share of it is free, or so many bytes.
const SPARE_SHARE: u64 = 100;
const SPARE_MAX: u64 = 16 * 1024 * 1024;

const SECOND: i64 = 1_000_000_000;

/// Bytes of a listing that the system is asked for at once: some hundred entries.
#[cfg(target_os = "linux")]
const LISTED_AT_ONCE: usize = 16 * 1024;

const DIR: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

const BEGUN_FILE: OFlags = OFlags::RDWR
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK);

/// Without waiting, so that a pipe that took a file's place does not hold us up.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK);

impl DirHandle {
    /// The root itself may be reached through links: it is the person who named it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = DIR.difference(OFlags::NOFOLLOW);
        Ok(Self::new(
            rustix::fs::open(path, flags, Mode::empty())?,
            Tap::none(),
        ))
    }

    /// Whether its disk may have but one answer to which files are executable.
    #[cfg(target_os = "linux")]
    pub(crate) fn may_have_one_mode(&self) -> bool {
        mizzen_fsx::may_have_one_mode(&self.descriptor)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn may_have_one_mode(&self) -> bool {
        false
    }

    /// How many more bytes its disk takes before it is nearly full; none when it does not tell.
    #[allow(
        clippy::unnecessary_cast,
        reason = "the widths of these fields differ between systems"
    )]
    pub(crate) fn room(&self) -> Option<u64> {
        let disk = rustix::fs::fstatvfs(&self.descriptor).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize as u64);
        let whole = bytes(disk.f_blocks as u64);
        let spare = (whole / SPARE_SHARE).min(SPARE_MAX);
        (whole > 0).then(|| bytes(disk.f_bavail as u64).saturating_sub(spare))
    }

    /// What its disk is called, whatever it is mounted as.
    #[allow(
        clippy::unnecessary_cast,
        reason = "the width of this field differs between systems"
    )]
    pub(crate) fn disk(&self) -> Option<u64> {
        Some(rustix::fs::fstatvfs(&self.descriptor).ok()?.f_fsid as u64)
    }

    fn new(descriptor: OwnedFd, tap: Tap) -> Self {
        Self {
            descriptor,
            tap,
            #[cfg(target_os = "linux")]
            was_listed: AtomicBool::new(false),
        }
    }

    #[cfg(test)]
    pub(crate) fn tapped(self, tap: Tap) -> Self {
        Self { tap, ..self }
    }

    /// Moves an entry where the system cannot be asked to replace nothing.
    fn rename_carefully(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()> {
        match self.link(name, to, new_name) {
            Ok(()) => return self.remove_file(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // A directory, or a file system that gives a file one name only.
            Err(_) => {}
        }
        if to.look(new_name)?.is_some() {
            return Err(Errno::EXIST.into());
        }
        // RACE: what takes the name now is lost, unless it is a directory. No such system has a better way.
        self.tap.before(Op::Rename, name)?;
        Ok(renameat(&self.descriptor, name, &to.descriptor, new_name)?)
    }

    /// An entry as the listing has it; none for `.`, `..` and what went since it was listed.
    fn listed(&self, name: &CStr, kind: FileType) -> io::Result<Option<Listed>> {
        let Ok(name) = Name::new(name.to_bytes()) else {
            return Ok(None);
        };
        // The listing says what is no file, and most systems say it for nothing.
        let kind = match kind {
            FileType::Directory => Some(Kind::Dir),
            FileType::Symlink => Some(Kind::Link),
            FileType::RegularFile | FileType::Unknown => self.look(name.as_bytes())?,
            _ => Some(Kind::Special),
        };
        Ok(kind.map(|kind| Listed { name, kind }))
    }

    fn rename_with(
        &self,
        name: &[u8],
        to: &Self,
        new_name: &[u8],
        flags: RenameFlags,
    ) -> io::Result<()> {
        let (from, to) = (&self.descriptor, &to.descriptor);
        Ok(renameat_with(from, name, to, new_name, flags)?)
    }
}

/// What some disks say of names that are no Unicode.
pub(crate) fn is_no_text(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::ILSEQ)
}

/// Whether a file system does not know how, rather than not being able to.
fn is_unknown(error: &io::Error) -> bool {
    let unknown = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP];
    Errno::from_io_error(error).is_some_and(|error| unknown.contains(&error))
}

impl AsFd for DirHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Directory for DirHandle {
    #[cfg(target_os = "linux")]
    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); LISTED_AT_ONCE];
        // Two threads do not list one handle at once.
        if self.was_listed.swap(true, Ordering::Relaxed) {
            rustix::fs::seek(&self.descriptor, rustix::fs::SeekFrom::Start(0))?;
        }
        let mut entries = RawDir::new(&self.descriptor, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            listed.extend(self.listed(entry.file_name(), entry.file_type())?);
        }
        Ok(listed)
    }

    #[cfg(not(target_os = "linux"))]
    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in Dir::read_from(&self.descriptor)? {
            let entry = entry?;
            listed.extend(self.listed(entry.file_name(), entry.file_type())?);
        }
        Ok(listed)
    }

    fn open_dir(&self, name: &[u8]) -> io::Result<Self> {
        match openat(&self.descriptor, name, DIR, Mode::empty()) {
            Ok(descriptor) => Ok(Self::new(descriptor, self.tap.clone())),
            // What some systems say of a link.
            Err(Errno::LOOP) => Err(io::ErrorKind::NotADirectory.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn open_file(&self, name: &[u8]) -> io::Result<OpenFile> {
        let file = File::from(openat(&self.descriptor, name, FILE, Mode::empty())?);
        Ok(OpenFile { file })
    }

    fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(&self.descriptor, name, Vec::new())?.into_bytes())
    }

    fn file_system(&self) -> io::Result<u64> {
        self.identity().map(|(file_system, _)| file_system)
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the widths of these fields differ between systems"
    )]
    fn identity(&self) -> io::Result<(u64, u64)> {
        let stat = fstat(&self.descriptor)?;
        Ok((stat.st_dev as u64, stat.st_ino as u64))
    }

    fn look(&self, name: &[u8]) -> io::Result<Option<Kind>> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the width of this field differs between systems"
    )]
    fn number(&self, name: &[u8]) -> io::Result<Option<u64>> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat.st_ino as u64)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn permissions(&self, name: &[u8]) -> io::Result<u32> {
        let stat = statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Mode::from_raw_mode(stat.st_mode).bits() as u32 & 0o777)
    }

    #[cfg(target_os = "linux")]
    fn open_up(&self, name: &[u8]) -> io::Result<()> {
        // To change it by its name would follow a link that took its place.
        let flags = DIR.difference(OFlags::RDONLY).union(OFlags::PATH);
        let found = openat(&self.descriptor, name, flags, Mode::empty())?;
        let found = format!("/proc/self/fd/{}", found.as_raw_fd());
        Ok(rustix::fs::chmod(found, Mode::RWXU)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn open_up(&self, name: &[u8]) -> io::Result<()> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::chmodat(
            &self.descriptor,
            name,
            Mode::RWXU,
            flags,
        )?)
    }

    fn create_file(&self, name: &[u8], mode: u32) -> io::Result<NewFile> {
        self.tap.before(Op::CreateFile, name)?;
        let file = openat(&self.descriptor, name, NEW_FILE, as_mode(mode))?;
        Ok(NewFile {
            file: File::from(file),
            ends_in_hole: false,
            tap: self.tap.clone(),
        })
    }

    fn open_new(&self, name: &[u8]) -> io::Result<Option<NewFile>> {
        let file = File::from(openat(&self.descriptor, name, BEGUN_FILE, Mode::empty())?);
        let stat = fstat(&file)?;
        let is_file = matches!(kind(&stat), Kind::File { .. });
        Ok((is_file && stat.st_nlink == 1).then(|| NewFile {
            file,
            ends_in_hole: false,
            tap: self.tap.clone(),
        }))
    }

    fn create_dir(&self, name: &[u8], mode: u32) -> io::Result<()> {
        self.tap.before(Op::CreateDir, name)?;
        Ok(mkdirat(&self.descriptor, name, as_mode(mode))?)
    }

    fn create_link(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        self.tap.before(Op::CreateLink, name)?;
        Ok(symlinkat(target, &self.descriptor, name)?)
    }

    fn link(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::Link, name)?;
        let flags = AtFlags::empty();
        Ok(linkat(
            &self.descriptor,
            name,
            &to.descriptor,
            new_name,
            flags,
        )?)
    }

    fn rename(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()> {
        let rename = || {
            self.tap.before(Op::RenameNew, name)?;
            self.rename_with(name, to, new_name, RenameFlags::NOREPLACE)
        };
        match rename() {
            Err(error) if is_unknown(&error) => self.rename_carefully(name, to, new_name),
            renamed => renamed,
        }
    }

    fn exchange(&self, one: &[u8], two: &[u8]) -> io::Result<()> {
        let exchange = || {
            self.tap.before(Op::Exchange, two)?;
            self.rename_with(one, self, two, RenameFlags::EXCHANGE)
        };
        match exchange() {
            Err(error) if is_unknown(&error) => Err(io::ErrorKind::Unsupported.into()),
            exchanged => exchanged,
        }
    }

    fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::RemoveFile, name)?;
        Ok(unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    fn remove_dir(&self, name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::RemoveDir, name)?;
        Ok(unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    fn sync(&self) -> io::Result<()> {
        self.tap.before(Op::Sync, b"")?;
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.tap.before(Op::SyncFileSystem, b"")?;
        #[cfg(target_os = "linux")]
        return Ok(rustix::fs::syncfs(&self.descriptor)?);
        #[cfg(not(target_os = "linux"))]
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl NewFile {
    /// Reads on in what was written to it before.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }

    /// Whether nobody else is at it; nobody else will be while it is open.
    pub(crate) fn try_lock(&self) -> bool {
        self.file.try_lock().is_ok()
    }

    /// Whether it is what stands there.
    pub(crate) fn is_at(&self, dir: &DirHandle, name: &[u8]) -> io::Result<bool> {
        Ok(dir.look(name)? == Some(kind(&fstat(&self.file)?)))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tap.before(Op::Write, b"")?;
        self.ends_in_hole = false;
        self.file.write_all(bytes)
    }

    /// Passes over so many zeros, for which a file system need not keep room.
    pub(crate) fn skip(&mut self, zeros: usize) -> io::Result<()> {
        self.ends_in_hole = true;
        self.file.seek(SeekFrom::Current(zeros as i64)).map(drop)
    }

    /// Gives it its last properties.
    pub(crate) fn finish(&mut self, size: u64, mtime: i64, mode: Option<u32>) -> io::Result<()> {
        self.tap.before(Op::Finish, b"")?;
        if self.ends_in_hole {
            self.file.set_len(size)?;
        }
        if let Some(mode) = mode {
            // It was made with no more than that; some file systems have but one answer for all files.
            let _ = fchmod(&self.file, as_mode(mode));
        }
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: mtime.div_euclid(SECOND) as _,
                tv_nsec: mtime.rem_euclid(SECOND) as _,
            },
        };
        Ok(futimens(&self.file, &times)?)
    }

    /// What was written is on disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.tap.before(Op::Sync, b"")?;
        self.file.sync_data()
    }
}

/// Nine bits: nothing that runs as somebody else is ever made.
fn as_mode(mode: u32) -> Mode {
    Mode::from_raw_mode((mode & 0o777) as RawMode)
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
