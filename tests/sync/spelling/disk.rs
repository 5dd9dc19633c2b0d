//! A disk that finds a name however its letters are written, as those of macOS do; another disk's folder holds what is on it.

mod fuse;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirEntryExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, FileAttr, FileHandle, FileType, INodeNo, ReplyDirectory, TimeOrNow,
};
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use unicode_normalization::UnicodeNormalization;

/// What such a disk lists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lists {
    /// Names as they were given, as APFS does.
    AsGiven,
    /// Letters and their accents apart, whatever was given, as HFS+ does.
    Apart,
}

/// Mounts such a disk, until what is returned goes.
pub(crate) fn mount(at: &Path, held_by: &Path, lists: Lists) -> BackgroundSession {
    let root = rustix::fs::open(held_by, NODE, Mode::empty()).expect("a folder");
    let disk = Disk {
        lists,
        nodes: Mutex::new(HashMap::from([(INodeNo::ROOT, Arc::new(root))])),
        files: Mutex::default(),
        opened: AtomicU64::new(0),
    };
    let mounted = fuser::spawn_mount(disk, at, &Config::default());
    mounted.expect("FUSE; see scripts/setup --tests")
}

const NODE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

struct Disk {
    lists: Lists,
    nodes: Mutex<HashMap<INodeNo, Arc<OwnedFd>>>,
    files: Mutex<HashMap<FileHandle, Arc<File>>>,
    opened: AtomicU64,
}

/// What all spellings of a name have in common: neither case nor form counts.
fn folded(name: &OsStr) -> String {
    name.to_string_lossy().to_lowercase().nfd().collect()
}

/// Leads to what a handle is of, whatever it is called by now.
fn path(handle: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", handle.as_raw_fd()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("BUG: the disk panicked")
}

impl Disk {
    fn node(&self, number: INodeNo) -> io::Result<Arc<OwnedFd>> {
        let node = lock(&self.nodes).get(&number).cloned();
        node.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&self, handle: FileHandle) -> io::Result<Arc<File>> {
        let file = lock(&self.files).get(&handle).cloned();
        file.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn facts(&self, number: INodeNo) -> io::Result<FileAttr> {
        Ok(facts(&rustix::fs::fstat(&*self.node(number)?)?))
    }

    /// A directory, and the name there that another one stands for; where it stands for none, what an entry of that name
    /// would be called.
    fn place(&self, parent: INodeNo, name: &OsStr) -> io::Result<(Arc<OwnedFd>, OsString)> {
        let dir = self.node(parent)?;
        let wanted = folded(name);
        for entry in fs::read_dir(path(&dir))? {
            let borne = entry?.file_name();
            if folded(&borne) == wanted {
                return Ok((dir, borne));
            }
        }
        Ok((dir, self.listed(name)))
    }

    fn listed(&self, name: &OsStr) -> OsString {
        match (self.lists, name.to_str()) {
            (Lists::Apart, Some(name)) => name.nfd().collect::<String>().into(),
            _ => name.to_owned(),
        }
    }

    fn found(&self, dir: &OwnedFd, name: &OsStr) -> io::Result<FileAttr> {
        let node = rustix::fs::openat(dir, name, NODE, Mode::empty())?;
        let facts = facts(&rustix::fs::fstat(&node)?);
        lock(&self.nodes).insert(facts.ino, Arc::new(node));
        Ok(facts)
    }

    fn look(&self, parent: INodeNo, name: &OsStr) -> io::Result<FileAttr> {
        let (dir, name) = self.place(parent, name)?;
        self.found(&dir, &name)
    }

    fn make(
        &self,
        (parent, name): (INodeNo, &OsStr),
        make: impl FnOnce(&OwnedFd, &OsStr) -> rustix::io::Result<()>,
    ) -> io::Result<FileAttr> {
        let (dir, name) = self.place(parent, name)?;
        make(&dir, &name)?;
        self.found(&dir, &name)
    }

    fn make_file(
        &self,
        (parent, name): (INodeNo, &OsStr),
        mode: u32,
    ) -> io::Result<(FileAttr, FileHandle)> {
        let (dir, name) = self.place(parent, name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&*dir, &name, flags, Mode::from_raw_mode(mode))?;
        let facts = self.found(&dir, &name)?;
        Ok((facts, self.opened(file.into())))
    }

    fn open(&self, number: INodeNo, writes: bool) -> io::Result<FileHandle> {
        let at = path(&*self.node(number)?);
        let file = OpenOptions::new().read(true).write(writes).open(at)?;
        Ok(self.opened(file))
    }

    fn opened(&self, file: File) -> FileHandle {
        let handle = FileHandle(self.opened.fetch_add(1, Ordering::Relaxed));
        lock(&self.files).insert(handle, Arc::new(file));
        handle
    }

    #[expect(clippy::disallowed_methods, reason = "a disk has a clock")]
    fn set(
        &self,
        number: INodeNo,
        mode: Option<u32>,
        size: Option<u64>,
        mtime: Option<TimeOrNow>,
    ) -> io::Result<FileAttr> {
        let at = path(&*self.node(number)?);
        if let Some(mode) = mode {
            fs::set_permissions(&at, fs::Permissions::from_mode(mode & 0o7777))?;
        }
        if let Some(size) = size {
            OpenOptions::new().write(true).open(&at)?.set_len(size)?;
        }
        if let Some(mtime) = mtime {
            let mtime = match mtime {
                TimeOrNow::SpecificTime(time) => time,
                TimeOrNow::Now => SystemTime::now(),
            };
            File::open(&at)?.set_times(FileTimes::new().set_modified(mtime))?;
        }
        self.facts(number)
    }

    fn remove(&self, parent: INodeNo, name: &OsStr, flags: AtFlags) -> io::Result<()> {
        let (dir, name) = self.place(parent, name)?;
        Ok(rustix::fs::unlinkat(&*dir, name, flags)?)
    }

    /// An entry may get its own name in another spelling.
    fn move_to(
        &self,
        from: (INodeNo, &OsStr),
        to: (INodeNo, &OsStr),
        flags: u32,
    ) -> io::Result<()> {
        let (dir, name) = self.place(from.0, from.1)?;
        let (new_dir, new_name) = self.place(to.0, to.1)?;
        let new_name = match (from.0, &name) == (to.0, &new_name) {
            true => self.listed(to.1),
            false => new_name,
        };
        let flags = rustix::fs::RenameFlags::from_bits_retain(flags);
        Ok(rustix::fs::renameat_with(
            &*dir, name, &*new_dir, new_name, flags,
        )?)
    }

    fn list(&self, number: INodeNo, offset: u64, reply: &mut ReplyDirectory) -> io::Result<()> {
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let entries = fs::read_dir(path(&*self.node(number)?))?;
        for (entry, next) in entries.zip(1..).skip(skipped) {
            let entry = entry?;
            let kind = FileType::from_std(entry.file_type()?).expect("a kind that Linux knows");
            if reply.add(INodeNo(entry.ino()), next, kind, entry.file_name()) {
                break;
            }
        }
        Ok(())
    }
}

fn facts(stat: &Stat) -> FileAttr {
    let time = |seconds: i64, nanos: u64| {
        UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()) + Duration::from_nanos(nanos)
    };
    FileAttr {
        ino: INodeNo(stat.st_ino),
        size: stat.st_size.unsigned_abs(),
        blocks: stat.st_blocks.unsigned_abs(),
        atime: time(stat.st_atime, stat.st_atime_nsec),
        mtime: time(stat.st_mtime, stat.st_mtime_nsec),
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        crtime: UNIX_EPOCH,
        kind: match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
            rustix::fs::FileType::Directory => FileType::Directory,
            rustix::fs::FileType::Symlink => FileType::Symlink,
            _ => FileType::RegularFile,
        },
        perm: (stat.st_mode & 0o7777) as u16,
        nlink: stat.st_nlink as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}
