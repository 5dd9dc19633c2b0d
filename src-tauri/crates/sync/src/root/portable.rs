//! Directories by their paths, where the system has no handles for them that a program may go down from.

use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mizzen_sync_core::Name;

use super::Directory;
use super::tap::{Op, Tap};
use super::windows::can_hold;
use crate::entry::{Kind, Listed, Stamp};

pub(crate) struct DirHandle {
    path: PathBuf,
    tap: Tap,
}

/// A file that was made just now.
pub(crate) struct NewFile {
    file: File,
    tap: Tap,
}

/// A file that was opened.
pub(crate) struct OpenFile {
    pub(crate) file: File,
}

impl DirHandle {
    /// No file is executable by itself.
    pub(crate) fn may_have_one_mode(&self) -> bool {
        true
    }

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path)?.is_dir() {
            true => Ok(Self {
                path: fs::canonicalize(path)?,
                tap: Tap::none(),
            }),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Stable Rust tells neither a disk's number,
    pub(crate) fn disk(&self) -> Option<u64> {
        None
    }

    /// nor how full a disk is.
    pub(crate) fn room(&self) -> Option<u64> {
        None
    }

    /// Known here: elsewhere a name may hold what leads to another place here, such as `..\\a` or `C:a`.
    fn path(&self, name: &[u8]) -> io::Result<PathBuf> {
        match std::str::from_utf8(name) {
            Ok(name) if can_hold(name) => Ok(self.path.join(name)),
            _ => Err(io::ErrorKind::InvalidFilename.into()),
        }
    }
}

/// Names that are no Unicode are refused before the system is asked.
pub(crate) fn is_no_text(_error: &io::Error) -> bool {
    false
}

impl Directory for DirHandle {
    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(&self.path)? {
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
            Some(Kind::Dir) => Ok(Self {
                path: self.path(name)?,
                tap: self.tap.clone(),
            }),
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

    fn identity(&self) -> io::Result<(u64, u64)> {
        // Stable Rust tells no number; that it is there is all that is known.
        fs::metadata(&self.path).map(|_| (0, 0))
    }

    fn look(&self, name: &[u8]) -> io::Result<Option<Kind>> {
        match fs::symlink_metadata(self.path(name)?) {
            Ok(facts) => Ok(Some(kind(&facts))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn number(&self, _name: &[u8]) -> io::Result<Option<u64>> {
        Ok(None)
    }

    fn permissions(&self, _name: &[u8]) -> io::Result<u32> {
        Ok(0o666)
    }

    fn open_up(&self, _name: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn create_file(&self, name: &[u8], _mode: u32) -> io::Result<NewFile> {
        self.tap.before(Op::CreateFile, name)?;
        Ok(NewFile {
            file: File::create_new(self.path(name)?)?,
            tap: self.tap.clone(),
        })
    }

    fn open_new(&self, name: &[u8]) -> io::Result<Option<NewFile>> {
        let Some(Kind::File { .. }) = self.look(name)? else {
            return Ok(None);
        };
        let mut options = File::options();
        let file = options.read(true).write(true).open(self.path(name)?)?;
        let tap = self.tap.clone();
        Ok(Some(NewFile { file, tap }))
    }

    fn create_dir(&self, name: &[u8], _mode: u32) -> io::Result<()> {
        self.tap.before(Op::CreateDir, name)?;
        fs::create_dir(self.path(name)?)
    }

    fn create_link(&self, name: &[u8], _target: &[u8]) -> io::Result<()> {
        self.tap.before(Op::CreateLink, name)?;
        // A person needs a right of their own to make one.
        Err(io::ErrorKind::Unsupported.into())
    }

    fn link(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::Link, name)?;
        fs::hard_link(self.path(name)?, to.path(new_name)?)
    }

    #[expect(clippy::disallowed_methods, reason = "nothing is replaced by it")]
    fn rename(&self, name: &[u8], to: &Self, new_name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::RenameNew, name)?;
        if to.look(new_name)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.tap.before(Op::Rename, name)?;
        // RACE: a file that takes the name now is lost. The standard library has no better way.
        fs::rename(self.path(name)?, to.path(new_name)?)
    }

    fn exchange(&self, _one: &[u8], two: &[u8]) -> io::Result<()> {
        self.tap.before(Op::Exchange, two)?;
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove_file(&self, name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::RemoveFile, name)?;
        fs::remove_file(self.path(name)?)
    }

    fn remove_dir(&self, name: &[u8]) -> io::Result<()> {
        self.tap.before(Op::RemoveDir, name)?;
        fs::remove_dir(self.path(name)?)
    }

    fn sync(&self) -> io::Result<()> {
        // Names are on disk when a file in it is.
        Ok(())
    }

    fn sync_file_system(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl NewFile {
    /// Reads on in what was written to it before.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }

    /// Whether nobody else is at it; nobody else will be while it is open.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn try_lock(&self) -> bool {
        // Such a lock keeps others from reading as well, and a rename of an open file fails: one link is as many as a
        // folder has there.
        true
    }

    /// Whether it is what stands there.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn is_at(&self, dir: &DirHandle, name: &[u8]) -> io::Result<bool> {
        Ok(dir.look(name)?.is_some())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tap.before(Op::Write, b"")?;
        self.file.write_all(bytes)
    }

    /// Such systems keep room for zeros all the same.
    pub(crate) fn skip(&mut self, zeros: usize) -> io::Result<()> {
        self.write(&vec![0; zeros])
    }

    /// Gives it its last properties.
    pub(crate) fn finish(&mut self, _size: u64, mtime: i64, _mode: Option<u32>) -> io::Result<()> {
        self.tap.before(Op::Finish, b"")?;
        let since = Duration::from_nanos(mtime.unsigned_abs());
        let changed = match mtime {
            0.. => UNIX_EPOCH.checked_add(since),
            _ => UNIX_EPOCH.checked_sub(since),
        };
        let times = changed.map(|changed| FileTimes::new().set_modified(changed));
        times.map_or(Ok(()), |times| self.file.set_times(times))
    }

    /// What was written is on disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.tap.before(Op::Sync, b"")?;
        self.file.sync_data()
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
