//! Keeps the contexts of two stores in step: the user's own (host), and the one that containers mount.
//!
//! A pass looks at both until they rest, decides (`plan`, pure), carries out one context after the other, and notes after
//! each what both sides hold. It can be ended anywhere: the next one finds two sides and what they had agreed on.

mod archive;
mod asked;
mod carry;
mod config;
mod history;
mod pass;
mod plan;
mod publish;
mod settle;
mod setup;
mod status;
mod trash;
mod words;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_fsx::{At as _, LockError, LockFile, PathError};
use serde::{Deserialize, Serialize};

use crate::inventory::{Inventory, Memory, Remembered, Root, SHARES};
use archive::Archive;
use config::Config;
use history::History;
use plan::Held;
use publish::PublishError;
use settle::Shrunk;
use trash::{Trash, Trashed};

pub use history::{Action, Change};
pub use pass::Pass;
pub use settle::Burst;
pub use setup::SetUp;
pub use status::{
    ContextStanding, ContextStatus, EndStatus, Hold, SideStatus, Standing, Status, TrashEntry,
};
pub use world::{Machine, World};

/// After so many glances in a row each context has been looked at.
pub const GLANCES: u64 = SHARES;

/// One of the two stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The user's own.
    Host = 0,
    /// The one that containers mount, and may write.
    Container = 1,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Host, Self::Container];

    /// The one across.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Host => Self::Container,
            Self::Container => Self::Host,
        }
    }
}

/// What a mirror is made from.
#[derive(Clone)]
pub struct MirrorOptions {
    /// Folder of the host's `config.json`.
    pub host: PathBuf,
    /// Folder of the container side's.
    pub container: PathBuf,
    /// Where the mirror keeps what it remembers.
    pub state: PathBuf,
    /// What a person wants of it.
    pub wishes: Wishes,
    /// Time, and a place to look in.
    pub world: Arc<dyn World>,
}

/// What a person wants of a mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What containers change about whom a context reaches waits for a person.
    pub strict: bool,
    /// Names that are left alone.
    pub no_sync: BTreeSet<String>,
    /// Where `containai-docker` leads when it is made.
    pub socket: String,
}

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Another process keeps these stores in step.
    #[error("another Mizzen mirrors these contexts ({})", .0.display())]
    Held(PathBuf),
    /// A file of the mirror's own cannot be used.
    #[error(transparent)]
    Io(#[from] PathError),
    /// A store cannot be written.
    #[error("{0}")]
    Store(String),
    /// There is no such change, hold or version.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// What was asked for.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// What was asked for does not fit what is there by now.
    #[error("{0}")]
    Refused(String),
    /// There is no container side.
    #[error("there is no {}", .0.display())]
    NotSetUp(PathBuf),
}

impl From<PublishError> for MirrorError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Io(error) => Self::Io(error),
            other => Self::Store(other.to_string()),
        }
    }
}

/// Two stores in step. Blocking; one per pair.
pub struct Mirror {
    roots: [Root; 2],
    wishes: Wishes,
    world: Arc<dyn World>,
    archive: Archive,
    trash: Trash,
    history: History,
    shrunk: Shrunk,
    memory: [SideMemory; 2],
    seen: Seen,
    /// The last pass found nothing to do, and nothing that waits; until a look sees something else, there is nothing.
    is_at_rest: bool,
    glances: u64,
    /// How often a pass, or a person, came by something that may show.
    revision: u64,
    /// What a person has not been told of yet.
    fresh: Vec<Change>,
    /// Another process may have been killed in a pass.
    is_first: bool,
    _lock: LockFile,
}

/// What is remembered of one side.
#[derive(Default)]
struct SideMemory {
    store: Memory,
    config: Option<Remembered<Config>>,
}

/// What the last look saw, for the status.
#[derive(Default)]
struct Seen {
    sides: [Inventory; 2],
    /// Whether two looks saw the sides so.
    rested: bool,
    configs: [Option<Config>; 2],
    held: Vec<Held>,
    /// Names that wait until they rest.
    waiting: BTreeSet<String>,
    /// What could not be carried over, and why.
    failed: Vec<(String, String)>,
    /// The container side was never set up, or is gone.
    no_container: bool,
}

impl Mirror {
    /// Opens what a mirror remembers; looks at neither store.
    ///
    /// # Errors
    /// Another process keeps these stores in step, or the state cannot be used.
    pub fn open(options: MirrorOptions) -> Result<Self, MirrorError> {
        let state = &options.state;
        make_private(state)?;
        let lock = lock(&state.join("lock"))?;
        let root = |config: &PathBuf, trusted| Root {
            config: config.clone(),
            trusted,
            uid: own_uid(),
        };
        let trash = Trash::open(state)?;
        trash.prune(options.world.now())?;
        Ok(Self {
            roots: [root(&options.host, true), root(&options.container, false)],
            archive: Archive::open(state)?,
            history: History::open(state)?,
            trash,
            shrunk: Shrunk::default(),
            memory: Default::default(),
            seen: Seen::default(),
            is_at_rest: false,
            glances: 0,
            revision: 0,
            fresh: Vec::new(),
            is_first: true,
            wishes: options.wishes,
            world: options.world,
            _lock: lock,
        })
    }

    /// Takes what a person wants from now on.
    pub fn wish(&mut self, wishes: Wishes) {
        self.wishes = wishes;
        self.unsettle();
    }

    /// Grows whenever the status may be another.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows whenever a look meets other files or folders than the look before.
    #[must_use]
    pub fn moves(&self) -> u64 {
        let [host, container] = &self.memory;
        host.store.moves() + container.store.moves()
    }

    /// Whether there is a container side to keep in step.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        self.root(Side::Container).config.is_dir()
    }

    /// What was carried over since the last time this was asked, whatever it was done for; without what a person had
    /// consented to.
    pub fn take_fresh(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.fresh)
    }

    /// What was planned last, and shown, no longer counts.
    fn unsettle(&mut self) {
        self.is_at_rest = false;
        self.revision += 1;
    }

    fn root(&self, side: Side) -> &Root {
        &self.roots[side as usize]
    }

    fn throw_away(
        &self,
        side: Side,
        reason: &str,
        payload: &crate::payload::Payload,
    ) -> Result<String, PathError> {
        let print = payload.print().to_string();
        self.trash.keep(&Trashed {
            at: self.world.now(),
            side,
            reason: reason.to_owned(),
            from_container: self
                .history
                .is_from_a_container(side, &payload.name, &print),
            payload: payload.clone(),
        })
    }
}

/// Makes a directory that its owner alone can read.
fn make_private(dir: &Path) -> Result<(), PathError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).at(dir)
}

fn lock(path: &Path) -> Result<LockFile, MirrorError> {
    LockFile::take(path).map_err(|refused| match refused {
        LockError::Held { .. } => MirrorError::Held(path.to_owned()),
        LockError::Io(error) => error.into(),
    })
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have no such thing")]
fn own_uid() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn own_uid() -> Option<u32> {
    None
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
