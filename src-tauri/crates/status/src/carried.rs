//! The status directory of a container that shares no file system with its host: each end tells the other what is new in
//! the files that it writes, in parts, and both have the same tree.
//!
//! What the other end says is hostile: files are a closed list, names of logs are plain, everything has a cap, and no more
//! logs are taken than a disk has room for.

mod taker;
mod teller;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::commands::LOG_MAX;
use crate::{COMMANDS_FILE, METRICS_FILE, STATUS_FILE};

pub use taker::{NotTaken, Taker};
pub use teller::Teller;

/// Largest part of a log.
pub const PART_MAX: usize = 256 * 1024;
/// Longest name of a log.
const NAME: usize = 128;
/// Below the status directory.
const LOGS: &str = "logs";

/// Which end of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Writes what is to be done.
    Host,
    /// Writes what it reports.
    Container,
}

/// A file that is carried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarriedFile {
    /// `status.json`.
    Status,
    /// `metrics.json`.
    Metrics,
    /// A file below `logs`, by its name.
    Log(String),
    /// `commands.json`.
    Commands,
}

/// A part of a file; its bytes come beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which file.
    pub file: CarriedFile,
    /// Bytes of this part.
    pub size: u32,
    /// Where they belong: only logs come in more than one part.
    pub at: u64,
    /// How long the file is by now; none once it is gone.
    pub length: Option<u64>,
}

impl CarriedFile {
    /// The end that writes it.
    fn written_by(&self) -> End {
        match self {
            Self::Status | Self::Metrics | Self::Log(_) => End::Container,
            Self::Commands => End::Host,
        }
    }

    /// As much of it as is carried: the protocol's caps.
    fn cap(&self) -> u64 {
        match self {
            Self::Status | Self::Commands => 256 << 10,
            Self::Metrics => 64 << 10,
            Self::Log(_) => LOG_MAX,
        }
    }

    /// Its directory and its name there.
    fn place(&self, status: &Path) -> (PathBuf, &str) {
        match self {
            Self::Status => (status.to_owned(), STATUS_FILE),
            Self::Metrics => (status.to_owned(), METRICS_FILE),
            Self::Commands => (status.to_owned(), COMMANDS_FILE),
            Self::Log(name) => (status.join(LOGS), name),
        }
    }
}

impl Part {
    /// How many bytes follow, when this end may say this.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn size_from(&self, from: End) -> Result<usize, NotTaken> {
        self.check(from)?;
        usize::try_from(self.size).map_err(|_| NotTaken::Refused("it is too long"))
    }

    fn check(&self, from: End) -> Result<(), NotTaken> {
        let refused = |why| Err(NotTaken::Refused(why));
        if self.file.written_by() != from {
            return refused("the other end does not write this file");
        }
        if matches!(&self.file, CarriedFile::Log(name) if !is_log_name(name)) {
            return refused("no log has such a name");
        }
        let size = u64::from(self.size);
        let Some(length) = self.length else {
            return match self.file {
                CarriedFile::Log(_) if size == 0 => Ok(()),
                _ => refused("only logs go"),
            };
        };
        let fits = self.at.checked_add(size).is_some_and(|end| end <= length);
        if length > self.file.cap() || !fits {
            return refused("it is too long");
        }
        let is_whole = self.at == 0 && size == length;
        match self.file {
            CarriedFile::Log(_) if size > PART_MAX as u64 => refused("a part is too long"),
            CarriedFile::Log(_) => Ok(()),
            _ if is_whole => Ok(()),
            _ => refused("it does not come whole"),
        }
    }
}

/// Whether a name is fit for a file of `logs`.
fn is_log_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fits)
}

/// The file that lies at a path below a status directory, if it is one that a container writes.
#[must_use]
pub fn carried_file(below_status: &Path) -> Option<CarriedFile> {
    let mut parts = below_status
        .components()
        .map(|part| part.as_os_str().to_str());
    let file = match (parts.next()??, parts.next()) {
        (STATUS_FILE, None) => CarriedFile::Status,
        (METRICS_FILE, None) => CarriedFile::Metrics,
        (LOGS, Some(name)) => CarriedFile::Log(name.filter(|name| is_log_name(name))?.to_owned()),
        _ => return None,
    };
    parts.next().is_none().then_some(file)
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
