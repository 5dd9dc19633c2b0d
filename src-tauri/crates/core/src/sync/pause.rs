//! What a person paused stays paused, also in the next core.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_fsx::{At, PathError, write_atomic};

/// Whether the sync of a session is paused. Another session that gets its name later is not.
pub(super) fn is_paused(state: &Path, key: &str, created_at: Timestamp) -> bool {
    fs::read(file(state, key)).is_ok_and(|noted| noted == created_at.to_string().into_bytes())
}

/// Keeps that it is paused.
pub(super) fn pause(state: &Path, key: &str, created_at: Timestamp) -> Result<(), PathError> {
    fs::create_dir_all(state).at(state)?;
    write_atomic(file(state, key), created_at.to_string().as_bytes())
}

/// Keeps that it is not.
pub(super) fn resume(state: &Path, key: &str) -> Result<(), PathError> {
    let file = file(state, key);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(&file),
        _ => Ok(()),
    }
}

fn file(state: &Path, key: &str) -> PathBuf {
    state.join(format!("{key}.paused"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{is_paused, pause, resume};

    #[test]
    fn a_pause_is_one_session_s_and_stays_until_it_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("sync");
        let of = |second| Timestamp::from_second(second).unwrap();
        assert!(!is_paused(&state, "web", of(1)));
        pause(&state, "web", of(1)).unwrap();
        let paused =
            [("web", 1), ("web", 2), ("api", 1)].map(|(key, at)| is_paused(&state, key, of(at)));
        assert_eq!(paused, [true, false, false]);
        resume(&state, "web").unwrap();
        resume(&state, "web").unwrap();
        assert!(!is_paused(&state, "web", of(1)));
    }
}
