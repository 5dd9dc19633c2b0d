//! A link of two folders of this machine, with all that it remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mizzen_fsx::{At, PathError};

use super::{Both, CycleError, Link, LinkOptions, RuleSource};
use crate::base::{BaseStore, LinkId, SetAside, TextStore};
use crate::endpoint::{Endpoint, LocalEndpoint, LocalOptions};
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

/// A link of two folders. Nobody else keeps them in step while this is held.
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
}

impl Folders {
    /// Joins two folders, of which the first says what is carried. What is remembered of them lies in a folder of its
    /// own below `state`.
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
        let (host, container) = (whole(host)?, whole(container)?);
        if host.starts_with(&container) || container.starts_with(&host) {
            return Err(FoldersError::Nested(host, container));
        }
        let id = LinkId::new([&host, &container].map(|path| path.as_os_str().as_encoded_bytes()));
        let state = state.join(id.to_string());
        fs::create_dir_all(&state).at(&state)?;
        let lock = PairLock::take(&state)?;
        let opened = BaseStore::open(&state, id)?;
        let side = |path: PathBuf, name: &str| -> Result<Box<dyn Endpoint>, FoldersError> {
            let root = Root::open(path)?;
            let trash = Trash::open(state.join("trash").join(name))?;
            trash.remove_leftovers(&root)?;
            trash.prune(&RETENTION, (local.now)())?;
            let memory = state.join(format!("seen.{name}"));
            let local = LocalOptions {
                memory,
                ..local.clone()
            };
            Ok(Box::new(LocalEndpoint::new(root, trash, local)))
        };
        let sides = Both {
            host: side(host, "host")?,
            container: side(container, "container")?,
        };
        let texts = TextStore::new(state.join("texts"), TEXTS_MAX);
        let mut link = Link::new(sides, options, opened.store, texts, opened.base);
        link.ruled_by(rules)?;
        Ok(Self {
            link,
            set_aside: opened.set_aside,
            _lock: lock,
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
