//! All links that something is remembered of, also those that nobody keeps any more; and how one is forgotten.
//!
//! Invariant: nothing goes that a person may still want back, unless they have agreed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_fsx::{At, PathError, write_cache};
use serde::{Deserialize, Serialize};

use crate::link::{Both, RETENTION};
use crate::lock::{LockError, PairLock};
use crate::trash::{CycleId, Trash, TrashError};

/// Says which two sides it is, as people call them.
const NAMES: &str = "link.json";
/// Where the trash of each side on this machine lies.
const TRASH: &str = "trash";

/// What two sides are called by people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The host's, or the first one.
    pub host: String,
    /// The container's, or the second one.
    pub container: String,
}

/// A link that something is remembered of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLink {
    /// What its folder is called.
    pub id: String,
    /// Its sides; none where that was not written down.
    pub names: Option<Names>,
    /// When it was last joined.
    pub used: Timestamp,
    /// Whether somebody keeps it now.
    pub in_use: bool,
    /// Bytes of all that is remembered, the trash included.
    pub bytes: u64,
    /// Until when the trash keeps something that can be brought back; none when it keeps nothing.
    pub kept_until: Option<Timestamp>,
}

/// A link is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Somebody keeps it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Its trash keeps what a person may want back.
    #[error("its trash keeps files that can be brought back until {0}")]
    Kept(Timestamp),
    /// Its trash cannot be looked at.
    #[error(transparent)]
    Trash(#[from] TrashError),
    /// It cannot be removed.
    #[error(transparent)]
    Io(#[from] PathError),
}

/// Notes what the sides of a link are called.
pub(crate) fn note(dir: &Path, names: &Both<String>) -> Result<(), PathError> {
    let names = Names {
        host: names.host.clone(),
        container: names.container.clone(),
    };
    if read_names(dir).as_ref() == Some(&names) {
        return Ok(());
    }
    let text = serde_json::to_vec(&names).expect("BUG: two texts are JSON");
    write_cache(dir.join(NAMES), &text)
}

/// Removes what time has made useless of links that were joined so long ago that no trash keeps things for as long: what is
/// in their trash and, where both were folders of this machine and neither is there any more, all that is remembered.
///
/// A folder of a disk that is away is not there either. Nothing is lost by that: when the two meet again nothing is
/// deleted, and what differs is a conflict.
pub(crate) fn tidy(state: &Path) {
    for entry in fs::read_dir(state).into_iter().flatten().flatten() {
        let dir = entry.path();
        let is_old = PairLock::last_taken(&dir)
            .is_some_and(|used| used.elapsed().is_ok_and(|unused| unused > RETENTION.age));
        if is_old {
            // It may be in use after all; the next time is soon enough.
            let _ = tidy_one(&dir);
        }
    }
}

fn tidy_one(dir: &Path) -> Result<(), ForgetError> {
    let _lock = PairLock::hold(dir)?;
    for side in ["host", "container"] {
        let place = dir.join(TRASH).join(side);
        if place.is_dir() {
            Trash::open(place)?.prune(&RETENTION, crate::now())?;
        }
    }
    let names = read_names(dir).unwrap_or_default();
    let is_gone = [&names.host, &names.container].into_iter().all(|name| {
        let path = Path::new(name);
        let looked = path.symlink_metadata();
        path.is_absolute() && looked.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    });
    match is_gone && kept_until(dir)?.is_none() {
        true => Ok(remove(dir)?),
        false => Ok(()),
    }
}

/// Lists them, the last used one first.
///
/// # Errors
/// What is remembered cannot be read.
pub fn known_links(state: &Path) -> Result<Vec<KnownLink>, PathError> {
    let entries = match fs::read_dir(state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at(state)?,
    };
    let dirs = entries.flatten().map(|entry| entry.path());
    let mut links: Vec<_> = dirs.filter_map(|dir| known(&dir)).collect();
    links.sort_by_key(|link| std::cmp::Reverse(link.used));
    Ok(links)
}

/// Removes all that is remembered of a link, the trash of its sides on this machine included. With `force`, a person has
/// agreed to lose that.
///
/// # Errors
/// Somebody keeps it, its trash keeps what a person may want back, or it cannot be removed.
pub fn forget_link(state: &Path, id: &str, force: bool) -> Result<(), ForgetError> {
    let dir = state.join(id);
    // Held to the end: nobody joins the two meanwhile.
    let _lock = PairLock::hold(&dir)?;
    if let (Some(until), false) = (kept_until(&dir)?, force) {
        return Err(ForgetError::Kept(until));
    }
    Ok(remove(&dir)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the folder is Mizzen's own, and nobody wants it any more"
)]
fn remove(dir: &Path) -> Result<(), PathError> {
    // What both agreed on goes first: without it, nothing is deleted on either side.
    for entry in fs::read_dir(dir).at(dir)?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("base.") {
            fs::remove_file(entry.path()).at(entry.path())?;
        }
    }
    fs::remove_dir_all(dir).at(dir)
}

/// None when it is no link's folder.
fn known(dir: &Path) -> Option<KnownLink> {
    let id = dir.file_name()?.to_str()?.to_owned();
    // It is written whenever the two are joined.
    let used = PairLock::last_taken(dir)?;
    Some(KnownLink {
        id,
        names: read_names(dir),
        used: Timestamp::try_from(used).ok()?,
        in_use: PairLock::is_held(dir),
        bytes: weigh(dir),
        kept_until: kept_until(dir).ok().flatten(),
    })
}

fn read_names(dir: &Path) -> Option<Names> {
    serde_json::from_slice(&fs::read(dir.join(NAMES)).ok()?).ok()
}

/// Until when the trash of any side keeps something.
fn kept_until(dir: &Path) -> Result<Option<Timestamp>, TrashError> {
    let mut last = None;
    for side in ["host", "container"] {
        let place: PathBuf = dir.join(TRASH).join(side);
        if place.is_dir() {
            last = last.max(Trash::open(place)?.last_that_keeps()?);
        }
    }
    let age = i64::try_from(RETENTION.age.as_nanos()).unwrap_or(i64::MAX);
    let until = last.map(|CycleId(began)| began.saturating_add(age));
    let until = until.filter(|until| *until > crate::now());
    Ok(until.and_then(|until| Timestamp::from_nanosecond(until.into()).ok()))
}

/// Bytes of all files below a folder; what cannot be read counts for nothing.
fn weigh(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let weights = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => weigh(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    weights.sum()
}

#[cfg(test)]
mod tests;
