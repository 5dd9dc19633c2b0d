//! What a container can make of a directory that it writes and the host reads.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Deepest nesting that readers take.
const DEPTH: usize = 32;
/// Far deeper.
const TOO_DEEP: usize = 20_000;

/// What stands where a file of the protocol should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A document of just so many bytes, nested as deep as it may be, with as much in it as has room.
    Full(u64),
    /// The same with one byte more.
    TooLong(u64),
    /// One of so many bytes that is nested far deeper.
    TooDeep(u64),
    /// One that ends in the middle.
    Torn(u64),
    /// A pipe that nobody writes into.
    Fifo,
    /// A terabyte that takes up no room.
    Sparse,
    /// A link to a file of the host's.
    Link,
    /// A directory.
    Directory,
}

impl Thing {
    /// All of them, for a file of which so many bytes are read.
    #[must_use]
    pub fn all(cap: u64) -> [Self; 8] {
        [
            Self::Full(cap),
            Self::TooLong(cap),
            Self::TooDeep(cap),
            Self::Torn(cap),
            Self::Fifo,
            Self::Sparse,
            Self::Link,
            Self::Directory,
        ]
    }

    /// Puts it where nothing stands; `fields` begin the document, whose rest is in `custom`.
    ///
    /// # Errors
    /// It cannot be made.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody reads it while it is written"
    )]
    pub fn put(self, path: &Path, fields: &str) -> io::Result<()> {
        match self {
            Self::Full(size) => fs::write(path, document(fields, size, DEPTH - 2)),
            Self::TooLong(size) => fs::write(path, document(fields, size + 1, DEPTH - 2)),
            Self::TooDeep(size) => fs::write(path, document(fields, size, TOO_DEEP)),
            Self::Torn(size) => {
                let text = document(fields, size, DEPTH - 2);
                fs::write(path, &text[..text.len() / 2])
            }
            Self::Fifo => Ok(mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0)?),
            Self::Sparse => File::create(path)?.set_len(1 << 40),
            Self::Link => std::os::unix::fs::symlink("/etc/passwd", path),
            Self::Directory => fs::create_dir(path),
        }
    }
}

/// A document of so many bytes: `custom` is full of lists in lists, so many deep.
fn document(fields: &str, size: u64, depth: usize) -> Vec<u8> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (begin, end) = (format!("{{{fields},\"custom\":{{\"x\":["), "0]}}");
    let one = format!("{}{},", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let room = size - begin.len() - end.len();
    let mut text = begin + &one.repeat(room / one.len());
    text.push_str(&" ".repeat(room % one.len()));
    text.push_str(end);
    text.into_bytes()
}

/// Fills a directory with so many empty files, whose names are fit for logs.
///
/// # Errors
/// They cannot be made.
pub fn crowd(dir: &Path, entries: usize) -> io::Result<()> {
    for number in 0..entries {
        let path = dir.join(format!("{number}.log"));
        mknodat(
            CWD,
            &path,
            FileType::RegularFile,
            Mode::RUSR | Mode::RGRP,
            0,
        )?;
    }
    Ok(())
}

/// What the calling thread has read from files by now, by the system's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Bytes.
    pub bytes: u64,
    /// Calls to the system that read.
    pub calls: u64,
}

impl Read {
    /// By now. The account is a file as well, of little more than a hundred bytes.
    ///
    /// # Errors
    /// The system keeps no account.
    pub fn by_this_thread() -> io::Result<Self> {
        let account = fs::read_to_string("/proc/thread-self/io")?;
        let line = |name: &str| {
            let mut lines = account.lines();
            let number = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {name} in {account}")))
        };
        Ok(Self {
            bytes: line("rchar:")?,
            calls: line("syscr:")?,
        })
    }

    /// Since an earlier account, without it.
    ///
    /// # Errors
    /// The system keeps no account.
    pub fn since(self) -> io::Result<Self> {
        let now = Self::by_this_thread()?;
        Ok(Self {
            bytes: now.bytes - self.bytes,
            calls: now.calls - self.calls,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, document};

    #[test]
    fn a_document_has_just_its_size_and_depth() {
        let text = document(r#""a":1"#, 5000, DEPTH - 2);
        assert_eq!(text.len(), 5000);
        let text = String::from_utf8(text).unwrap();
        let mut depth = 0;
        let deepest = text.bytes().map(|byte| {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            depth
        });
        assert_eq!(deepest.max(), Some(32));
        assert_eq!(depth, 0);
    }
}
