//! Displaced entries whose trash lies on another file system, where nothing can be moved.

use std::io::{self, Read};

use mizzen_sync_core::{Digest, Node};

use super::{PRIVATE_DIR, PRIVATE_FILE};
use crate::entry::Kind;
use crate::root::{DirHandle, Directory};

/// What an owner needs to empty a directory.
const OWNER: u32 = 0o700;

/// A copy that is not whole yet: no entry is called so.
const PART: &[u8] = b".mizzen-tmp-part";

/// Copies an entry with all below it. Either it is whole and as expected, or there is no copy.
pub(super) fn copy(
    dir: &DirHandle,
    name: &[u8],
    to: &DirHandle,
    to_name: &[u8],
    expected: Option<&Node>,
    sync: bool,
) -> io::Result<()> {
    remove_all(to, PART)?;
    let copied = copy_below(dir, name, to, PART, expected, sync);
    let moved = copied.and_then(|()| to.rename(PART, to, to_name));
    if moved.is_err() {
        let _ = remove_all(to, PART);
    }
    moved?;
    // The original lies on another disk, where it may be gone for good before this one has written down the name.
    if sync { to.sync() } else { Ok(()) }
}

fn copy_below(
    dir: &DirHandle,
    name: &[u8],
    to: &DirHandle,
    to_name: &[u8],
    expected: Option<&Node>,
    sync: bool,
) -> io::Result<()> {
    match dir.look(name)? {
        Some(Kind::File { .. }) => copy_file(dir, name, to, to_name, expected, sync),
        Some(Kind::Link) => to.create_link(to_name, &dir.read_link(name)?),
        Some(Kind::Dir) => {
            let dir = dir.open_dir(name)?;
            to.create_dir(to_name, PRIVATE_DIR)?;
            let to = to.open_dir(to_name)?;
            for listed in dir.list()? {
                let name = listed.name.as_bytes();
                let expected = expected
                    .and_then(Node::as_dir)
                    .and_then(|dir| dir.get(name));
                copy_below(&dir, name, &to, name, expected, sync)?;
            }
            if sync { to.sync() } else { Ok(()) }
        }
        Some(Kind::Special) => Err(io::ErrorKind::Unsupported.into()),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

fn copy_file(
    dir: &DirHandle,
    name: &[u8],
    to: &DirHandle,
    to_name: &[u8],
    expected: Option<&Node>,
    sync: bool,
) -> io::Result<()> {
    let mut open = dir.open_file(name)?;
    let before = open.kind()?;
    let Kind::File { stamp, executable } = before else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let bits = if executable {
        PRIVATE_DIR
    } else {
        PRIVATE_FILE
    };
    let mut new = to.create_file(to_name, bits)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = open.file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        new.write(&buffer[..read])?;
    }
    new.finish(stamp.size, stamp.mtime, None)?;
    if sync {
        new.sync()?;
    }
    let digest = Digest(*hasher.finalize().as_bytes());
    let is_expected = match expected {
        Some(Node::File(file)) => file.digest == digest,
        _ => true,
    };
    if is_expected && open.kind()? == before {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it changes while it is copied",
        ))
    }
}

/// Removes an entry, as far as it was copied to somewhere.
pub(super) fn remove_copied(
    dir: &DirHandle,
    name: &[u8],
    copies: &DirHandle,
    copy: &[u8],
) -> io::Result<()> {
    if copies.look(copy)? != Some(Kind::Dir) {
        return dir.remove_file(name);
    }
    let inner = dir.open_dir(name)?;
    let copies = copies.open_dir(copy)?;
    for listed in copies.list()? {
        let name = listed.name.as_bytes();
        remove_copied(&inner, name, &copies, name)?;
    }
    dir.remove_dir(name)
}

/// Removes what nobody wants any more, with all below it, directories that take no change included.
pub(super) fn remove_all(dir: &DirHandle, name: &[u8]) -> io::Result<()> {
    match dir.look(name)? {
        None => Ok(()),
        Some(Kind::Dir) => {
            if dir.permissions(name)? & OWNER != OWNER {
                // Another user's may be empty, or it shows below that it has to stay.
                let _not_ours = dir.open_up(name);
            }
            let inner = dir.open_dir(name)?;
            for listed in inner.list()? {
                remove_all(&inner, listed.name.as_bytes())?;
            }
            dir.remove_dir(name)
        }
        Some(_) => dir.remove_file(name),
    }
}

/// Removes a directory in which there are directories at most.
pub(super) fn remove_empty(dir: &DirHandle, name: &[u8]) -> io::Result<()> {
    let inner = dir.open_dir(name)?;
    for listed in inner.list()? {
        remove_empty(&inner, listed.name.as_bytes())?;
    }
    dir.remove_dir(name)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::root::{Op, Tap};

    #[test]
    fn a_copy_has_its_name_on_disk_before_the_original_may_go() {
        let folder = tempfile::tempdir().unwrap();
        mizzen_fsx::write_atomic(folder.path().join("file"), b"1").unwrap();
        let ops: Arc<Mutex<Vec<Op>>> = Arc::default();
        let noted = ops.clone();
        let tap = Tap::new(move |op, _| {
            noted.lock().unwrap().push(op);
            Ok(())
        });
        let dir = DirHandle::open(folder.path()).unwrap().tapped(tap);
        copy(&dir, b"file", &dir, b"0", None, true).unwrap();
        let ops = ops.lock().unwrap();
        assert_eq!(ops.last_chunk(), Some(&[Op::RenameNew, Op::Sync]));
        assert_eq!(ops.iter().filter(|op| **op == Op::Sync).count(), 2);
    }
}
