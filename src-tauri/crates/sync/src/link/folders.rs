//! A link of a folder of this machine and another side, with all that it remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mizzen_fsx::{At, PathError};

use super::{Both, CycleError, Journal, Link, LinkOptions, RuleSource};
use crate::base::{BaseStore, LinkId, SetAside, TextStore};
use crate::endpoint::{Endpoint, EndpointError, LocalEndpoint, LocalOptions};
use crate::lock::{LockError, PairLock};
use crate::root::{Root, RootError};
use crate::trash::{Retention, Trash, TrashError};

/// All texts that are kept for merges take no more.
const TEXTS_MAX: u64 = 256 * 1024 * 1024;

/// How long what was overwritten or deleted is kept.
const RETENTION: Retention = Retention {
    age: Duration::from_secs(30 * 24 * 60 * 60),
    bytes: 10 * 1024 * 1024 * 1024,
};

/// A link of two folders, of which one at least is on this machine. Nobody else keeps them in step while this is held.
pub struct Folders {
    /// The link.
    pub link: Link,
    /// Bases that could not be used, as far as there were any: nothing is deleted in the first cycle then.
    pub set_aside: Vec<SetAside>,
    _lock: PairLock,
}

/// Two folders cannot be kept in step.
#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    /// One of them cannot be used.
    #[error(transparent)]
    Root(#[from] RootError),
    /// One lies in the other, or they are one.
    #[error("{} and {} are not two folders apart", .0.display(), .1.display())]
    Nested(PathBuf, PathBuf),
    /// Somebody else is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What is remembered of them cannot be used.
    #[error(transparent)]
    State(#[from] PathError),
    /// What is carried cannot be told.
    #[error(transparent)]
    Rules(#[from] CycleError),
    /// What they deleted has no place.
    #[error(transparent)]
    Trash(#[from] TrashError),
    /// The side that is elsewhere cannot be reached.
    #[error(transparent)]
    Elsewhere(#[from] EndpointError),
}

impl Folders {
    /// Joins two folders of this machine, of which the first says what is carried. What is remembered of them lies in a
    /// folder of its own below `state`.
    ///
    /// # Errors
    /// One of them cannot be used, they lie in each other, or another process has joined them.
    pub fn open(
        [host, container]: [&Path; 2],
        state: &Path,
        options: LinkOptions,
        local: &LocalOptions,
        rules: RuleSource,
    ) -> Result<Self, FoldersError> {
        let [host, container] = [whole(host)?, whole(container)?];
        let id = LinkId::new([&host, &container].map(|path| path.as_os_str().as_encoded_bytes()));
        Self::identified([&host, &container], id, state, options, local, rules)
    }

    /// The same, where their paths do not tell them from all others: `id` must be another one whenever either of the two is
    /// another folder.
    ///
    /// # Errors
    /// One of them cannot be used, they lie in each other, or another process has joined them.
    pub fn identified(
        [host, container]: [&Path; 2],
        id: LinkId,
        state: &Path,
        options: LinkOptions,
        local: &LocalOptions,
        rules: RuleSource,
    ) -> Result<Self, FoldersError> {
        let [host, container] = [whole(host)?, whole(container)?];
        if host.starts_with(&container) || container.starts_with(&host) {
            return Err(FoldersError::Nested(host, container));
        }
        let place = Place::open(state, id)?;
        let container = place.side(container, "container", local)?;
        place.join(&host, container, options, local, rules)
    }

    /// Joins a folder of this machine, which says what is carried, and a side that is anywhere. What is remembered of them
    /// lies in a folder of its own below `state`; `id` must be another one whenever either side is another one.
    ///
    /// # Errors
    /// One of them cannot be used, or another process has joined them.
    pub fn join(
        host: &Path,
        container: impl FnOnce() -> Result<Box<dyn Endpoint>, EndpointError>,
        id: LinkId,
        state: &Path,
        options: LinkOptions,
        local: &LocalOptions,
        rules: RuleSource,
    ) -> Result<Self, FoldersError> {
        let host = whole(host)?;
        let place = Place::open(state, id)?;
        place.join(&host, container()?, options, local, rules)
    }
}

/// Where a link keeps what it remembers.
struct Place {
    dir: PathBuf,
    id: LinkId,
    lock: PairLock,
}

impl Place {
    fn open(state: &Path, id: LinkId) -> Result<Self, FoldersError> {
        let dir = state.join(id.to_string());
        fs::create_dir_all(&dir).at(&dir)?;
        let lock = PairLock::take(&dir)?;
        Ok(Self { dir, id, lock })
    }

    /// A folder of this machine; its trash lies here.
    fn side(
        &self,
        path: PathBuf,
        name: &str,
        local: &LocalOptions,
    ) -> Result<Box<dyn Endpoint>, FoldersError> {
        let root = Root::open(path)?;
        let trash = Trash::open(self.dir.join("trash").join(name))?;
        trash.remove_leftovers(&root)?;
        let memory = self.dir.join(format!("seen.{name}"));
        let local = LocalOptions {
            memory,
            ..local.clone()
        };
        let mut side = LocalEndpoint::new(root, trash, local);
        side.prune(&RETENTION)?;
        Ok(Box::new(side))
    }

    fn join(
        self,
        host: &Path,
        container: Box<dyn Endpoint>,
        options: LinkOptions,
        local: &LocalOptions,
        rules: RuleSource,
    ) -> Result<Folders, FoldersError> {
        let opened = BaseStore::open(&self.dir, self.id)?;
        let sides = Both {
            host: self.side(host.to_owned(), "host", local)?,
            container,
        };
        let texts = TextStore::new(self.dir.join("texts"), TEXTS_MAX);
        let mut link = Link::new(sides, options, opened.store, texts, opened.base);
        link.write_down(Journal::new(&self.dir));
        link.ruled_by(rules.remembered_in(self.dir.join("rules")))?;
        Ok(Folders {
            link,
            set_aside: opened.set_aside,
            _lock: self.lock,
        })
    }
}

/// A folder's own path, without links in it.
fn whole(path: &Path) -> Result<PathBuf, RootError> {
    fs::canonicalize(path).map_err(|source| RootError {
        path: path.to_owned(),
        source,
    })
}
