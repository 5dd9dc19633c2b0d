use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::path_error::{At, PathError};

/// Temporary files are `.<name>.<random>.tmp`: hidden, so that readers of the directory skip them. A name that is
/// hidden itself is the beginning: whoever skips what begins so skips what is written to it.
const SUFFIX: &str = ".tmp";

/// Replaces a file's content whole; the file is private to its owner (mode 0600).
///
/// # Errors
/// As those of [`write_atomic_with`].
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), PathError> {
    write_atomic_with(path, bytes, 0o600, None)
}

/// The same with content that is written piece by piece, and never in memory as a whole.
///
/// # Errors
/// As those of [`write_atomic_with`].
pub fn write_atomic_by(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), PathError> {
    replace(path.as_ref(), fill, 0o600, None)
}

/// Replaces a file's content whole, with a mode and optionally an owner (uid, gid).
///
/// The new file is written and synced beside the old one and takes its place by a rename; the
/// directory is synced after it. Mode and owner mean nothing on Windows.
///
/// # Errors
/// Names the path that could not be written. The old content is then untouched, but for one error: where the disk fails to
/// sync the directory, which the error then names, the new content is in place already, and a power cut may bring the old
/// one back. Whoever goes on with the old content has to write it again.
pub fn write_atomic_with(
    path: impl AsRef<Path>,
    bytes: &[u8],
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<(), PathError> {
    replace(path.as_ref(), |file| file.write_all(bytes), mode, owner)
}

fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<(), PathError> {
    let temp = written(path, fill)?;
    protect(temp.as_file(), mode, owner).at(temp.path())?;
    temp.as_file().sync_all().at(temp.path())?;
    let (dir, _) = split(path).at(path)?;
    // While the old content stands: one that cannot be opened cannot be synced.
    let opened = open_dir(dir).at(dir)?;
    take_place(temp, path).at(path)?;
    opened.map_or(Ok(()), |dir| dir.sync_all()).at(dir)
}

/// Replaces the content of a file that may be lost with the machine's power: nothing is waited for. The file is private
/// to its owner; after a power cut it may be of any length.
///
/// # Errors
/// Names the path that could not be written. The old content is then untouched.
pub fn write_cache(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), PathError> {
    write_unsynced(path, bytes, 0o600)
}

/// The same with content that is written piece by piece, and never in memory as a whole.
///
/// # Errors
/// Names the path that could not be written. The old content is then untouched.
pub fn write_cache_by(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), PathError> {
    replace_unsynced(path.as_ref(), fill, 0o600, None)
}

/// The same with a mode, which means nothing on Windows.
///
/// # Errors
/// Names the path that could not be written. The old content is then untouched.
pub fn write_unsynced(path: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<(), PathError> {
    write_unsynced_with(path, bytes, mode, None)
}

/// The same with a mode and optionally an owner (uid, gid).
///
/// # Errors
/// Names the path that could not be written. The old content is then untouched.
pub fn write_unsynced_with(
    path: impl AsRef<Path>,
    bytes: &[u8],
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<(), PathError> {
    replace_unsynced(path.as_ref(), |file| file.write_all(bytes), mode, owner)
}

fn replace_unsynced(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<(), PathError> {
    let temp = written(path, fill)?;
    protect(temp.as_file(), mode, owner).at(temp.path())?;
    take_place(temp, path).at(path)
}

/// Closed before it has the name: whoever watches for the ends of writes is told once.
fn take_place(temp: NamedTempFile, path: &Path) -> io::Result<()> {
    let closed = temp.into_temp_path();
    closed.persist(path).map_err(|failed| failed.error)
}

/// A file beside another, with the content that is to take its place; private to its owner.
fn written(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<NamedTempFile, PathError> {
    let (dir, name) = split(path).at(path)?;
    let prefix = prefix(name);
    let mut temp = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(SUFFIX)
        .tempfile_in(dir)
        .at(dir)?;
    let mut buffer = BufWriter::new(temp.as_file_mut());
    let filled = fill(&mut buffer).and_then(|()| buffer.flush());
    drop(buffer);
    filled.at(temp.path())?;
    Ok(temp)
}

/// Removes what a writer of `path` that was killed left beside it, and says how many files.
///
/// Only for a path with one writer, and before that writer starts: a file in use would go too.
///
/// # Errors
/// Names the directory that could not be listed or the file that could not be removed.
pub fn remove_leftovers(path: impl AsRef<Path>) -> Result<usize, PathError> {
    let path = path.as_ref();
    let (dir, name) = split(path).at(path)?;
    let prefix = prefix(name);
    let mut removed = 0;
    for entry in fs::read_dir(dir).at(dir)? {
        let entry = entry.at(dir)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(SUFFIX) {
            fs::remove_file(entry.path()).at(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a file of this name is one that is about to take another's place.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(SUFFIX)
}

/// How the names of files begin that are to take the place of one.
fn prefix(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let dot = if name.starts_with('.') { "" } else { "." };
    format!("{dot}{name}.")
}

fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let dir = path
        .parent()
        .map(|dir| if dir == "" { Path::new(".") } else { dir });
    dir.zip(path.file_name())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the path of a file"))
}

#[cfg(unix)]
fn protect(file: &File, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    owner.map_or(Ok(()), |(uid, gid)| fchown(file, Some(uid), Some(gid)))
}

#[cfg(not(unix))]
fn protect(_file: &File, _mode: u32, _owner: Option<(u32, u32)>) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn open_dir(dir: &Path) -> io::Result<Option<File>> {
    File::open(dir).map(Some)
}

// Windows writes directory entries through; there is no handle to sync.
#[cfg(not(unix))]
fn open_dir(_dir: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
