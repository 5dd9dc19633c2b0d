//! A new file while its contents come in.

use std::io::{self, Write};

use mizzen_sync_core::{Digest, File};

use crate::root::NewFile;

/// Zeros of this length and place are left out.
const BLOCK: usize = 64 * 1024;

/// Takes a file's contents and says whether they are the right ones.
pub(super) struct Sink {
    file: NewFile,
    hasher: blake3::Hasher,
    length: u64,
    expected: File,
    error: Option<io::Error>,
}

/// What became of a file.
pub(super) enum Made {
    /// It is whole.
    Whole,
    /// Its contents are not the expected ones.
    Wrong,
}

impl Sink {
    pub(super) fn new(file: NewFile, expected: File) -> Self {
        Self {
            file,
            hasher: blake3::Hasher::new(),
            length: 0,
            expected,
            error: None,
        }
    }

    /// The error that made a write fail, if one did: of this side, whatever else is said of it.
    pub(super) fn error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Finishes a file all of which has come.
    pub(super) fn finish(mut self, mode: Option<u32>, on_disk: bool) -> io::Result<Made> {
        let digest = Digest(*self.hasher.finalize().as_bytes());
        if self.length != self.expected.size || digest != self.expected.digest {
            return Ok(Made::Wrong);
        }
        let File { size, mtime, .. } = self.expected;
        self.file.finish(size, mtime, mode)?;
        if on_disk {
            self.file.sync()?;
        }
        Ok(Made::Whole)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.expected.size < BLOCK as u64 {
            return self.file.write(bytes);
        }
        for block in bytes.chunks(BLOCK) {
            if block.len() == BLOCK && block.iter().all(|byte| *byte == 0) {
                self.file.skip(block.len())?;
            } else {
                self.file.write(block)?;
            }
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.length + bytes.len() as u64;
        if length > self.expected.size {
            // What comes is not the file: it does not fill the disk.
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.hasher.update(bytes);
        match self.put(bytes) {
            Ok(()) => {
                self.length = length;
                Ok(bytes.len())
            }
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
