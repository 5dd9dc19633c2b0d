//! What cycles left lying about that were killed.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use mizzen_sync_core::{Change, Node, RelPath};

use super::cycle::slot_name;
use super::manifest::Manifest;
use super::shelf::Shelf;
use super::{OPEN, Slot, Trash, TrashError, manifest};
use crate::apply::discard;
use crate::digest::{Hashed, Hasher};
use crate::entry::{Kind, Listed};
use crate::root::{DirHandle, Directory, Root, is_shortage};
use crate::scan::DEPTH_MAX;
use crate::temp::{self, Part, Temp};

/// What was done with what was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Cycles that had been killed.
    pub cycles: u64,
    /// New entries that had not come to their places, and are removed.
    pub removed: u64,
    /// Entries that had been moved aside, and are back in their places.
    pub put_back: Vec<RelPath>,
    /// Places whose old entry is in the trash now, and had not got there.
    pub stowed: Vec<RelPath>,
}

/// A cycle that was killed.
struct Killed {
    handle: Arc<DirHandle>,
    manifest: Option<Manifest>,
    is_tidy: bool,
}

struct Sweep {
    /// Where the trash is, for people.
    trash: Arc<Path>,
    shelf: Shelf,
    file_system: u64,
    killed: HashMap<u64, Killed>,
    leftovers: Leftovers,
}

impl Trash {
    /// Looks for what cycles left in a root that were killed, before a new one begins. Where there was none, nothing is
    /// looked at. What is not known to be a mere copy is put back, or goes to the trash.
    ///
    /// # Errors
    /// The trash or the root cannot be read.
    pub fn remove_leftovers(&self, root: &Root) -> Result<Leftovers, TrashError> {
        let mut killed = HashMap::new();
        let (_, open) = self.cycles().map_err(self.error(""))?;
        for name in &open {
            let token = name
                .split_once(OPEN)
                .map(|(_, token)| u64::from_str_radix(token, 16));
            let Some(Ok(token)) = token else { continue };
            let handle = self
                .handle
                .open_dir(name.as_bytes())
                .map_err(self.error(name))?;
            let cycle = Killed {
                manifest: manifest(&handle),
                handle: Arc::new(handle),
                is_tidy: true,
            };
            killed.insert(token, cycle);
        }
        if killed.is_empty() {
            return Ok(Leftovers::default());
        }
        let in_root = |source| TrashError {
            path: root.path().to_owned(),
            source,
        };
        let mut sweep = Sweep {
            trash: self.path.as_path().into(),
            shelf: self.shelf(root),
            file_system: root.handle().file_system().map_err(in_root)?,
            leftovers: Leftovers {
                cycles: killed.len() as u64,
                ..Leftovers::default()
            },
            killed,
        };
        sweep
            .directory(root.handle(), &RelPath::root(), 0)
            .map_err(in_root)?;
        for name in &open {
            let Some((id, token)) = name.split_once(OPEN) else {
                continue;
            };
            let token = u64::from_str_radix(token, 16).unwrap_or_default();
            if sweep.killed.get(&token).is_some_and(|cycle| cycle.is_tidy) {
                let over = self
                    .handle
                    .rename(name.as_bytes(), &self.handle, id.as_bytes());
                over.map_err(self.error(name))?;
            }
        }
        Ok(sweep.leftovers)
    }
}

impl Sweep {
    fn directory(&mut self, dir: &DirHandle, path: &RelPath, depth: usize) -> io::Result<()> {
        let listed = match dir.list() {
            Err(error) if path.is_root() => return Err(error),
            listed => listed,
        };
        let Some(listed) = self.seen(listed)? else {
            return Ok(());
        };
        for Listed { name, kind } in listed {
            if temp::is_one(&name) {
                if let Some(temp) = Temp::parse(&name) {
                    self.temp(dir, path, name.as_bytes(), temp);
                }
            } else if kind == Kind::Dir && depth < DEPTH_MAX {
                let Some(inner) = self.seen(dir.open_dir(name.as_bytes()))? else {
                    continue;
                };
                if inner.file_system()? == self.file_system {
                    self.directory(&inner, &path.join(&name), depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// What a look at a directory gave, if it gave something.
    fn seen<T>(&mut self, looked: io::Result<T>) -> io::Result<Option<T>> {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
        match looked {
            Ok(seen) => return Ok(Some(seen)),
            Err(error) if is_shortage(&error) => return Err(error),
            Err(error) => match error.kind() {
                // Where nobody may look, nothing was left; and what has gone since is looked at no more.
                PermissionDenied | NotFound | NotADirectory => {}
                // What was left there is found when the disk gives it back again.
                _ => self.killed.values_mut().for_each(|it| it.is_tidy = false),
            },
        }
        Ok(None)
    }

    fn temp(&mut self, dir: &DirHandle, path: &RelPath, name: &[u8], temp: Temp) {
        let Some(cycle) = self.killed.get_mut(&temp.token) else {
            return;
        };
        let changes = cycle.manifest.as_ref().map(|manifest| &manifest.changes);
        let change = changes.and_then(|changes| changes.get(temp.change));
        let slot = Slot {
            trash: self.trash.clone(),
            dir: cycle.handle.clone(),
            name: slot_name(temp.change),
            durable: true,
        };
        let dealt_with = match (temp.part, change) {
            (Part::New, Some(change)) => remove_new(dir, name, change, &self.shelf)
                .inspect(|removed| self.leftovers.removed += u64::from(*removed)),
            (Part::Old | Part::OldChild(_), Some(change)) => {
                put_back(dir, path, name, temp.part, change).map(|put_back| {
                    let is_back = put_back.is_some();
                    self.leftovers.put_back.extend(put_back);
                    is_back
                })
            }
            (_, None) => Ok(false),
        };
        let tidy = match dealt_with {
            Ok(true) => Ok(true),
            Ok(false) => {
                let place = change.map_or_else(|| path.clone(), |change| change.path.clone());
                self.leftovers.stowed.push(place);
                slot.stow_also(dir, name)
            }
            Err(error) => Err(error),
        };
        cycle.is_tidy &= matches!(tidy, Ok(true));
    }
}

/// Removes what was made ready, if it is that: after an exchange it is what stood in the place.
fn remove_new(dir: &DirHandle, name: &[u8], change: &Change, shelf: &Shelf) -> io::Result<bool> {
    let Some(new) = &change.new else {
        return Ok(false);
    };
    let is_new = match (new, &change.old, dir.look(name)?) {
        (_, _, None) => return Ok(true),
        (_, None, Some(_))
        | (Node::Dir(_), Some(Node::File(_) | Node::Link(_)), Some(Kind::Dir)) => true,
        (Node::File(file), Some(_), Some(Kind::File { .. })) => {
            let hashed = Hasher::new(false).hash(dir, name)?;
            matches!(hashed, Hashed::File { digest, .. } if digest == file.digest)
        }
        (Node::Link(target), Some(_), Some(Kind::Link)) => *dir.read_link(name)? == **target,
        _ => false,
    };
    if !is_new {
        return Ok(false);
    }
    match discard(dir, name, new, Some(shelf)) {
        Ok(()) => Ok(true),
        // Somebody has put something in it.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts an entry back that was moved aside, if its place is free.
fn put_back(
    dir: &DirHandle,
    path: &RelPath,
    name: &[u8],
    part: Part,
    change: &Change,
) -> io::Result<Option<RelPath>> {
    let place = match part {
        Part::New | Part::Old => Some(change.path.clone()),
        Part::OldChild(position) => child(path, position, change),
    };
    let Some(place) = place else { return Ok(None) };
    let old_name = place.components().last().unwrap_or_default();
    match dir.rename(name, dir, old_name) {
        Ok(()) => Ok(Some(place)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

/// The entry at a position in a directory that went bit by bit.
fn child(dir: &RelPath, position: usize, change: &Change) -> Option<RelPath> {
    let old = change
        .old
        .as_ref()?
        .get(&dir.below(&change.path)?)?
        .as_dir()?;
    let (name, _) = old.iter().nth(position)?;
    Some(dir.join(name))
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::{Resource, Rlimit, Uid, geteuid, getrlimit, setrlimit};
    use rustix::thread::set_thread_res_uid;

    use super::*;
    use crate::trash::CycleId;

    /// Root is refused nothing, so another one looks.
    #[test]
    fn a_directory_that_tells_names_only_does_not_hold_up_what_was_left() {
        let swept = std::thread::spawn(|| {
            if geteuid().is_root() {
                let nobody = Uid::from_raw(65534);
                set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir_all(at("root/names only")).unwrap();
            mizzen_fsx::write_atomic(at("root/names only/file"), b"1").unwrap();
            fs::set_permissions(at("root/names only"), Permissions::from_mode(0o644)).unwrap();
            let root = Root::open(at("root")).unwrap();
            let trash = Trash::open(at("trash")).unwrap();
            drop(trash.begin(CycleId(1), &[], false).unwrap());
            let swept = [(); 2].map(|()| trash.remove_leftovers(&root).map(|it| it.cycles));
            fs::set_permissions(at("root/names only"), Permissions::from_mode(0o755)).unwrap();
            swept.map(|swept| swept.map_err(|error| error.to_string()))
        });
        assert_eq!(swept.join().unwrap(), [Ok(1), Ok(0)]);
    }

    /// In a process of its own: the handles that it takes would be missed by other tests.
    #[test]
    fn what_was_left_deeper_than_handles_reach_is_not_given_up() {
        const ALONE: &str = "MIZZEN_TEST_ALONE";
        if std::env::var_os(ALONE).is_none() {
            let name = "what_was_left_deeper_than_handles_reach_is_not_given_up";
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let alone = alone.arg(name).env(ALONE, "").output().unwrap();
            let said = String::from_utf8_lossy(&alone.stdout);
            assert!(said.contains("1 passed"), "{said}");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let deep = root.join(["d"; 60].join("/"));
        fs::create_dir_all(&deep).unwrap();
        let root = Root::open(root).unwrap();
        let trash = Trash::open(folder.path().join("trash")).unwrap();
        let cycle = trash.begin(CycleId(1), &[], false).unwrap();
        let left = cycle.temp(0, Part::Old);
        drop(cycle);
        let left = deep.join(String::from_utf8(left).unwrap());
        mizzen_fsx::write_atomic(&left, b"1").unwrap();
        let before = getrlimit(Resource::Nofile);
        let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        let few = Rlimit {
            current: Some(open + 30),
            maximum: before.maximum,
        };
        setrlimit(Resource::Nofile, few).unwrap();
        let short = trash.remove_leftovers(&root);
        setrlimit(Resource::Nofile, before).unwrap();
        assert!(is_shortage(&short.unwrap_err().source));
        let swept = trash.remove_leftovers(&root).unwrap();
        assert_eq!((swept.cycles, swept.stowed.len()), (1, 1));
        assert!(!left.exists());
    }
}
