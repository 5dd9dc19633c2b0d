//! Keeps the contexts of two stores in step: the user's own (host), and the one that containers mount.
//!
//! A pass looks at both until they rest, decides (`plan`, pure), carries out one context after the other, and notes after
//! each what both sides hold. It can be ended anywhere: the next one finds two sides and what they had agreed on.

mod archive;
mod asked;
mod carry;
mod config;
mod history;
mod plan;
mod publish;
mod settle;
mod setup;
mod status;
mod trash;
mod words;
mod world;

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mizzen_fsx::{At as _, PathError};
use serde::{Deserialize, Serialize};

use crate::inventory::{Health, Inventory, Memory, Remembered, Root};
use archive::Archive;
use config::Config;
use history::History;
use plan::{Held, Known, Look, Plan, Policy};
use publish::{PublishError, Publisher};
use settle::Shrunk;
use trash::{Trash, Trashed};

pub use history::{Action, Change};
pub use settle::Burst;
pub use setup::SetUp;
pub use status::{
    ContextStanding, ContextStatus, EndStatus, Hold, SideStatus, Standing, Status, TrashEntry,
};
pub use world::{Machine, World};

/// Between two looks that have to be the same.
const SECOND_LOOK: Duration = Duration::from_millis(50);
/// A store that changes between all of so many looks is looked at again later.
const LOOKS: u32 = 4;
/// When to come back to one that does not rest.
const RESTLESS: Duration = Duration::from_millis(500);
/// Plans that were overtaken in one pass, before the rest waits for the next.
const ROUNDS: u32 = 3;

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

/// What a pass did.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// What was carried over, in order.
    pub changes: Vec<Change>,
    /// When to come back, if something waits.
    pub again_in: Option<Duration>,
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
    /// How often a pass, or a person, came by something that may show.
    revision: u64,
    /// What a person has not been told of yet.
    fresh: Vec<Change>,
    /// Another process may have been killed in a pass.
    is_first: bool,
    _lock: File,
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

    /// Looks at both sides and carries over what is to be carried over.
    ///
    /// # Errors
    /// What the mirror remembers cannot be written. What goes wrong with one context is in the status.
    pub fn pass(&mut self) -> Result<Pass, MirrorError> {
        self.pass_with(&Policy::default())
    }

    fn pass_with(&mut self, decided: &Policy) -> Result<Pass, MirrorError> {
        let mut pass = Pass::default();
        self.seen.no_container = !self.is_set_up();
        if self.seen.no_container {
            self.seen = Seen {
                no_container: true,
                ..Seen::default()
            };
            self.unsettle();
            return Ok(pass);
        }
        if std::mem::take(&mut self.is_first) {
            self.keep_leftovers()?;
        }
        for _ in 0..ROUNDS {
            let rested = self.look();
            if rested && self.is_at_rest && !decided.decides() {
                return Ok(pass);
            }
            self.unsettle();
            if !rested {
                pass.again_in = Some(RESTLESS);
                return Ok(pass);
            }
            let (plan, again_in) = self.plan(decided);
            pass.again_in = again_in;
            let overtaken = self.carry_out(&plan, &mut pass.changes);
            let is_noted = self.history.catch_up();
            self.is_at_rest =
                plan.steps.is_empty() && again_in.is_none() && !decided.decides() && is_noted;
            self.seen.held = plan.held;
            if !overtaken {
                break;
            }
            pass.again_in = Some(RESTLESS);
        }
        if !pass.changes.is_empty() {
            self.see();
        }
        // What a person consented to is no news.
        if decided.approved.is_empty() {
            self.fresh.extend(pass.changes.iter().cloned());
        }
        Ok(pass)
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

    /// Two looks that see the same, or none of so many. What rested before counts as one of them.
    fn look(&mut self) -> bool {
        let rested = self.seen.rested;
        self.seen.rested = self.see() && rested;
        for _ in 0..LOOKS {
            if self.seen.rested {
                return true;
            }
            self.world.pause(SECOND_LOOK);
            self.seen.rested = self.see();
        }
        self.seen.rested
    }

    /// Looks at both sides; whether their contexts are as the look before saw them.
    fn see(&mut self) -> bool {
        let world = self.world.clone();
        let now = || world.elapsed();
        let roots = &self.roots;
        let [host, container] = &mut self.memory;
        let mut remembered = [(&roots[0], host), (&roots[1], container)];
        let sides = remembered
            .each_mut()
            .map(|(root, memory)| root.look(&mut memory.store, &now));
        let configs =
            remembered.map(|(root, memory)| Some(Config::look(root, &mut memory.config, &now)));
        let is_same = sides == self.seen.sides;
        self.is_at_rest &= is_same && configs == self.seen.configs;
        self.seen.sides = sides;
        self.seen.configs = configs;
        self.seen.rested = false;
        is_same
    }

    /// What to do by what was seen, and when to come back for what waits.
    fn plan(&mut self, decided: &Policy) -> (Plan, Option<Duration>) {
        let now = self.world.elapsed();
        let archive = &self.archive;
        let mut due: Option<Duration> = None;
        self.seen.waiting.clear();
        for side in Side::BOTH {
            let inventory = &self.seen.sides[side as usize];
            let agreed = |name: &str| archive.payload(name);
            for (name, until) in self.shrunk.look(side, inventory, agreed, now) {
                due = Some(due.map_or(until, |due| due.min(until)));
                self.seen.waiting.insert(name);
            }
        }
        let again_in = due.map(|due| due.saturating_sub(now));
        if Side::BOTH.iter().any(|side| self.is_unusable(*side)) {
            return (Plan::default(), again_in);
        }
        let [host, container] = Side::BOTH.map(|side| self.look_of(side));
        let known = Known {
            agreed: &self.archive.agreed(),
            host: &host,
            container: &container,
        };
        let policy = Policy {
            strict: self.wishes.strict,
            no_sync: self.wishes.no_sync.clone(),
            ..decided.clone()
        };
        (plan::plan(&known, &policy), again_in)
    }

    fn is_unusable(&self, side: Side) -> bool {
        matches!(self.seen.sides[side as usize].health, Health::Unusable(_))
    }

    fn look_of(&self, side: Side) -> Look {
        let inventory = &self.seen.sides[side as usize];
        let contexts = inventory.contexts.iter();
        let odd_names = self.names_of_odd(inventory);
        Look {
            contexts: contexts
                .map(|(name, found)| (name.clone(), found.version()))
                .collect(),
            blocked: odd_names.chain(self.seen.waiting.iter().cloned()).collect(),
            is_missing: matches!(inventory.health, Health::Missing(_)),
            no_deletions: matches!(self.seen.configs[side as usize], Some(Config::Unusable(_))),
            is_read_only: inventory.is_elsewhere,
        }
    }

    /// Names of the contexts in whose folders something lies that cannot be judged.
    fn names_of_odd<'a>(&'a self, inventory: &'a Inventory) -> impl Iterator<Item = String> + 'a {
        let known = self.archive.agreed().into_keys();
        let sides = self
            .seen
            .sides
            .iter()
            .flat_map(|side| side.contexts.keys().cloned());
        let all: BTreeSet<String> = known.chain(sides).collect();
        all.into_iter()
            .filter(|name| inventory.odd.contains_key(&crate::store::context_id(name)))
    }

    /// What a pass that was killed had taken out of a store, and maybe never looked at.
    fn keep_leftovers(&mut self) -> Result<(), MirrorError> {
        let world = self.world.clone();
        for side in Side::BOTH {
            let Some(publisher) = Publisher::reopen(self.root(side), &*world) else {
                continue;
            };
            if let Some(payload) = publisher.leftover() {
                self.throw_away(side, "a pass was ended while it was replaced", &payload)?;
            }
            publisher.clear()?;
        }
        Ok(())
    }

    fn throw_away(
        &self,
        side: Side,
        reason: &str,
        payload: &crate::payload::Payload,
    ) -> Result<String, PathError> {
        self.trash.keep(&Trashed {
            at: self.world.now(),
            side,
            reason: reason.to_owned(),
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

fn lock(path: &Path) -> Result<File, MirrorError> {
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path);
    let file = file.at(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(MirrorError::Held(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(PathError {
            path: path.to_owned(),
            source,
        }
        .into()),
    }
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
