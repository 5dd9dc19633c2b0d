//! Writes one context into one store. What is new is made ready beside `meta/` and `tls/`, where nobody looks for
//! contexts; then it takes its place by renames, so that every reader sees one version or the other.

use mizzen_fsx::{PathError, SafeDir, UnsafeReason};

use super::World;
use crate::inventory::{Entry, Found, Health, Root, Store};
use crate::payload::{Bytes, Payload, Print, Terms, TlsFile};
use crate::store::context_id;

/// Beside `meta/` and `tls/`: the CLI lists what lies in those, half made or not.
const STAGE: &str = ".mizzen";
const NEW_META: &str = "new-meta";
const NEW_TLS: &str = "new-tls";
const OLD_META: &str = "old-meta";
const OLD_TLS: &str = "old-tls";
/// Longest file that is looked at once it came out of a store.
const CAP: u64 = 1 << 20;

/// Why a context was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// What stands there is not what the plan was made for: look again.
    #[error("it was changed in this moment")]
    Moved,
    /// The store cannot be used.
    #[error("{0}")]
    Store(String),
    #[error(transparent)]
    Io(#[from] PathError),
}

impl From<Health> for PublishError {
    fn from(health: Health) -> Self {
        Self::Store(match health {
            Health::Missing(path) => format!("{} is not there", path.display()),
            Health::Unusable(why) => why,
            Health::Whole => String::new(),
        })
    }
}

/// What came out of a store unexpectedly: it goes to the trash.
pub(crate) type Displaced = Option<Payload>;

/// One store, open for one change.
pub(crate) struct Publisher<'a> {
    store: Store,
    stage: SafeDir,
    world: &'a dyn World,
}

impl<'a> Publisher<'a> {
    /// Opens a store, and makes what it lacks; never the folder that it lies in, when that is not trusted.
    pub(crate) fn open(root: &Root, world: &'a dyn World) -> Result<Self, PublishError> {
        if root.trusted && !root.config.exists() {
            super::make_private(&root.config)?;
        }
        let store = match root.open() {
            Err(Health::Missing(path)) if path.ends_with("contexts") => {
                let config = SafeDir::open(root.config.canonicalize().unwrap_or_default())?;
                config.create_dir("contexts", 0o755)?;
                root.open()?
            }
            opened => opened?,
        };
        if store.meta.is_none() {
            store.contexts.create_dir("meta", 0o755)?;
        }
        let stage = match store.contexts.open_dir(STAGE) {
            Ok(stage) => stage,
            Err(_) => {
                // Whatever took the name is not ours, and nothing to Docker.
                store.contexts.remove_all(STAGE)?;
                store.contexts.create_dir(STAGE, 0o700)?
            }
        };
        let store = root.open()?;
        let publisher = Self {
            store,
            stage,
            world,
        };
        publisher.clear()?;
        Ok(publisher)
    }

    /// Puts a version in the place of another, or of none.
    pub(crate) fn put(
        &self,
        old: Option<&Found>,
        new: &Payload,
    ) -> Result<Displaced, PublishError> {
        let folder = context_id(&new.name);
        let other_meta = old.is_none_or(|old| old.payload.meta != new.meta);
        let other_tls = old.is_none_or(|old| old.payload.tls != new.tls);
        if other_meta {
            self.make_meta(&new.meta)?;
        }
        if other_tls && !new.tls.is_empty() {
            self.make_tls(&new.tls)?;
        }
        self.expect(&folder, old)?;
        match (old, other_meta, other_tls) {
            (Some(_), true, false) => self.swap_meta_file(&folder)?,
            (Some(_), false, _) => self.swap_tls(&folder, !new.tls.is_empty())?,
            (_, _, _) => {
                // Nobody may take the one half for a version: it is away while the other is exchanged.
                if old.is_some() {
                    self.take(self.meta()?, &folder, OLD_META)?;
                }
                self.swap_tls(&folder, !new.tls.is_empty())?;
                self.world.before("place meta");
                self.stage.move_new(NEW_META, self.meta()?, &folder)?;
            }
        }
        self.finish(old)
    }

    /// Takes a version away, `meta.json` first.
    pub(crate) fn remove(&self, old: &Found) -> Result<Displaced, PublishError> {
        let folder = context_id(&old.terms.name);
        self.expect(&folder, Some(old))?;
        self.take(self.meta()?, &folder, OLD_META)?;
        self.swap_tls(&folder, false)?;
        self.finish(Some(old))
    }

    /// Finishes a removal that was ended half way: the TLS files, when they are the ones that belonged to it.
    pub(crate) fn remove_rest(&self, payload: &Payload) -> Result<(), PublishError> {
        let folder = context_id(&payload.name);
        if !matches!(self.store.read(&folder), Entry::Nothing) {
            return Ok(());
        }
        self.swap_tls(&folder, false)?;
        let (_, tls) = self.displaced();
        if tls != payload.tls && !tls.is_empty() {
            self.stage.move_new(OLD_TLS, self.tls()?, &folder)?;
        }
        self.clear()?;
        Ok(())
    }

    fn meta(&self) -> Result<&SafeDir, PublishError> {
        let missing = || PublishError::Store("its folder meta is gone".to_owned());
        self.store.meta.as_ref().ok_or_else(missing)
    }

    fn tls(&self) -> Result<&SafeDir, PublishError> {
        let missing = || PublishError::Store("its folder tls is gone".to_owned());
        self.store.tls.as_ref().ok_or_else(missing)
    }

    fn make_meta(&self, meta: &Bytes) -> Result<(), PublishError> {
        self.world.before("make meta");
        let dir = self.stage.create_dir(NEW_META, 0o755)?;
        dir.create_file("meta.json", &meta.0, 0o644)?;
        dir.sync()?;
        Ok(())
    }

    fn make_tls(&self, files: &[TlsFile]) -> Result<(), PublishError> {
        self.world.before("make tls");
        let all = self.stage.create_dir(NEW_TLS, 0o700)?;
        for of_endpoint in files.chunk_by(|one, next| one.endpoint == next.endpoint) {
            let dir = all.create_dir(&of_endpoint[0].endpoint, 0o700)?;
            for file in of_endpoint {
                dir.create_file(&file.file, &file.bytes.0, 0o600)?;
            }
            dir.sync()?;
        }
        all.sync()?;
        Ok(())
    }

    /// The last look before anything changes.
    fn expect(&self, folder: &str, old: Option<&Found>) -> Result<(), PublishError> {
        self.world.before("expect");
        let print = |found: &Found| found.print;
        let expected: Option<Print> = old.map(print);
        let found = match self.store.read(folder) {
            Entry::Context(found) => Some(print(&found)),
            Entry::Nothing => None,
            Entry::Special(_) | Entry::Odd(_) => return Err(PublishError::Moved),
        };
        match found == expected {
            true => Ok(()),
            false => Err(PublishError::Moved),
        }
    }

    fn swap_meta_file(&self, folder: &str) -> Result<(), PublishError> {
        let new = self.stage.open_dir(NEW_META).map_err(unsafe_file)?;
        let place = self.meta()?.open_dir(folder).map_err(unsafe_file)?;
        self.world.before("replace meta");
        if !new.exchange("meta.json", &place, "meta.json")? {
            new.move_over("meta.json", &place, "meta.json")?;
        }
        place.sync()?;
        // What came out lies where the new one was made.
        self.stage.move_new(NEW_META, &self.stage, OLD_META)?;
        Ok(())
    }

    /// Puts the TLS files that were made ready into place, or none.
    fn swap_tls(&self, folder: &str, has_new: bool) -> Result<(), PublishError> {
        if !has_new {
            return match &self.store.tls {
                Some(tls) => self.take(tls, folder, OLD_TLS),
                None => Ok(()),
            };
        }
        let made;
        let tls = match &self.store.tls {
            Some(tls) => tls,
            None => {
                made = self.store.contexts.create_dir("tls", 0o700)?;
                &made
            }
        };
        self.world.before("place tls");
        match self.stage.exchange(NEW_TLS, tls, folder) {
            Ok(true) => {
                tls.sync()?;
                self.stage.move_new(NEW_TLS, &self.stage, OLD_TLS)?;
                return Ok(());
            }
            Ok(false) => self.take(tls, folder, OLD_TLS)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        self.stage.move_new(NEW_TLS, tls, folder)?;
        tls.sync()?;
        Ok(())
    }

    /// Moves an entry out of the store; it is no error when there is none.
    fn take(&self, from: &SafeDir, folder: &str, to: &str) -> Result<(), PublishError> {
        self.world.before("take");
        match from.move_new(folder, &self.stage, to) {
            Ok(()) => Ok(from.sync()?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at what came out, where nobody reaches it by name any more.
    fn finish(&self, old: Option<&Found>) -> Result<Displaced, PublishError> {
        self.meta()?.sync()?;
        self.world.before("finish");
        let (meta, tls) = self.displaced();
        let differs = |found: &Found| {
            meta.as_ref()
                .is_some_and(|meta| *meta != found.payload.meta)
                || (!tls.is_empty() && tls != found.payload.tls)
        };
        let unexpected = match old {
            Some(found) => differs(found),
            None => meta.is_some() || !tls.is_empty(),
        };
        let kept = unexpected.then(|| {
            let meta = meta.or_else(|| old.map(|found| found.payload.meta.clone()));
            let name = old.map(|found| found.terms.name.clone());
            meta.map(|meta| Payload {
                name: name.unwrap_or_else(|| name_of(&meta)),
                meta,
                tls,
            })
        });
        Ok(kept.flatten())
    }

    /// What lies in the stage and was in the store before.
    fn displaced(&self) -> (Option<Bytes>, Vec<TlsFile>) {
        let meta = self.staged(OLD_META);
        let mut files = Vec::new();
        if let Ok(all) = self.stage.open_dir(OLD_TLS) {
            for endpoint in all.list(64).unwrap_or_default() {
                let Ok(dir) = all.open_dir(&endpoint.name) else {
                    continue;
                };
                for file in dir.list(64).unwrap_or_default() {
                    if let Ok(bytes) = dir.read_regular(&file.name, CAP, None) {
                        files.push(TlsFile {
                            endpoint: endpoint.name.clone(),
                            file: file.name,
                            bytes: Bytes(bytes),
                        });
                    }
                }
            }
        }
        files.retain(|file| !file.file.starts_with(".tmp-"));
        files.sort();
        (meta, files)
    }

    fn staged(&self, folder: &str) -> Option<Bytes> {
        let dir = self.stage.open_dir(folder).ok()?;
        dir.read_regular("meta.json", CAP, None).ok().map(Bytes)
    }

    /// Empties the stage.
    pub(crate) fn clear(&self) -> Result<(), PathError> {
        [NEW_META, NEW_TLS, OLD_META, OLD_TLS]
            .iter()
            .try_for_each(|name| self.stage.remove_all(name))
    }

    /// Opens a store in which a pass may have been killed; none where none ever wrote.
    pub(crate) fn reopen(root: &Root, world: &'a dyn World) -> Option<Self> {
        let store = root.open().ok()?;
        let stage = store.contexts.open_dir(STAGE).ok()?;
        Some(Self {
            store,
            stage,
            world,
        })
    }

    /// What a pass that was killed had taken out of the store, if it has not been looked at.
    pub(crate) fn leftover(&self) -> Option<Payload> {
        let (meta, tls) = self.displaced();
        // Until it has its own name, what an exchange brought out lies where the new one was made.
        let meta = meta.or_else(|| self.staged(NEW_META))?;
        Some(Payload {
            name: name_of(&meta),
            meta,
            tls,
        })
    }
}

fn name_of(meta: &Bytes) -> String {
    Terms::read(&meta.0).map_or_else(|_| "unknown".to_owned(), |terms| terms.name)
}

fn unsafe_file(refused: mizzen_fsx::UnsafeFile) -> PublishError {
    match refused.reason {
        UnsafeReason::Missing => PublishError::Moved,
        _ => PublishError::Store(refused.to_string()),
    }
}
