//! Counts how often anybody looks into what lies below some folders, by the system's own account.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// Watches folders that are there already, with all that is below them.
pub struct Opened(OwnedFd);

/// What happened since the last count, by anybody; the system may count several of a kind in a row as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Files opened.
    pub files: usize,
    /// Files read from.
    pub reads: usize,
    /// Folders opened. Each is told by itself and by the folder that it is in.
    pub folders: usize,
    /// Folders listed.
    pub lists: usize,
}

impl Opened {
    /// Begins to count.
    ///
    /// # Errors
    /// A folder cannot be listed or watched.
    pub fn below<P: AsRef<Path>>(folders: impl IntoIterator<Item = P>) -> io::Result<Self> {
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let mut all: Vec<PathBuf> = folders.into_iter().map(|of| of.as_ref().into()).collect();
        while let Some(folder) = all.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                all.extend(entry.file_type()?.is_dir().then(|| entry.path()));
            }
            let looks = WatchFlags::OPEN | WatchFlags::ACCESS;
            inotify::add_watch(&watch, &folder, looks)?;
        }
        let opened = Self(watch);
        opened.count()?;
        Ok(opened)
    }

    /// What happened since the last count.
    ///
    /// # Errors
    /// The system lost count.
    pub fn count(&self) -> io::Result<Count> {
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.0, &mut room);
        let mut count = Count::default();
        loop {
            let event = match events.next() {
                Err(Errno::WOULDBLOCK) => return Ok(count),
                event => event?.events(),
            };
            if event.contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err(io::Error::other("more happened than the system counts"));
            }
            let is_folder = event.contains(ReadFlags::ISDIR);
            count.files += usize::from(!is_folder && event.contains(ReadFlags::OPEN));
            count.reads += usize::from(!is_folder && event.contains(ReadFlags::ACCESS));
            count.folders += usize::from(is_folder && event.contains(ReadFlags::OPEN));
            count.lists += usize::from(is_folder && event.contains(ReadFlags::ACCESS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_look_is_counted_once_it_is_taken() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("a")).unwrap();
        let file = home.path().join("a/f");
        fs::File::create(&file).unwrap();
        let opened = Opened::below([home.path()]).unwrap();
        assert_eq!(opened.count().unwrap(), Count::default());
        file.metadata().unwrap();
        assert_eq!(opened.count().unwrap(), Count::default(), "no look into it");
        fs::File::open(&file).unwrap();
        assert_eq!(opened.count().unwrap().files, 1);
        assert_eq!(fs::read_dir(home.path().join("a")).unwrap().count(), 1);
        let count = opened.count().unwrap();
        assert!(count.folders > 0 && count.lists > 0, "{count:?}");
    }
}
