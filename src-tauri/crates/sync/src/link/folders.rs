//! A link of two folders, wherever they are, with all that it remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mizzen_fsx::{At, PathError, remove_leftovers};

use super::{Both, CycleError, Journal, Link, LinkOptions, Ruler};
use crate::base::{BaseStore, LinkId, SetAside, TextStore};
use crate::endpoint::{Endpoint, EndpointError, LocalEndpoint, LocalOptions};
use crate::links;
use crate::lock::{LockError, PairLock};
use crate::root::{Root, RootError};
use crate::scan::Links;
use crate::trash::{Retention, Trash, TrashError};

/// All texts that are kept for merges take no more.
const TEXTS_MAX: u64 = 256 * 1024 * 1024;

/// How long what was overwritten or deleted is kept.
pub(crate) const RETENTION: Retention = Retention {
    age: Duration::from_secs(30 * 24 * 60 * 60),
    bytes: 10 * 1024 * 1024 * 1024,
};

/// A link of two folders. Nobody else keeps them in step while this is held.
pub struct Folders {
    /// The link.
    pub link: Link,
    /// Bases that could not be used, as far as there were any: nothing is deleted in the first cycle then.
    pub set_aside: Vec<SetAside>,
    _locks: Vec<PairLock>,
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
    /// Links of a container would lead anywhere on this machine.
    #[error(
        "`symlinks = \"posix\"` carries links that lead anywhere, and one of the two lies in a container"
    )]
    Links,
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

/// One of two folders that are joined.
pub enum End<'a> {
    /// A folder of this machine.
    Here(PathBuf),
    /// One that is anywhere, and how it is opened.
    There(Box<dyn FnOnce() -> Result<Box<dyn Endpoint>, EndpointError> + 'a>),
}

/// What it takes to join two folders.
pub struct Joining<'a> {
    /// Where they are.
    pub ends: Both<End<'a>>,
    /// What people call them.
    pub names: Both<String>,
    /// Another one whenever either of the two is another folder.
    pub id: LinkId,
    /// What they are called when they are named the other way round, where that can be: only one of the two links is kept
    /// at a time.
    pub reversed: Option<LinkId>,
    /// What is remembered of them lies in a folder of its own below this one.
    pub state: &'a Path,
    /// What is decided by.
    pub options: LinkOptions,
    /// How folders of this machine are looked at and written to.
    pub local: &'a LocalOptions,
    /// Who says what is carried.
    pub ruler: Ruler,
}

impl Folders {
    /// Joins two folders.
    ///
    /// # Errors
    /// One of them cannot be used, they lie in each other, or another process has joined them.
    pub fn join(joining: Joining<'_>) -> Result<Self, FoldersError> {
        let Both { host, container } = joining.ends;
        let is_trusted = matches!(
            (&host, &container),
            (End::Here(_), End::Here(_)) | (End::There(_), End::There(_))
        );
        if joining.local.links == Links::Posix && !is_trusted {
            return Err(FoldersError::Links);
        }
        let [host, container] = [host.whole()?, container.whole()?];
        if let (End::Here(host), End::Here(container)) = (&host, &container)
            && (host.starts_with(container) || container.starts_with(host))
        {
            return Err(FoldersError::Nested(host.clone(), container.clone()));
        }
        let place = Place::open(joining.state, joining.id, joining.reversed)?;
        links::tidy(joining.state);
        links::note(&place.dir, &joining.names)?;
        let local = joining.local;
        // Who answers late keeps nothing of this machine open meanwhile.
        let container = place.end(container, "container", local)?;
        let host = place.end(host, "host", local)?;
        place.join(Both { host, container }, joining.options, joining.ruler)
    }
}

impl End<'_> {
    /// The same, without links in the path.
    fn whole(self) -> Result<Self, RootError> {
        match self {
            Self::Here(path) => fs::canonicalize(&path)
                .map(Self::Here)
                .map_err(|source| RootError { path, source }),
            there @ Self::There(_) => Ok(there),
        }
    }
}

/// Where a link keeps what it remembers.
struct Place {
    dir: PathBuf,
    id: LinkId,
    locks: Vec<PairLock>,
}

impl Place {
    fn open(state: &Path, id: LinkId, reversed: Option<LinkId>) -> Result<Self, FoldersError> {
        let dir = state.join(id.to_string());
        fs::create_dir_all(&dir).at(&dir)?;
        let mut locks = vec![PairLock::take(&dir)?];
        let reversed = reversed.map(|id| state.join(id.to_string()));
        if let Some(reversed) = reversed.filter(|reversed| reversed.exists()) {
            locks.push(PairLock::take(&reversed)?);
        }
        Ok(Self { dir, id, locks })
    }

    fn end(
        &self,
        end: End<'_>,
        name: &str,
        local: &LocalOptions,
    ) -> Result<Box<dyn Endpoint>, FoldersError> {
        match end {
            End::Here(path) => self.side(path, name, local),
            End::There(open) => Ok(open()?),
        }
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
        remove_leftovers(&memory)?;
        let local = LocalOptions {
            memory,
            ..local.clone()
        };
        let mut side = LocalEndpoint::new(root, trash, local);
        // What cannot be removed now may be later: what is to be carried does not wait for it.
        let _ = side.prune(&RETENTION);
        Ok(Box::new(side))
    }

    fn join(
        self,
        sides: Both<Box<dyn Endpoint>>,
        options: LinkOptions,
        ruler: Ruler,
    ) -> Result<Folders, FoldersError> {
        let opened = BaseStore::open(&self.dir, self.id)?;
        let texts = TextStore::new(self.dir.join("texts"), TEXTS_MAX);
        let mut link = Link::new(sides, options, opened.store, texts, opened.base);
        link.write_down(Journal::new(&self.dir));
        let rules = self.dir.join("rules");
        remove_leftovers(&rules)?;
        link.ruled_by(ruler.remembered_in(rules))?;
        Ok(Folders {
            link,
            set_aside: opened.set_aside,
            _locks: self.locks,
        })
    }
}
