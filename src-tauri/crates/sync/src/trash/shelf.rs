//! New contents that have not come to their places: what a cut leaves, the next cycle goes on from.
//!
//! They lie in the trash's folder, so that a rename brings them to their places, each under the digest of all that it is
//! to hold: a file that came in part holds the first bytes of it. Whoever takes one reads it before it is used.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use mizzen_sync_core::{Digest, File};

use super::{PRIVATE_DIR, Retention, Trash, copy};
use crate::entry::{Kind, Listed, Stamp};
use crate::root::{DirHandle, Directory, NewFile, Root};

/// Its folder in the trash: no cycle is called so.
const SHELF: &[u8] = b"shelf";

/// What nobody comes back for is worth less than what a person deleted: it is kept for so much less time.
const SHORTER: u32 = 10;

/// Smaller files are as soon sent again as a part of them is kept.
pub(crate) const LARGE: u64 = 256 * 1024;

/// The contents that a root's new files may go on from.
pub(crate) struct Shelf {
    trash: Arc<DirHandle>,
    /// Whether the root lies on the same file system, as far as is known.
    is_near: bool,
    dir: Mutex<Option<Arc<DirHandle>>>,
    held: Mutex<HashMap<Digest, u64>>,
}

/// A file on the shelf.
pub(crate) enum Taken {
    /// It holds first bytes of what it is to hold.
    Begun(NewFile),
    /// It holds nothing.
    New(NewFile),
}

impl Trash {
    /// What is kept for a root's new files. Nothing depends on it.
    pub(crate) fn shelf(&self, root: &Root) -> Shelf {
        let systems = [&self.handle, root.handle()].map(|dir| dir.file_system());
        let is_near = matches!(systems, [Ok(one), Ok(other)] if one == other);
        let dir = self.handle.open_dir(SHELF).ok().filter(|_| is_near);
        let listed = dir.as_ref().and_then(|dir| dir.list().ok());
        let held = listed.into_iter().flatten().filter_map(|entry| {
            let (digest, stamp) = contents(&entry)?;
            Some((digest, stamp.size))
        });
        Shelf {
            trash: self.handle.clone(),
            is_near,
            held: Mutex::new(held.collect()),
            dir: Mutex::new(dir.map(Arc::new)),
        }
    }

    /// Removes what nobody came back for, the oldest first, until the rest is no more than so many bytes.
    pub(super) fn prune_shelf(&self, retention: &Retention, now: i64) -> io::Result<()> {
        let dir = match self.handle.open_dir(SHELF) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let age = retention.age / SHORTER;
        let oldest = now.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        let mut held = dir.list()?;
        // The time of the file itself may be that of the one it was made after.
        held.sort_by_key(|entry| contents(entry).map_or(i64::MIN, |(_, stamp)| -stamp.ctime));
        let mut kept: u64 = 0;
        for entry in &held {
            let stamp = contents(entry).map(|(_, stamp)| stamp);
            let with_it = stamp.map(|stamp| kept.saturating_add(stamp.size));
            match (stamp, with_it) {
                (Some(stamp), Some(with_it))
                    if stamp.ctime >= oldest && with_it <= retention.bytes =>
                {
                    kept = with_it;
                }
                _ => copy::remove_all(&dir, entry.name.as_bytes())?,
            }
        }
        // One that holds something stays.
        let _ = self.handle.remove_dir(SHELF);
        Ok(())
    }
}

impl Shelf {
    /// How many first bytes of these contents are kept; none when nothing is.
    pub(crate) fn held(&self, digest: &Digest) -> Option<u64> {
        lock(&self.held).get(digest).copied()
    }

    /// How many bytes are kept in all.
    pub(crate) fn bytes(&self) -> u64 {
        lock(&self.held).values().sum()
    }

    /// The file that is to hold these contents: one that was begun, to be gone on with behind what it holds, or a new
    /// one for what is large and comes a long way. None where a new file is better made in its place.
    pub(crate) fn take(&self, file: &File, is_far: bool, mode: u32) -> io::Result<Option<Taken>> {
        let is_held = lock(&self.held).remove(&file.digest).is_some();
        if !self.is_near || !(is_held || is_far && file.size >= LARGE) {
            return Ok(None);
        }
        let dir = self.made()?;
        let name = name(&file.digest);
        let begun = match is_held {
            true => dir.open_new(&name)?,
            false => None,
        };
        let new = match begun {
            Some(begun) => Taken::Begun(begun),
            None => match dir.create_file(&name, mode) {
                Ok(new) => Taken::New(new),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        // RACE: another link of this folder may be at it, and may even have brought it to its place.
        let (Taken::Begun(file) | Taken::New(file)) = &new;
        let is_ours = file.try_lock() && file.is_at(&dir, &name)?;
        Ok(is_ours.then_some(new))
    }

    /// Brings contents to their place.
    pub(crate) fn give(&self, file: &File, to: &DirHandle, new_name: &[u8]) -> io::Result<()> {
        self.made()?.rename(&name(&file.digest), to, new_name)
    }

    /// The folder, to read what cannot be brought to its place, and how it is called there.
    pub(crate) fn place(&self, file: &File) -> io::Result<(Arc<DirHandle>, Vec<u8>)> {
        Ok((self.made()?, name(&file.digest)))
    }

    /// Gives up what is no good.
    pub(crate) fn drop(&self, file: &File) {
        lock(&self.held).remove(&file.digest);
        if let Ok(dir) = self.made() {
            let _ = dir.remove_file(&name(&file.digest));
        }
    }

    /// Takes a whole file that does not come to its place; false when it has to go.
    pub(crate) fn keep(&self, dir: &DirHandle, at: &[u8], file: &File) -> bool {
        let keep = || -> io::Result<bool> {
            // What has a second name is a file that somebody has: it is never gone on with.
            let is_new = self.is_near && file.size > 0 && dir.open_new(at)?.is_some();
            if is_new {
                dir.rename(at, &*self.made()?, &name(&file.digest))?;
            }
            Ok(is_new)
        };
        keep().unwrap_or(false)
    }

    /// Forgets all: nothing is left to come.
    pub(crate) fn clear(&self) {
        let is_there = lock(&self.dir).take().is_some();
        if is_there {
            let _ = copy::remove_all(&self.trash, SHELF);
        }
    }

    fn made(&self) -> io::Result<Arc<DirHandle>> {
        let mut dir = lock(&self.dir);
        if let Some(dir) = &*dir {
            return Ok(dir.clone());
        }
        match self.trash.create_dir(SHELF, PRIVATE_DIR) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let made = Arc::new(self.trash.open_dir(SHELF)?);
        *dir = Some(made.clone());
        Ok(made)
    }
}

/// What an entry of the shelf is to hold, and what the system says of it.
fn contents(entry: &Listed) -> Option<(Digest, Stamp)> {
    let Kind::File { stamp, .. } = entry.kind else {
        return None;
    };
    let digest = blake3::Hash::from_hex(entry.name.as_bytes()).ok()?;
    Some((Digest(*digest.as_bytes()), stamp))
}

fn name(digest: &Digest) -> Vec<u8> {
    let hex = blake3::Hash::from_bytes(digest.0).to_hex();
    hex.as_bytes().to_vec()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("BUG: a panic under the lock")
}
