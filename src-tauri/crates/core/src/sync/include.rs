//! Which `include` patterns a session heeds: those that its folder had at the first sync.
//!
//! `mizzen.toml` is carried like any file: what it asks for later may be the container's wish, and could be a secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_fsx::{At, PathError, write_atomic};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Noted {
    /// When the session was made: another one that gets its name later begins anew.
    session: Timestamp,
    patterns: Vec<String>,
}

/// The patterns that count, noted at the first time from those that there are now.
pub(super) fn allowed(
    state: &Path,
    key: &str,
    created_at: Timestamp,
    now: &[String],
) -> Result<Vec<String>, PathError> {
    let file = file(state, key);
    match fs::read(&file) {
        Ok(bytes) => {
            if let Ok(noted) = serde_json::from_slice::<Noted>(&bytes)
                && noted.session == created_at
            {
                return Ok(noted.patterns);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).at(&file),
    }
    let noted = Noted {
        session: created_at,
        patterns: now.to_vec(),
    };
    let bytes = serde_json::to_vec(&noted).expect("BUG: texts are JSON");
    fs::create_dir_all(state).at(state)?;
    write_atomic(&file, &bytes)?;
    Ok(noted.patterns)
}

fn file(state: &Path, key: &str) -> PathBuf {
    state.join(format!("{key}.include"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::allowed;

    #[test]
    fn what_is_asked_for_later_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("sync");
        let of = |second| Timestamp::from_second(second).unwrap();
        let texts =
            |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
        let [first, later] = [texts(&[".env.test"]), texts(&[".env.test", ".env"])];
        for now in [&first, &later] {
            assert_eq!(allowed(&state, "web", of(1), now).unwrap(), first);
        }
        assert_eq!(
            allowed(&state, "web", of(2), &later).unwrap(),
            later,
            "another session"
        );
        assert_eq!(allowed(&state, "api", of(1), &[]).unwrap(), texts(&[]));
    }
}
