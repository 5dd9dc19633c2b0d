//! Everything that one side's store holds, each entry judged by itself.

mod folder;
mod memory;
mod name;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_fsx::{Listed, SafeDir, UnsafeFile, UnsafeReason, disk_without_events};

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
#[derive(Clone, PartialEq)]
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
        self.look(&mut Memory::default(), &now)
    }

    /// Whether it is as the last look saw it, as far as this share of its contexts tells, and those that changed last.
    pub(crate) fn is_as(&self, memory: &mut Memory, share: Share, now: Clock<'_>) -> bool {
        let store = self.open();
        store.is_ok_and(|store| store.is_as(memory, share, now))
    }

    /// Looks at all of it, and reads what is not as it is remembered.
    pub(crate) fn look(&self, memory: &mut Memory, now: Clock<'_>) -> Inventory {
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
        // Who asks such a disk for a stamp may be told an old one.
        let mut parts = store.parts();
        if parts.any(|part| disk_without_events(part.path()).is_some()) {
            memory.folders.clear();
            memory.listed = None;
        }
        let list = || list(meta);
        let listed = Remembered::look(&mut memory.listed, &store.trunk(), now, list, Result::is_ok);
        let listed = match listed.0 {
            Ok(listed) => listed,
            Err(why) => return of(Health::Unusable(why)),
        };
        let mut before = std::mem::take(&mut memory.folders);
        let mut inventory = of(Health::Whole);
        inventory.is_elsewhere = self.is_elsewhere(&store);
        for entry in listed {
            // Plain files beside the folders are nothing to the CLI.
            if entry.kind.is_some() && !entry.name.starts_with(".tmp-") {
                let mut known = before.remove(&entry.name);
                let (found, moved) = store.look(&entry.name, &mut known, now);
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

    /// What tells this store from another, and of what comes or goes in it.
    fn trunk(&self) -> [Place<'_>; 2] {
        ["meta", "tls"].map(|name| Place {
            dir: &self.contexts,
            name,
            depth: 0,
        })
    }

    /// What belongs to one folder of `meta/`.
    fn places<'a>(&'a self, folder: &'a str) -> Vec<Place<'a>> {
        let parts = [(self.meta.as_ref(), 1), (self.tls.as_ref(), 2)];
        let places = parts.into_iter().filter_map(|(dir, depth)| {
            Some(Place {
                dir: dir?,
                name: folder,
                depth,
            })
        });
        places.collect()
    }

    fn is_as(&self, memory: &mut Memory, share: Share, now: Clock<'_>) -> bool {
        let (Some(meta), Some(listed)) = (&self.meta, &mut memory.listed) else {
            return false;
        };
        let list = || list(meta);
        let (is_same, has_moved) = listed.look_again(&self.trunk(), now, list, Result::is_ok);
        // Another store may hold others under the same names.
        if !is_same || has_moved {
            return false;
        }
        let folders = memory.folders.iter_mut();
        let mut looked_at =
            folders.filter(|(folder, known)| share.takes_in(folder) || !known.is_settled());
        looked_at.all(|(folder, known)| {
            let read = || self.read(folder);
            let (is_same, has_moved) = known.look_again(&self.places(folder), now, read, lasts);
            memory.moves += u64::from(has_moved);
            is_same
        })
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
        let places = self.places(folder);
        Remembered::look(memory, &places, now, || self.read(folder), lasts)
    }
}

fn list(meta: &SafeDir) -> Result<Vec<Listed>, String> {
    meta.list(FOLDERS_MAX).map_err(|error| error.to_string())
}

/// What could not be read may be the next time, and no stamp would tell.
fn lasts(entry: &Entry) -> bool {
    !matches!(entry, Entry::Odd(_))
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
