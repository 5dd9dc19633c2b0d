//! What a file, a directory and a link come to.

use std::io;

use mizzen_sync_core::{Digest, File, Name, Node, RelPath, Unsyncable};

use super::look::{self, Failure, Here, Look};
use super::seen::Seen;
use super::settled::is_settled;
use super::{DEPTH_MAX, Dirty, Known, Links, stays_inside};
use crate::digest::Hashed;
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory, is_shortage};

/// What an entry came to.
pub(super) enum Looked {
    Entry(Node, Seen),
    Skip,
    /// Something else stands there now.
    Replaced,
}

impl Looked {
    fn file(digest: Digest, stamp: Stamp, executable: bool, settled: bool) -> Self {
        let file = File {
            digest,
            size: stamp.size,
            mtime: stamp.mtime,
            executable,
        };
        let instance = stamp.instance();
        Self::Entry(Node::File(file), Seen::File { instance, settled })
    }

    pub(super) fn problem(why: Unsyncable) -> Self {
        Self::Entry(Node::Unsyncable(why), Seen::Other)
    }
}

impl Look<'_> {
    pub(super) fn file(
        &mut self,
        handle: &DirHandle,
        name: &Name,
        stamp: Stamp,
        executable: bool,
        before: Option<Known<'_>>,
    ) -> io::Result<Looked> {
        if stamp.size > self.options.size_max {
            return Ok(Looked::problem(Unsyncable::TooLarge));
        }
        let known = digest_of_same(stamp, before).or_else(|| self.options.made.held(stamp));
        if let Some(digest) = known {
            return Ok(Looked::file(digest, stamp, executable, true));
        }
        let now = (self.options.now)();
        self.hashed += 1;
        Ok(match self.hasher.hash(handle, name.as_bytes())? {
            Hashed::File {
                digest,
                stamp,
                executable,
            } => {
                let settled = is_settled(stamp, now);
                self.unsettled |= !settled;
                Looked::file(digest, stamp, executable, settled)
            }
            Hashed::Secret => Looked::problem(Unsyncable::Secret),
            Hashed::Unsteady => Looked::problem(Unsyncable::Unsteady),
            Hashed::Replaced => Looked::Replaced,
        })
    }

    pub(super) fn subdirectory(
        &mut self,
        above: Here<'_>,
        name: &Name,
        path: &RelPath,
        before: Option<Known<'_>>,
        dirty: &Dirty,
    ) -> Result<io::Result<Looked>, Failure> {
        if above.depth == DEPTH_MAX {
            return Ok(Ok(Looked::problem(Unsyncable::TooDeep)));
        }
        // A directory that is still there when it fails is what fails.
        let unless_gone = |error| match above.handle.look(name.as_bytes()) {
            Ok(Some(Kind::Dir)) => Err(error),
            _ => Ok(Looked::Replaced),
        };
        let handle = match above.handle.open_dir(name.as_bytes()) {
            Ok(handle) => handle,
            Err(error) => return Ok(unless_gone(error)),
        };
        match handle.file_system() {
            Ok(found) if found == self.file_system => {}
            Ok(_) => return Ok(Ok(Looked::problem(Unsyncable::Mount))),
            Err(error) => return Ok(Err(error)),
        }
        let here = Here {
            handle: &handle,
            path,
            depth: above.depth + 1,
            before: match before {
                Some((_, Seen::Dir(before))) => Some(before),
                _ => None,
            },
            agreed: (above.agreed)
                .and_then(|above| above.get(name.as_bytes()))
                .and_then(look::dir),
        };
        let seen = match self.directory(here, dirty) {
            Ok(seen) => seen,
            Err((at, error)) if is_shortage(&error) => return Err((at, error)),
            Err((_, error)) => return Ok(unless_gone(error)),
        };
        let dir = Node::Dir(seen.dir.clone());
        Ok(Ok(Looked::Entry(dir, Seen::Dir(seen))))
    }

    pub(super) fn link(&self, here: Here<'_>, name: &Name) -> io::Result<Looked> {
        if self.options.links == Links::Ignore {
            return Ok(Looked::Skip);
        }
        let target = match here.handle.read_link(name.as_bytes()) {
            Ok(target) => target,
            // It is no link any more, or gone.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
                ) =>
            {
                return Ok(Looked::Replaced);
            }
            Err(error) => return Err(error),
        };
        if self.options.links == Links::Portable && !stays_inside(here.path, &target) {
            return Ok(Looked::problem(Unsyncable::LinkOutside));
        }
        Ok(Looked::Entry(Node::Link(target.into()), Seen::Other))
    }
}

/// What a file holds that was seen before, when it is still the same for sure.
fn digest_of_same(stamp: Stamp, before: Option<Known<'_>>) -> Option<Digest> {
    let Some((Node::File(file), Seen::File { instance, settled })) = before else {
        return None;
    };
    (*settled && Stamp::of(file, *instance) == stamp).then_some(file.digest)
}
