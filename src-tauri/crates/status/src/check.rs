//! Reads a directory of the protocol as the host does, and says of each file what the host makes of it.

mod differ;
mod file;

use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;
use mizzen_fsx::{PathError, SafeDir};

use crate::text::sanitise;
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
            name if name.starts_with('.') => {}
            name => match in_tree(name, &place, &below, now) {
                Ok(found) => findings.extend(found),
                Err(error) => findings.push(no_directory(&below, &error)),
            },
        }
    }
    Ok(findings)
}

/// A directory of the tree: a session's, or that of all.
fn in_tree(
    name: &str,
    place: &Path,
    below: &str,
    now: Timestamp,
) -> Result<Vec<Finding>, PathError> {
    if name != "shared" {
        return session(place, below, now);
    }
    let shared = SafeDir::open(place)?;
    let kind = Kind::Registry;
    Ok(vec![file::look(&shared, REGISTRY_FILE, kind, below, now)])
}

/// What should be a directory cannot be looked at.
fn no_directory(name: &str, error: &PathError) -> Finding {
    Finding {
        file: sanitise(name.trim_end_matches('/'), 128),
        verdict: Verdict::Wrong,
        message: format!("it cannot be used as a directory: {}", error.source),
        next: Some("keep nothing but directories there".to_owned()),
    }
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
    let below = format!("{below}logs/");
    match SafeDir::open(&logs) {
        Ok(safe) => findings.extend(file::logs(&safe, &names(&logs)?, &below)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => findings.push(no_directory(&below, &error)),
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
