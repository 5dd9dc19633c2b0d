//! Digests of files that may change while they are read.

use std::io::{self, Read};

use mizzen_sync_core::{Digest, SECRET_SIZE_MAX, find_secret};

use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory};

/// Readings of a file that changes every time.
const ATTEMPTS: usize = 3;

/// What was read of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hashed {
    /// Its digest, and what was said of it before and after it was read.
    File {
        digest: Digest,
        stamp: Stamp,
        executable: bool,
    },
    /// It holds something that opens doors.
    Secret,
    /// It kept changing.
    Unsteady,
    /// Something else has taken its place, or nothing.
    Replaced,
}

/// Hashes files, one after the other, in one buffer.
pub(crate) struct Hasher {
    buffer: Vec<u8>,
    look_for_secrets: bool,
}

impl Hasher {
    pub(crate) fn new(look_for_secrets: bool) -> Self {
        Self {
            buffer: vec![0; 1024 * 1024],
            look_for_secrets,
        }
    }

    pub(crate) fn hash(&mut self, dir: &DirHandle, name: &[u8]) -> io::Result<Hashed> {
        for _ in 0..ATTEMPTS {
            let mut open = match dir.open_file(name) {
                Ok(open) => open,
                Err(error) => match dir.look(name)? {
                    Some(Kind::File { .. }) => return Err(error),
                    _ => return Ok(Hashed::Replaced),
                },
            };
            let before = open.kind()?;
            let Kind::File { stamp, executable } = before else {
                return Ok(Hashed::Replaced);
            };
            let (digest, holds_secret) = self.read(&mut open.file, stamp.size)?;
            if open.kind()? == before {
                return Ok(if holds_secret {
                    Hashed::Secret
                } else {
                    Hashed::File {
                        digest,
                        stamp,
                        executable,
                    }
                });
            }
        }
        Ok(Hashed::Unsteady)
    }

    fn read(&mut self, file: &mut impl Read, size: u64) -> io::Result<(Digest, bool)> {
        let mut hasher = blake3::Hasher::new();
        let mut holds_secret = false;
        let mut length = 0;
        // Whether there is more, the size that is asked for afterwards says.
        while length < size {
            let read = file.read(&mut self.buffer)?;
            if read == 0 {
                break;
            }
            let piece = &self.buffer[..read];
            // A file that is small enough comes in one piece.
            if self.look_for_secrets && length == 0 && size <= SECRET_SIZE_MAX {
                holds_secret = find_secret(piece).is_some();
            }
            length += read as u64;
            hasher.update(piece);
        }
        Ok((Digest(*hasher.finalize().as_bytes()), holds_secret))
    }
}
