//! Reads a directory of the protocol as the host does, and says of each file what the host makes of it.

mod differ;
mod file;

use std::path::Path;

use jiff::Timestamp;
use mizzen_fsx::{PathError, SafeDir};

use crate::{REGISTRY_FILE, STATUS_FILE};
use file::Kind;

/// Most entries of a directory that are looked at.
const ENTRIES: usize = 1000;

/// What the host makes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its path below the directory that was asked about.
    pub file: String,
    /// How good it is.
    pub verdict: Verdict,
    /// In words.
    pub message: String,
    /// What to do about it.
    pub next: Option<String>,
}

/// How good a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is read as it is meant.
    Fine,
    /// It is read, and somebody should know something about it.
    Note,
    /// It is not read, or not all of it.
    Wrong,
}

/// Looks at a session's status directory, at `docker/shared`, or at a whole `.para/state`.
///
/// # Errors
/// The directory cannot be opened or listed.
pub fn check(dir: &Path, now: Timestamp) -> Result<Vec<Finding>, PathError> {
    let safe = SafeDir::open(dir)?;
    let names = names(dir)?;
    let has = |name: &str| names.iter().any(|it| it == name);
    if has(REGISTRY_FILE) && !has(STATUS_FILE) {
        return Ok(vec![file::look(
            &safe,
            REGISTRY_FILE,
            Kind::Registry,
            "",
            now,
        )]);
    }
    match has("docker") && !has(STATUS_FILE) {
        true => tree(dir, &safe, &names, now),
        false => session(dir, "", now),
    }
}

/// A whole `.para/state`.
fn tree(
    dir: &Path,
    safe: &SafeDir,
    names: &[String],
    now: Timestamp,
) -> Result<Vec<Finding>, PathError> {
    let mut findings = Vec::new();
    for name in names {
        let kind = match name.rsplit_once('.') {
            Some((_, "state")) => Kind::Session,
            Some((_, "docker")) => Kind::Container,
            _ => continue,
        };
        findings.push(file::look(safe, name, kind, "", now));
    }
    for name in self::names(&dir.join("docker"))? {
        let (below, place) = (format!("docker/{name}/"), dir.join("docker").join(&name));
        match name.as_str() {
            "shared" => {
                let shared = SafeDir::open(&place)?;
                findings.push(file::look(
                    &shared,
                    REGISTRY_FILE,
                    Kind::Registry,
                    &below,
                    now,
                ));
            }
            name if name.starts_with('.') => {}
            _ => findings.extend(session(&place, &below, now)?),
        }
    }
    Ok(findings)
}

/// A session's status directory.
fn session(dir: &Path, below: &str, now: Timestamp) -> Result<Vec<Finding>, PathError> {
    let safe = SafeDir::open(dir)?;
    let known = [
        (STATUS_FILE, Kind::Status),
        (crate::COMMANDS_FILE, Kind::Commands),
        (crate::METRICS_FILE, Kind::Metrics),
    ];
    let mut findings: Vec<Finding> = known
        .map(|(name, kind)| file::look(&safe, name, kind, below, now))
        .into();
    let logs = dir.join("logs");
    if let Ok(safe) = SafeDir::open(&logs) {
        findings.extend(file::logs(&safe, &names(&logs)?, &format!("{below}logs/")));
    }
    Ok(findings)
}

fn names(dir: &Path) -> Result<Vec<String>, PathError> {
    use mizzen_fsx::At;
    let entries = std::fs::read_dir(dir).at(dir)?;
    let names = entries.take(ENTRIES).filter_map(Result::ok);
    let mut names: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
