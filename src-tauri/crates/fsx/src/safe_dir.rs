use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use crate::path_error::{At, PathError};

#[path = "safe_dir/mark.rs"]
mod mark;
#[cfg(not(unix))]
#[path = "safe_dir/portable.rs"]
mod system;
#[cfg(unix)]
#[path = "safe_dir/unix.rs"]
mod system;
#[path = "safe_dir/tree.rs"]
mod tree;

pub use mark::Mark;
pub use tree::Listed;

/// A directory that something hostile writes into, opened once.
///
/// Reads go through the handle: when the directory's name is later given to a link, they still
/// see the directory that was opened.
pub struct SafeDir {
    path: PathBuf,
    handle: system::Dir,
}

/// Why a file was not read. Its content was not looked at, except for a file that changed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct UnsafeFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: UnsafeReason,
}

/// What makes a file unsafe to read.
#[derive(Debug, thiserror::Error)]
pub enum UnsafeReason {
    /// The name is not one plain path component.
    #[error("not a plain file name")]
    Name,
    /// There is no such file.
    #[error("no such file")]
    Missing,
    /// It is something else than a regular file.
    #[error("{0}, not a regular file")]
    Kind(FileKind),
    /// It has other names, which may be those of a file elsewhere.
    #[error("has {0} hard links")]
    HardLinked(u64),
    /// It belongs to somebody else.
    #[error("belongs to uid {found}, not {expected}")]
    Owner {
        /// Whose it is.
        found: u32,
        /// Whose it should be.
        expected: u32,
    },
    /// It is larger than the caller wants to read.
    #[error("larger than {cap} bytes")]
    TooLarge {
        /// The caller's limit.
        cap: u64,
    },
    /// It could not be opened or read.
    #[error("{0}")]
    Io(io::Error),
}

/// What stands where a file was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A symbolic link, or a reparse point.
    Link,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// A block or character device.
    Device,
    /// A Unix socket.
    Socket,
    /// Something the system does not name.
    Unknown,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "a link",
            Self::Directory => "a directory",
            Self::Fifo => "a FIFO",
            Self::Device => "a device",
            Self::Socket => "a socket",
            Self::Unknown => "an unknown kind of file",
        })
    }
}

/// What the system says about an opened entry.
struct Facts {
    kind: Option<FileKind>,
    links: u64,
    uid: Option<u32>,
    size: u64,
}

impl SafeDir {
    /// Opens a directory that is not a link.
    ///
    /// # Errors
    /// The directory does not exist, is a link or is something else.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let handle = system::Dir::open(path).at(path)?;
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    /// The path it was opened at.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a regular file of at most `cap` bytes that has one name and, when given, one owner.
    ///
    /// # Errors
    /// Says what is wrong with the file; see [`UnsafeReason`].
    pub fn read_regular(
        &self,
        name: &str,
        cap: u64,
        expected_uid: Option<u32>,
    ) -> Result<Vec<u8>, UnsafeFile> {
        self.read(name, cap, expected_uid)
            .map_err(|reason| UnsafeFile {
                path: self.path.join(name),
                reason,
            })
    }

    /// Reads at most `max` bytes of such a file, from `offset` on: one that grows is read part by part.
    ///
    /// # Errors
    /// Says what is wrong with the file; see [`UnsafeReason`].
    pub fn read_part(
        &self,
        name: &str,
        (offset, max): (u64, u64),
        cap: u64,
        expected_uid: Option<u32>,
    ) -> Result<Vec<u8>, UnsafeFile> {
        let read = || {
            let mut file = self.open_regular(name, cap, expected_uid)?;
            file.seek(SeekFrom::Start(offset))
                .map_err(UnsafeReason::Io)?;
            let mut bytes = Vec::new();
            let read = file.take(max).read_to_end(&mut bytes);
            read.map_err(UnsafeReason::Io).map(|_| bytes)
        };
        read().map_err(|reason| UnsafeFile {
            path: self.path.join(name),
            reason,
        })
    }

    fn open_regular(&self, name: &str, cap: u64, uid: Option<u32>) -> Result<File, UnsafeReason> {
        if !is_plain(name) {
            return Err(UnsafeReason::Name);
        }
        let entry = self.handle.entry(name)?;
        judge(&entry.facts()?, cap, uid)?;
        entry.open()
    }

    fn read(&self, name: &str, cap: u64, uid: Option<u32>) -> Result<Vec<u8>, UnsafeReason> {
        let mut file = self.open_regular(name, cap, uid)?;
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file that grew while it was read.
        (&mut file)
            .take(cap + 1)
            .read_to_end(&mut bytes)
            .map_err(UnsafeReason::Io)?;
        if bytes.len() as u64 > cap {
            return Err(UnsafeReason::TooLarge { cap });
        }
        judge(&system::facts_of(&file)?, cap, uid)?;
        Ok(bytes)
    }
}

fn judge(facts: &Facts, cap: u64, expected: Option<u32>) -> Result<(), UnsafeReason> {
    if let Some(kind) = facts.kind {
        return Err(UnsafeReason::Kind(kind));
    }
    // Known here: a regular file. None means it was replaced since it was opened: whole, so fine.
    if facts.links > 1 {
        return Err(UnsafeReason::HardLinked(facts.links));
    }
    if let Some((found, expected)) = facts.uid.zip(expected).filter(|(a, b)| a != b) {
        return Err(UnsafeReason::Owner { found, expected });
    }
    if facts.size > cap {
        return Err(UnsafeReason::TooLarge { cap });
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(Component::Normal(only)) if only == OsStr::new(name))
        && !name.contains('\0')
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
