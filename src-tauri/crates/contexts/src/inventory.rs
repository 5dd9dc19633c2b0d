//! Everything that one side's store holds, each entry judged by itself.

mod folder;
mod memory;
mod name;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_fsx::{Mark, SafeDir, UnsafeFile, UnsafeReason, disk_without_events};

use crate::payload::{Payload, Print, Terms};

pub(crate) use memory::{Clock, Memory, Place, Remembered, SHARES, Share};
pub(crate) use name::is_special_name;

/// More folders than anybody has contexts.
const FOLDERS_MAX: usize = 4096;

/// Where one side keeps its store.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// The folder of `config.json`.
    pub(crate) config: PathBuf,
    /// Whether links on the way to the store are the user's own.
    pub(crate) trusted: bool,
    /// Whose it should be, where there are such.
    pub(crate) uid: Option<u32>,
}

/// Handles into a store. What was opened stays what it is, whatever takes its name.
pub(crate) struct Store {
    pub(crate) contexts: SafeDir,
    pub(crate) meta: Option<SafeDir>,
    pub(crate) tls: Option<SafeDir>,
}

/// Whether a store can be believed about what it does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// It was listed.
    #[default]
    Whole,
    /// This folder is not there: not the CLI's doing once there were contexts.
    Missing(PathBuf),
    /// It cannot be used, in words.
    Unusable(String),
}

/// A context that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) payload: Payload,
    pub(crate) terms: Terms,
    pub(crate) print: Print,
    pub(crate) reach: Print,
    /// Whether other users of this machine can read its private key where it lies.
    pub(crate) has_open_key: bool,
}

/// An entry that is never carried over and never touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Odd {
    /// Name of its folder.
    pub(crate) folder: String,
    /// What it calls itself, where that can be read.
    pub(crate) name: Option<String>,
    /// Whether the CLI lists it under another name than its folder's.
    pub(crate) is_ghost: bool,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) health: Health,
    /// A part of it lies on another disk than the folder that the side is in, as where a virtual machine shows its host's:
    /// others may own it, so it is written with consent only.
    pub(crate) is_elsewhere: bool,
    /// By name.
    pub(crate) contexts: BTreeMap<String, Arc<Found>>,
    /// By folder.
    pub(crate) odd: BTreeMap<String, Odd>,
    /// Those that each side has for itself.
    pub(crate) special: Vec<Arc<Found>>,
}

/// What one folder of `meta/` turned out to be.
#[derive(Clone)]
pub(crate) enum Entry {
    Context(Arc<Found>),
    Special(Arc<Found>),
    Odd(Odd),
    /// Nothing that the CLI would list.
    Nothing,
}

impl Root {
    /// Opens the store; a part that is not there is told apart from one that cannot be used.
    pub(crate) fn open(&self) -> Result<Store, Health> {
        let config = self.folder(&self.config)?;
        self.check_owner(&config)?;
        let contexts = match self.trusted {
            true => self.folder(&self.config.join("contexts"))?,
            false => part(&config, "contexts")?,
        };
        let optional = |name| match part(&contexts, name) {
            Ok(dir) => Ok(Some(dir)),
            Err(Health::Missing(_)) => Ok(None),
            Err(health) => Err(health),
        };
        let (meta, tls) = (optional("meta")?, optional("tls")?);
        Ok(Store {
            contexts,
            meta,
            tls,
        })
    }

    /// Reads all of it, without a memory.
    #[cfg(unix)]
    #[cfg(test)]
    pub(crate) fn take_inventory(&self) -> Inventory {
        let now = || std::time::Duration::ZERO;
        self.look(&mut Memory::default(), Share::All, &now)
    }

    /// Looks at this share of it, and reads what is not as it is remembered; takes the rest for what it was.
    pub(crate) fn look(&self, memory: &mut Memory, share: Share, now: Clock<'_>) -> Inventory {
        let of = |health| Inventory {
            health,
            ..Inventory::default()
        };
        let store = match self.open() {
            Ok(store) => store,
            Err(health) => return of(health),
        };
        let Some(meta) = &store.meta else {
            return of(Health::Missing(store.contexts.path().join("meta")));
        };
        let listed = match meta.list(FOLDERS_MAX) {
            Ok(listed) => listed,
            Err(error) => return of(Health::Unusable(error.to_string())),
        };
        // Who asks such a disk for a stamp may be told an old one.
        let mut parts = store.parts();
        if parts.any(|part| disk_without_events(part.path()).is_some()) {
            memory.folders.clear();
        }
        let share = memory.share(&store, share);
        let mut before = std::mem::take(&mut memory.folders);
        let mut inventory = of(Health::Whole);
        inventory.is_elsewhere = self.is_elsewhere(&store);
        for entry in listed {
            // Plain files beside the folders are nothing to the CLI.
            if entry.kind.is_some() && !entry.name.starts_with(".tmp-") {
                let mut known = before.remove(&entry.name);
                let as_before = (known.as_ref())
                    .filter(|_| !share.takes_in(&entry.name))
                    .and_then(Remembered::settled);
                let (found, moved) = match as_before {
                    Some(found) => (found.clone(), false),
                    None => store.look(&entry.name, &mut known, now),
                };
                memory.moves += u64::from(moved);
                memory
                    .folders
                    .extend(known.map(|known| (entry.name.clone(), known)));
                inventory.add(&entry.name, found);
            }
        }
        memory.moves += before.len() as u64;
        inventory
    }

    fn folder(&self, path: &Path) -> Result<SafeDir, Health> {
        // The way to it is the user's own, links included.
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Health::Missing(path.to_owned()));
            }
            Err(error) => return Err(Health::Unusable(format!("{}: {error}", path.display()))),
        };
        SafeDir::open(&real).map_err(|error| Health::Unusable(error.to_string()))
    }

    fn is_elsewhere(&self, store: &Store) -> bool {
        let home = self.config.parent().and_then(|home| self.folder(home).ok());
        let disk = |dir: &SafeDir| dir.disk().ok().flatten();
        let home = home.as_ref().and_then(disk);
        home.is_some() && store.parts().any(|part| disk(part) != home)
    }

    fn check_owner(&self, config: &SafeDir) -> Result<(), Health> {
        let owner = config.owner();
        let owner = owner.map_err(|error| Health::Unusable(error.to_string()))?;
        match owner.zip(self.uid).filter(|(owner, us)| owner != us) {
            None => Ok(()),
            Some((owner, us)) => Err(Health::Unusable(format!(
                "{} belongs to user {owner}, not to {us}",
                self.config.display()
            ))),
        }
    }
}

impl Inventory {
    fn add(&mut self, folder: &str, entry: Entry) {
        match entry {
            Entry::Context(found) => {
                self.contexts.insert(found.terms.name.clone(), found);
            }
            Entry::Special(found) => self.special.push(found),
            Entry::Odd(odd) => {
                self.odd.insert(folder.to_owned(), odd);
            }
            Entry::Nothing => {}
        }
    }
}

impl Store {
    fn parts(&self) -> impl Iterator<Item = &SafeDir> {
        let all = [Some(&self.contexts), self.meta.as_ref(), self.tls.as_ref()];
        all.into_iter().flatten()
    }

    /// Tells this store from another, and of what comes or goes in it.
    fn trunk(&self) -> Option<[Mark; 2]> {
        let mark = |name| self.contexts.mark(name, 0, 0);
        Some([mark("meta")?, mark("tls")?])
    }

    /// Reads one folder of `meta/`, and what belongs to it.
    pub(crate) fn read(&self, folder: &str) -> Entry {
        folder::read(self, folder)
    }

    /// The same, but for what is as it is remembered; and whether other files or folders are there.
    fn look(
        &self,
        folder: &str,
        memory: &mut Option<Remembered<Entry>>,
        now: Clock<'_>,
    ) -> (Entry, bool) {
        let parts = [(self.meta.as_ref(), 1), (self.tls.as_ref(), 2)];
        let places = parts.into_iter().filter_map(|(dir, depth)| {
            Some(Place {
                dir: dir?,
                name: folder,
                depth,
            })
        });
        let places: Vec<Place<'_>> = places.collect();
        // What could not be read may be the next time, and no stamp would tell.
        let lasts = |entry: &Entry| !matches!(entry, Entry::Odd(_));
        Remembered::look(memory, &places, now, || self.read(folder), lasts)
    }
}

fn part(of: &SafeDir, name: &str) -> Result<SafeDir, Health> {
    of.open_dir(name)
        .map_err(|UnsafeFile { path, reason }| match reason {
            UnsafeReason::Missing => Health::Missing(path),
            reason => Health::Unusable(format!("{}: {}", path.display(), not_a_folder(&reason))),
        })
}

/// The reason, in words for a folder.
pub(crate) fn not_a_folder(reason: &UnsafeReason) -> String {
    match reason {
        UnsafeReason::Kind(kind) => format!("{kind}, not a folder"),
        other => other.to_string(),
    }
}
