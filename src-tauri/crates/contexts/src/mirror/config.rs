//! The CLI's `config.json`: which context is selected. Everything else in it is the user's, and stays.

use std::io;
use std::path::Path;
use std::time::Duration;

use mizzen_fsx::{
    PathError, SafeDir, UnsafeFile, UnsafeReason, disk_without_events, write_atomic_with,
};
use serde_json::{Map, Value};

use crate::inventory::{Clock, Place, Remembered, Root};

const FILE: &str = "config.json";
const KEY: &str = "currentContext";
const CAP: u64 = 1 << 20;

/// What a `config.json` says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Config {
    /// There is none.
    Missing,
    /// It can be read, and changed without losing anything.
    Known(Map<String, Value>),
    /// It cannot, in words.
    Unusable(String),
}

impl Config {
    pub(crate) fn read(root: &Root) -> Self {
        Self::look(root, &mut None, &|| Duration::ZERO)
    }

    /// The same, but for what is as it is remembered.
    pub(crate) fn look(root: &Root, memory: &mut Option<Remembered<Self>>, now: Clock<'_>) -> Self {
        let unusable =
            |why: String| Self::Unusable(format!("{}: {why}", root.config.join(FILE).display()));
        let path = match real(root) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Missing,
            Err(error) => return unusable(error.to_string()),
        };
        let Some((dir, name)) = path
            .parent()
            .zip(path.file_name().and_then(|name| name.to_str()))
        else {
            return unusable("it has no folder".to_owned());
        };
        let dir = match SafeDir::open(dir) {
            Ok(dir) => dir,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Missing,
            Err(error) => return unusable(error.source.to_string()),
        };
        if disk_without_events(dir.path()).is_some() {
            *memory = None;
        }
        let read = || match dir.read_regular(name, CAP, None) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(Value::Object(members)) => Self::Known(members),
                Ok(_) => unusable("it is not a JSON object".to_owned()),
                Err(error) => unusable(error.to_string()),
            },
            Err(UnsafeFile {
                reason: UnsafeReason::Missing,
                ..
            }) => Self::Missing,
            Err(UnsafeFile { reason, .. }) => unusable(reason.to_string()),
        };
        let depth = 0;
        let dir = &dir;
        let places = [Place { dir, name, depth }];
        let lasts = |config: &Self| !matches!(config, Self::Unusable(_));
        Remembered::look(memory, &places, now, read, lasts).0
    }

    /// The context that is selected; the CLI reads keys in any case.
    pub(crate) fn current(&self) -> Option<&str> {
        let Self::Known(members) = self else {
            return None;
        };
        let member = members
            .iter()
            .rfind(|(key, _)| key.eq_ignore_ascii_case(KEY));
        member
            .and_then(|(_, value)| value.as_str())
            .filter(|name| !name.is_empty())
    }

    /// Selects nothing, as `docker context rm -f` leaves it, if this context is the selected one.
    pub(crate) fn deselect(root: &Root, name: &str) -> Result<(), PathError> {
        match Self::read(root) {
            Self::Known(mut members) => {
                if Self::Known(members.clone()).current() != Some(name) {
                    return Ok(());
                }
                members.retain(|key, _| !key.eq_ignore_ascii_case(KEY));
                write(root, &members)
            }
            Self::Missing => Ok(()),
            Self::Unusable(why) => Err(PathError {
                path: root.config.join(FILE),
                source: io::Error::other(why),
            }),
        }
    }
}

/// Writes it whole, with the mode that it had.
pub(crate) fn write(root: &Root, members: &Map<String, Value>) -> Result<(), PathError> {
    let path = real(root).unwrap_or_else(|_| root.config.join(FILE));
    let text = serde_json::to_string_pretty(members).expect("BUG: JSON is plain values");
    write_atomic_with(&path, text.as_bytes(), mode(&path), None)
}

/// The file itself: a link of the user's own leads to it, one of a container's does not.
fn real(root: &Root) -> io::Result<std::path::PathBuf> {
    let path = root.config.join(FILE);
    match root.trusted {
        true => path.canonicalize(),
        false => Ok(root.config.canonicalize()?.join(FILE)),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    let found = path
        .symlink_metadata()
        .ok()
        .filter(std::fs::Metadata::is_file);
    found.map_or(0o600, |found| found.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> u32 {
    0o600
}
