//! What is new at one end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mizzen_fsx::SafeDir;

use super::{CarriedFile, End, LOGS, PART_MAX, Part, is_log_name};

/// As much is told at once.
const AT_ONCE: usize = 4 << 20;
/// Most logs that are told of.
const LOGS_MAX: usize = 500;

/// Looks at the files that an end writes, and says what the other end has not been told.
pub struct Teller {
    end: End,
    status: PathBuf,
    told: BTreeMap<CarriedFile, Told>,
}

/// What the other end knows of a file.
struct Told {
    seen: Seen,
    /// So many bytes of it.
    bytes: u64,
}

impl Told {
    /// Whether there is nothing to tell: a log is only ever added to, anything else is replaced.
    fn is_all(&self, now: Seen, is_log: bool) -> bool {
        let is_same = self.seen == now;
        is_same && !is_log || self.seen.inode == now.inode && is_log && self.bytes == now.length
    }
}

/// Two looks that find the same have found the same content.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    inode: u64,
    modified: Option<SystemTime>,
    length: u64,
}

impl Teller {
    /// Nothing has been told yet.
    #[must_use]
    pub fn new(end: End, status: PathBuf) -> Self {
        Self {
            end,
            status,
            told: BTreeMap::new(),
        }
    }

    /// What is new: at most one part of each file, and not too much at once. Nothing once all is told.
    pub fn look(&mut self) -> Vec<(Part, Vec<u8>)> {
        let mut parts = self.gone();
        let files = match self.end {
            End::Host => vec![CarriedFile::Commands],
            End::Container => {
                let logs = log_sizes(&self.status.join(LOGS));
                let logs = logs.into_keys().take(LOGS_MAX).map(CarriedFile::Log);
                [CarriedFile::Status, CarriedFile::Metrics]
                    .into_iter()
                    .chain(logs)
                    .collect()
            }
        };
        let mut bytes_told = 0;
        for file in files {
            let news = self.news_of(file);
            bytes_told += news.as_ref().map_or(0, |(_, bytes)| bytes.len());
            parts.extend(news);
            if bytes_told >= AT_ONCE {
                break;
            }
        }
        parts
    }

    /// Logs that were told of and are there no more.
    fn gone(&mut self) -> Vec<(Part, Vec<u8>)> {
        let is_there = |file: &CarriedFile| {
            let (dir, name) = file.place(&self.status);
            !matches!(file, CarriedFile::Log(_)) || seen(&dir.join(name)).is_some()
        };
        let gone: Vec<CarriedFile> = self
            .told
            .keys()
            .filter(|file| !is_there(file))
            .cloned()
            .collect();
        let part = |file: CarriedFile| {
            self.told.remove(&file);
            let part = Part {
                file,
                size: 0,
                at: 0,
                length: None,
            };
            (part, Vec::new())
        };
        gone.into_iter().map(part).collect()
    }

    fn news_of(&mut self, file: CarriedFile) -> Option<(Part, Vec<u8>)> {
        let (dir, name) = file.place(&self.status);
        let now = seen(&dir.join(name))?;
        let is_log = matches!(file, CarriedFile::Log(_));
        let at = match self.told.get(&file) {
            Some(told) if told.is_all(now, is_log) => return None,
            // One that only grew is told from where it was.
            Some(told) if is_log && told.seen.inode == now.inode && told.bytes < now.length => {
                told.bytes
            }
            _ => 0,
        };
        let max = if is_log { PART_MAX as u64 } else { file.cap() };
        // What is unsafe to read is not told; the next look may find something better.
        let dir = SafeDir::open(dir).ok()?;
        let bytes = dir.read_part(name, (at, max), file.cap(), None).ok()?;
        let size = u32::try_from(bytes.len()).ok()?;
        let bytes_told = at + u64::from(size);
        let length = if is_log {
            now.length.max(bytes_told)
        } else {
            u64::from(size)
        };
        let seen = Seen { length, ..now };
        let told = Told {
            seen,
            bytes: bytes_told,
        };
        self.told.insert(file.clone(), told);
        let part = Part {
            file,
            size,
            at,
            length: Some(length),
        };
        Some((part, bytes))
    }
}

/// Files that are fit for logs, with their sizes.
pub(super) fn log_sizes(dir: &Path) -> BTreeMap<String, u64> {
    let Ok(entries) = fs::read_dir(dir) else {
        return BTreeMap::new();
    };
    let sized = entries.flatten().filter_map(|entry| {
        let name = entry
            .file_name()
            .into_string()
            .ok()
            .filter(|name| is_log_name(name))?;
        Some((name, seen(&entry.path())?.length))
    });
    sized.collect()
}

fn seen(path: &Path) -> Option<Seen> {
    let found = fs::symlink_metadata(path)
        .ok()
        .filter(fs::Metadata::is_file)?;
    Some(Seen {
        inode: inode(&found),
        modified: found.modified().ok(),
        length: found.len(),
    })
}

#[cfg(unix)]
fn inode(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn inode(_found: &fs::Metadata) -> u64 {
    0
}
