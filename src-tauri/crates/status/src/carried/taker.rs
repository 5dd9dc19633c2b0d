//! What the other end says, written down.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, SafeDir, write_unsynced_with};

use super::teller::log_sizes;
use super::{CarriedFile, End, PART_MAX, Part};

/// All logs together.
const LOGS_BYTES: u64 = 64 << 20;
/// As many logs.
const LOGS_MAX: usize = 1000;
const MODE: u32 = 0o644;

/// Why a part was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The other end breaks the rules.
    #[error("the other end of the status directory breaks its rules: {0}")]
    Refused(&'static str),
    /// There is no room for this log any more, or an earlier part of it found none.
    #[error("no room for a log of the other end")]
    NoRoom,
    /// It could not be written.
    #[error(transparent)]
    Failed(#[from] PathError),
}

/// Writes what the other end says into the status directory of this one.
pub struct Taker {
    from: End,
    status: PathBuf,
    /// Whose the files are, where they are not simply ours.
    owner: Option<(u32, u32)>,
}

impl Taker {
    /// Takes from this end.
    #[must_use]
    pub fn new(from: End, status: PathBuf, owner: Option<(u32, u32)>) -> Self {
        Self {
            from,
            status,
            owner,
        }
    }

    /// Takes one part.
    ///
    /// # Errors
    /// It is none that this end may send, or it cannot be written.
    pub fn take(&self, part: &Part, bytes: &[u8]) -> Result<(), NotTaken> {
        part.check(self.from)?;
        if bytes.len() as u64 != u64::from(part.size) {
            return Err(NotTaken::Refused("it has another size"));
        }
        let (dir, name) = part.file.place(&self.status);
        match (&part.file, part.length) {
            (CarriedFile::Log(_), Some(length)) => {
                self.make_logs(&dir)?;
                self.check_room(&dir, name, part.at + u64::from(part.size))?;
                self.write_log(&dir, name, (part.at, length), bytes)
            }
            (_, None) => gone_is_fine(fs::remove_file(dir.join(name)))
                .at(dir.join(name))
                .map_err(Into::into),
            (_, Some(_)) => Ok(write_unsynced_with(
                dir.join(name),
                bytes,
                MODE,
                self.owner,
            )?),
        }
    }

    /// Takes a whole file that came by another way.
    ///
    /// # Errors
    /// As [`Taker::take`].
    pub fn take_whole(&self, file: &CarriedFile, bytes: &[u8]) -> Result<(), NotTaken> {
        let length = bytes.len() as u64;
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let piece = match file {
                CarriedFile::Log(_) => &rest[..rest.len().min(PART_MAX)],
                _ => rest,
            };
            let part = Part {
                file: file.clone(),
                size: u32::try_from(piece.len())
                    .map_err(|_| NotTaken::Refused("it is too long"))?,
                at: at as u64,
                length: Some(length),
            };
            self.take(&part, piece)?;
            at += piece.len();
            if at >= bytes.len() {
                return Ok(());
            }
        }
    }

    fn make_logs(&self, dir: &Path) -> Result<(), NotTaken> {
        match fs::create_dir(dir) {
            Ok(()) => Ok(give(dir, self.owner).at(dir)?),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Not a link to elsewhere.
                SafeDir::open(dir).map(drop)?;
                Ok(())
            }
            Err(error) => Err(error).at(dir).map_err(Into::into),
        }
    }

    /// A container cannot fill the disk of its host.
    fn check_room(&self, dir: &Path, name: &str, end: u64) -> Result<(), NotTaken> {
        let mut sizes = log_sizes(dir);
        let size = sizes.entry(name.to_owned()).or_default();
        *size = end.max(*size);
        if sizes.len() > LOGS_MAX || sizes.values().sum::<u64>() > LOGS_BYTES {
            return Err(NotTaken::NoRoom);
        }
        Ok(())
    }

    /// What stands there already is left as it is: a reader never sees a log shrink that only comes again.
    fn write_log(
        &self,
        dir: &Path,
        name: &str,
        (at, length): (u64, u64),
        bytes: &[u8],
    ) -> Result<(), NotTaken> {
        let path = dir.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Err(NotTaken::Refused("something else has the log's name")),
            Err(_) => write_unsynced_with(&path, b"", MODE, self.owner)?,
        }
        let size = fs::symlink_metadata(&path).at(&path)?.len();
        if at > size {
            return Err(NotTaken::NoRoom);
        }
        let safe = SafeDir::open(dir)?;
        let stands = safe.read_part(name, (at, bytes.len() as u64), u64::MAX, None);
        if stands.is_ok_and(|stands| stands == bytes) && size <= length {
            return Ok(());
        }
        let mut file = OpenOptions::new().write(true).open(&path).at(&path)?;
        file.set_len(at).at(&path)?;
        file.seek(SeekFrom::Start(at)).at(&path)?;
        file.write_all(bytes).at(&path)?;
        Ok(())
    }
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn give(path: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    owner.map_or(Ok(()), |(uid, gid)| {
        std::os::unix::fs::chown(path, Some(uid), Some(gid))
    })
}

#[cfg(not(unix))]
fn give(_path: &Path, _owner: Option<(u32, u32)>) -> io::Result<()> {
    Ok(())
}
