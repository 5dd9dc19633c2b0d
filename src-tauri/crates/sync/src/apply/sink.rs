//! A new file while its contents come in.

use std::io::{self, Write};

use mizzen_sync_core::{Digest, File};

use crate::root::NewFile;

/// Zeros of this length and place are left out.
const BLOCK: usize = 64 * 1024;

/// As much as is read at once of what was written before.
const READ: usize = 256 * 1024;

/// Takes a file's contents and says whether they are the right ones.
pub(super) struct Sink {
    file: NewFile,
    hasher: blake3::Hasher,
    length: u64,
    expected: File,
    refused: Option<Refused>,
}

/// Why no more is taken.
pub(super) enum Refused {
    /// There is more than was expected: it does not fill the disk.
    TooLong,
    /// The disk does not take it.
    System(io::Error),
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
            refused: None,
        }
    }

    /// A file that was begun before, behind what it holds.
    pub(super) fn resumed(file: NewFile, expected: File) -> io::Result<Self> {
        let mut sink = Self::new(file, expected);
        let mut buffer = vec![0; READ];
        loop {
            let read = sink.file.read(&mut buffer)?;
            if read == 0 {
                return Ok(sink);
            }
            sink.hasher.update(&buffer[..read]);
            sink.length += read as u64;
        }
    }

    /// How many bytes it holds.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Why no more was taken, if so: whatever the one who wrote says of it.
    pub(super) fn refused(&mut self) -> Option<Refused> {
        self.refused.take()
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
            self.refused = Some(Refused::TooLong);
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
                self.refused = Some(Refused::System(error));
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
