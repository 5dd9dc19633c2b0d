//! The folders whose changes are hints.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use mizzen_fsx::{Watch, WatchError, disk_without_events};
use tokio::sync::Notify;

/// More folders than this are not watched one by one: a container must not use up the user's watches.
const FOLDERS_MAX: usize = 8192;

/// Docker makes one folder for a context's TLS files.
const ENDPOINTS_MAX: usize = 8;

/// Tells a folder from another that took its name; the number of a file is soon used again.
type Identity = Option<SystemTime>;

/// Watches both sides, their parents, and every context's own folders.
pub(super) struct Watched {
    roots: Vec<PathBuf>,
    hinted: Arc<Notify>,
    watch: Option<Watch>,
    /// The sides, their parents, and what every store has.
    trunk: BTreeMap<PathBuf, Identity>,
    folders: BTreeMap<PathBuf, Identity>,
    /// Why not every change is told.
    polling: Option<String>,
}

impl Watched {
    pub(super) fn new(roots: Vec<PathBuf>, hinted: Arc<Notify>) -> Self {
        Self {
            roots,
            hinted,
            watch: None,
            trunk: BTreeMap::new(),
            folders: BTreeMap::new(),
            polling: None,
        }
    }

    /// Why changes are looked for now and then, in words.
    pub(super) fn polling(&self) -> Option<&str> {
        self.polling.as_deref()
    }

    /// Watches what is there by now. What every store has is always looked for; each context's own folders only when one
    /// may have come or gone.
    pub(super) fn renew(&mut self, may_have_moved: bool) {
        let trunk = self.trunk_now();
        if !may_have_moved && self.watch.is_some() && trunk == self.trunk {
            return;
        }
        self.trunk = trunk;
        let silent = self.silent();
        let watched = self.watch_all();
        let many = (self.folders.len() > FOLDERS_MAX)
            .then(|| "there are more folders than are watched".to_owned());
        self.polling = match watched {
            Ok(()) => silent.or(many),
            Err(error) => {
                self.watch = None;
                self.folders.clear();
                Some(format!("changes cannot be watched: {error}"))
            }
        };
    }

    /// What lies where others change it without a word: a side, or a part of one that is mounted or linked there, as the
    /// contexts of Windows are in a virtual machine's home.
    fn silent(&self) -> Option<String> {
        let parts = |root: &PathBuf| {
            let [contexts, meta, tls] = store_of(root);
            [root.clone(), contexts, meta, tls]
        };
        self.roots.iter().flat_map(parts).find_map(|part| {
            let kind = disk_without_events(&part)?;
            let part = part.display();
            Some(format!(
                "{part} is on a {kind} disk, where not every change is told"
            ))
        })
    }

    fn watch_all(&mut self) -> Result<(), WatchError> {
        let now = self.folders_now();
        let watch = match &mut self.watch {
            Some(watch) => watch,
            None => self.watch.insert(open(&self.roots, &self.hinted)?),
        };
        for (folder, identity) in &self.folders {
            if now.get(folder) != Some(identity) {
                watch.leave(folder);
            }
        }
        for (folder, identity) in &now {
            if self.folders.get(folder) != Some(identity) {
                // Gone in this moment: its parent tells of that.
                match watch.join(folder) {
                    Err(WatchError::Path(error))
                        if error.kind() == std::io::ErrorKind::NotFound => {}
                    joined => joined?,
                }
            }
        }
        self.folders = now;
        Ok(())
    }

    fn trunk_now(&self) -> BTreeMap<PathBuf, Identity> {
        let of = |root: &PathBuf| {
            let [contexts, meta, tls] = store_of(root);
            let parent = root.parent().unwrap_or(root).to_owned();
            [parent, root.clone(), contexts, meta, tls]
        };
        let all = self.roots.iter().flat_map(of);
        all.filter_map(|folder| identified(&folder)).collect()
    }

    fn folders_now(&self) -> BTreeMap<PathBuf, Identity> {
        let mut all = self.trunk.clone();
        for root in &self.roots {
            let [_, meta, tls] = store_of(root);
            for folder in below(&meta).into_iter().chain(below(&tls)) {
                if all.len() > FOLDERS_MAX {
                    break;
                }
                let endpoints = below(&folder).into_iter().take(ENDPOINTS_MAX);
                all.extend(endpoints.filter_map(|endpoint| identified(&endpoint)));
                all.extend(identified(&folder));
            }
        }
        all
    }
}

/// What every store has.
fn store_of(root: &Path) -> [PathBuf; 3] {
    let contexts = root.join("contexts");
    let (meta, tls) = (contexts.join("meta"), contexts.join("tls"));
    [contexts, meta, tls]
}

fn open(roots: &[PathBuf], hinted: &Arc<Notify>) -> Result<Watch, WatchError> {
    let roots = roots.to_vec();
    let parents: Vec<PathBuf> = roots
        .iter()
        .filter_map(|root| root.parent())
        .map(Path::to_owned)
        .collect();
    // Home directories are never at rest; all that matters of them is whether a side comes or goes.
    let matters = move |path: &Path| {
        let parent = path.parent();
        roots.iter().any(|root| root == path)
            || !parents.iter().any(|of| parent == Some(of) || path == of)
    };
    let hinted = hinted.clone();
    Watch::joining(matters, move || hinted.notify_one())
}

fn below(folder: &Path) -> Vec<PathBuf> {
    // A link is no folder here: what it leads to is not a context's.
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .take(FOLDERS_MAX)
        .filter(is_folder)
        .map(|entry| entry.path())
        .collect()
}

fn identified(folder: &Path) -> Option<(PathBuf, Identity)> {
    let found = fs::symlink_metadata(folder).ok()?;
    found
        .is_dir()
        .then(|| (folder.to_owned(), found.created().ok()))
}
