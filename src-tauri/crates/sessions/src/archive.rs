//! What a removed session leaves: its last report, the output of its commands and its container's log.
//!
//! They go to Mizzen's own directory, where no container can read or change them, and the project stays clean.
//! Invariant: the status directory was the container's; nothing in it is followed, and no more than the protocol
//! allows is copied.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mizzen_fsx::{At, PathError, SafeDir, remove_tree, write_cache};

use crate::para::ParaDirs;
use crate::record::Record;

/// Newest sessions that are remembered.
const KEPT: usize = 20;
/// Caps of the protocol.
const REPORTS: [(&str, u64); 3] = [
    ("status.json", 256 << 10),
    ("commands.json", 256 << 10),
    ("metrics.json", 64 << 10),
];
const LOG: u64 = 10 << 20;
const LOGS: u64 = 50 << 20;
/// Longest name of a log.
const NAME: usize = 128;
/// As many logs are kept, which is more than a supervisor lets stand, of so many entries that are looked at.
const COUNT: usize = 500;
const ENTRIES: usize = 10_000;

/// What the engine last said of a container.
#[derive(Default)]
pub(crate) struct End {
    /// How it ended, in one line.
    pub(crate) words: String,
    /// The end of its log.
    pub(crate) log: String,
}

/// Where a session's remains are, or would be. Sessions that had the same name were not made at the same time.
pub(crate) fn place(state_dir: &Path, record: &Record) -> PathBuf {
    let made = record.created_at.strftime("%Y%m%dT%H%M%SZ");
    state_dir
        .join("archive")
        .join(format!("{}-{made}", record.name.key()))
}

/// Copies what is left of a session, and lets the oldest of many go. Done twice, it is done once.
pub(crate) fn keep(state_dir: &Path, record: &Record, end: Option<&End>) -> Result<(), PathError> {
    let to = place(state_dir, record);
    let all = state_dir.join("archive");
    make_private(&all)?;
    make_private(&to)?;
    if let Some(end) = end {
        write_cache(to.join("container.log"), end.log.as_bytes())?;
        write_cache(to.join("end.txt"), end.words.as_bytes())?;
    }
    // Without a status directory there is nothing to copy.
    if let Ok(from) = SafeDir::open(ParaDirs::of(&record.project, &record.name).status) {
        copy_reports(&from, &to)?;
        copy_logs(&from, &to)?;
    }
    forget_oldest(&all)
}

fn copy_reports(from: &SafeDir, to: &Path) -> Result<(), PathError> {
    for (name, cap) in REPORTS {
        // What is unsafe to read is not worth keeping.
        if let Ok(bytes) = from.read_regular(name, cap, None) {
            write_cache(to.join(name), &bytes)?;
        }
    }
    Ok(())
}

fn copy_logs(from: &SafeDir, to: &Path) -> Result<(), PathError> {
    let Ok(from) = from.open_dir("logs") else {
        return Ok(());
    };
    let to = to.join("logs");
    make_private(&to)?;
    let mut left = LOGS;
    for name in log_names(&from)? {
        let Ok(bytes) = from.read_regular(&name, LOG.min(left), None) else {
            continue;
        };
        left -= bytes.len() as u64;
        write_cache(to.join(name), &bytes)?;
    }
    Ok(())
}

/// Names that are fit for a log, in their order.
fn log_names(dir: &SafeDir) -> Result<Vec<String>, PathError> {
    let files = dir.first(ENTRIES)?.into_iter();
    let names = files.filter(|entry| entry.kind.is_none()).map(|it| it.name);
    let mut names: Vec<String> = names.filter(|name| is_log_name(name)).collect();
    names.sort();
    names.truncate(COUNT);
    Ok(names)
}

fn is_log_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fits)
}

fn forget_oldest(all: &Path) -> Result<(), PathError> {
    let entries = fs::read_dir(all).at(all)?.flatten();
    let mut dated: Vec<_> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    dated.sort();
    let many = dated.len().saturating_sub(KEPT);
    dated
        .iter()
        .take(many)
        .try_for_each(|(_, path)| remove_tree(path))
}

fn make_private(dir: &Path) -> Result<(), PathError> {
    match fs::create_dir(dir) {
        Ok(()) => system::make_private(dir).at(dir),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).at(dir),
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{Permissions, set_permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    pub(super) fn make_private(dir: &Path) -> io::Result<()> {
        set_permissions(dir, Permissions::from_mode(0o700))
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::path::Path;

    /// The directory above is the user's own already.
    pub(super) fn make_private(_dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
