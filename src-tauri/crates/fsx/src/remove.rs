//! Removes what something hostile has built.

use std::path::Path;

use crate::path_error::{At, PathError};

/// Removes what stands there with all that is below it, and follows no link. It is no error when nothing stands there.
///
/// However deep it goes, two directories are open at a time and nothing is called again within itself: what lies deeper is
/// moved up to be removed there.
///
/// # Errors
/// Names what was to be removed, part of which may be gone.
pub fn remove_tree(path: impl AsRef<Path>) -> Result<(), PathError> {
    let path = path.as_ref();
    system::remove_tree(path).at(path)
}

#[cfg(unix)]
mod system {
    use std::ffi::{CString, OsString};
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, openat, renameat, unlinkat};
    use rustix::io::Errno;
    use rustix::path::Arg;

    /// Names that are held at a time.
    const NAMES: usize = 1024;
    /// No link stands for a directory.
    const FLAGS: OFlags = OFlags::RDONLY
        .union(OFlags::DIRECTORY)
        .union(OFlags::NOFOLLOW)
        .union(OFlags::CLOEXEC);

    pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
        if is_removed(CWD, path)? {
            return Ok(());
        }
        let root = openat(CWD, path, FLAGS, Mode::empty())?;
        let mut number = 0;
        each(&root, |name| {
            if !is_removed(&root, name)? {
                let child = openat(&root, name, FLAGS, Mode::empty())?;
                each(&child, |below| match is_removed(&child, below)? {
                    true => Ok(()),
                    false => Ok(move_up(&child, below, &root, &mut number)?),
                })?;
                unlinkat(&root, name, AtFlags::REMOVEDIR)?;
            }
            Ok(())
        })?;
        Ok(unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
    }

    /// Takes what is in a directory until nothing is.
    fn each(dir: &OwnedFd, mut take: impl FnMut(&CString) -> io::Result<()>) -> io::Result<()> {
        loop {
            let names = first(dir)?;
            if names.is_empty() {
                return Ok(());
            }
            names.iter().try_for_each(&mut take)?;
        }
    }

    fn first(dir: &OwnedFd) -> io::Result<Vec<CString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                names.push(name.to_owned());
            }
            if names.len() == NAMES {
                break;
            }
        }
        Ok(names)
    }

    /// Whether nothing stands there any more: whatever it was but a directory that holds something.
    fn is_removed(dir: impl AsFd, name: impl Arg + Copy) -> io::Result<bool> {
        let why = match unlinkat(&dir, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(true),
            // Systems differ in what they say of a directory.
            Err(errno @ (Errno::ISDIR | Errno::PERM)) => errno,
            Err(errno) => return Err(errno.into()),
        };
        match unlinkat(&dir, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(Errno::NOTDIR) => Err(why.into()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Gives a directory a name of its own in another one.
    fn move_up(from: &OwnedFd, name: &CString, to: &OwnedFd, number: &mut u64) -> io::Result<()> {
        loop {
            *number += 1;
            let new = OsString::from(format!(".removed-{number}"));
            match renameat(from, name, to, &new) {
                // Somebody has thought of that name.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
                moved => return Ok(moved?),
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs;
    use std::io;
    use std::path::Path;

    #[expect(
        clippy::disallowed_methods,
        reason = "the whole directory is named by the caller, who made it"
    )]
    pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
        let removed = match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::remove_tree;
    use crate::write_atomic;

    /// So many directories, each in the one before.
    fn nest(path: &Path, depth: usize) {
        let open = |dir: &OwnedFd| openat(dir, "d", OFlags::DIRECTORY, Mode::empty()).unwrap();
        let mut dir = openat(CWD, path, OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..depth {
            mkdirat(&dir, "d", Mode::RWXU).unwrap();
            dir = open(&dir);
        }
    }

    #[test]
    fn what_is_deeper_than_there_are_handles_is_removed() {
        const HANDLES: u64 = 128;
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("status");
        fs::create_dir(&root).unwrap();
        nest(&root, 3000);
        let before = getrlimit(Resource::Nofile);
        let few = Rlimit {
            current: Some(HANDLES),
            maximum: before.maximum,
        };
        setrlimit(Resource::Nofile, few).unwrap();
        let removed = remove_tree(&root);
        setrlimit(Resource::Nofile, before).unwrap();
        removed.unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn whatever_is_in_it_goes_and_nothing_that_a_link_leads_to() {
        let place = tempfile::tempdir().unwrap();
        let precious = place.path().join("precious");
        fs::create_dir(&precious).unwrap();
        write_atomic(precious.join("file"), b"mine").unwrap();
        let root = place.path().join("status");
        fs::create_dir_all(root.join("a/b/c")).unwrap();
        // Names that others thought of.
        fs::create_dir_all(root.join(".removed-1/full")).unwrap();
        write_atomic(root.join(".removed-2"), b"x").unwrap();
        fs::create_dir(root.join(OsStr::from_bytes(b"no\xfftext"))).unwrap();
        symlink(&precious, root.join("a/b/c/link")).unwrap();
        symlink(&precious, root.join("link")).unwrap();
        for name in 0..2100 {
            fs::File::create(root.join("a").join(name.to_string())).unwrap();
        }
        remove_tree(&root).unwrap();
        remove_tree(&root).expect("removing again is no error");
        let link = place.path().join("link");
        symlink(&precious, &link).unwrap();
        remove_tree(&link).unwrap();
        let left: Vec<_> = fs::read_dir(place.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(precious.join("file").is_file());
    }
}
