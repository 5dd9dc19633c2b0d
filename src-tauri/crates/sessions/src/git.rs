//! Git in synced workspaces: the host's history brought into a workspace, and the commits made there brought back.
//!
//! A repository of the host may have been in a container's hands before, mounted: nothing that its settings name is run,
//! and nothing is read that lies elsewhere. What comes from a container is a pack, checked object by object; refs are
//! named here, and only below `refs/mizzen/`. No branch, index or file of the host is touched.

mod bring;
mod catch_up;
mod command;
mod depth;
mod incoming;
mod names;
mod own;
mod peer;
mod repository;
mod take;

use std::path::PathBuf;

use mizzen_wire::Wire;

use crate::error::{ErrorKind, SessionError};
use crate::fact::Reason;
use crate::folder::FolderUser;
use crate::name::SessionName;
use crate::record::Record;
use crate::world::World;

pub(crate) use bring::bring;
pub(crate) use catch_up::{Due, catch_up};
pub(crate) use take::take;

/// Whose history it is, and where.
pub(crate) struct Place {
    pub(crate) session: SessionName,
    pub(crate) folder: PathBuf,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is one user"))]
    pub(crate) user: FolderUser,
    /// The person's home: their name is in its settings.
    pub(crate) home: Option<PathBuf>,
    pub(crate) now: jiff::Timestamp,
}

impl Place {
    pub(crate) fn of(world: &World, record: &Record) -> Self {
        Self {
            session: record.name.clone(),
            folder: record.project.clone(),
            user: record.user,
            home: world.home.clone(),
            now: world.now(),
        }
    }

    /// Whether the folder is the top of a repository, as far as a look tells.
    pub(crate) fn has_repository(&self) -> bool {
        self.folder.join(".git").symlink_metadata().is_ok()
    }
}

/// What a start made of it, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Brought {
    /// The session's branch; none where there is no repository.
    pub(crate) branch: Option<String>,
    pub(crate) said: String,
}

/// Why it did not come about, and what to do; sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) hint: String,
}

impl Trouble {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: hint.into(),
        }
    }

    /// The container's own words are not fit to be shown as they are.
    fn container(what: &str, said: &str) -> Self {
        let said = mizzen_status::sanitise(said.trim_end_matches('.'), 200);
        let why = format!("The container {what}: {said}.");
        Self::new(why, "Try again; when it stays so, restart the session.")
    }
}

impl From<Trouble> for Reason {
    fn from(trouble: Trouble) -> Self {
        Self {
            message: trouble.why,
            hint: trouble.hint,
        }
    }
}

impl From<Trouble> for SessionError {
    fn from(trouble: Trouble) -> Self {
        Self::new(ErrorKind::Failed, trouble.why, trouble.hint)
    }
}

/// A wire and the place that it is about.
pub(crate) struct Way<'a> {
    pub(crate) place: &'a Place,
    pub(crate) wire: &'a Wire,
}
