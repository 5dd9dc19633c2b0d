//! Goes through directories: all of them, or only where something is dirty.

use std::io;
use std::sync::Arc;
use std::thread;

use mizzen_sync_core::{Dir, GITIGNORE, Ignored, Name, Node, RelPath, Unsyncable};

use super::dirty::Dirty;
use super::helpers::{self, Helpers};
use super::looked::Looked;
use super::names::Names;
use super::seen::{Entry, Seen, SeenDir, kept, remembered};
use super::{Known, ScanOptions};
use crate::digest::Hasher;
use crate::entry::{Kind, Listed};
use crate::root::{DirHandle, Directory, is_shortage};
use crate::spelling::Spellings;
use crate::temp;
use crate::watch::Watcher;

/// One who looks, and what they have come to.
pub(super) struct Look<'a> {
    /// The root's own: another one that is mounted below it is not entered.
    pub(super) file_system: u64,
    pub(super) options: &'a ScanOptions<'a>,
    watcher: Option<&'a Watcher>,
    helpers: &'a Helpers,
    pub(super) hasher: Hasher,
    pub(super) unsettled: bool,
    pub(super) hashed: u64,
    pub(super) rule_files: Vec<RelPath>,
    pub(super) withheld: Vec<RelPath>,
}

/// A directory that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) handle: &'a DirHandle,
    pub(super) path: &'a RelPath,
    /// How many lie above it.
    pub(super) depth: usize,
    /// What was seen of it before.
    pub(super) before: Option<&'a Arc<SeenDir>>,
    /// What both sides agreed on.
    pub(super) agreed: Option<&'a Arc<Dir>>,
}

/// Where a look failed as a whole.
pub(super) type Failure = (RelPath, io::Error);

impl Here<'_> {
    /// All that is listed, in order and by the names that it is known by.
    fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = self.handle.list()?;
        listed.sort_by(|one, two| one.name.cmp(&two.name));
        let names = listed.iter().map(|listed| &listed.name);
        let spellings = self.spellings(names);
        if !spellings.is_empty() {
            for listed in &mut listed {
                let known = spellings.known(&listed.name);
                listed.name = known.unwrap_or(&listed.name).clone();
            }
            listed.sort_by(|one, two| one.name.cmp(&two.name));
        }
        Ok(listed)
    }

    /// Which names that are listed are agreed on in another spelling.
    pub(super) fn spellings<'n>(
        &'n self,
        listed: impl Iterator<Item = &'n Name> + Clone,
    ) -> Spellings {
        let agreed = self.agreed.into_iter().flat_map(|dir| dir.iter());
        Spellings::find(self.handle, listed, agreed.map(|(name, _)| name))
    }

    fn failed(&self, source: io::Error) -> Failure {
        (self.path.clone(), source)
    }

    /// What stands at a name now.
    fn kind(&self, name: &Name) -> Result<Option<Kind>, Failure> {
        let kind = self.handle.look(name.as_bytes());
        kind.map_err(|source| (self.path.join(name), source))
    }
}

impl<'a> Look<'a> {
    pub(super) fn new(
        file_system: u64,
        options: &'a ScanOptions<'a>,
        watcher: Option<&'a Watcher>,
        helpers: &'a Helpers,
    ) -> Self {
        Self {
            file_system,
            options,
            watcher,
            helpers,
            hasher: Hasher::new(options.look_for_secrets),
            unsettled: false,
            hashed: 0,
            rule_files: Vec::new(),
            withheld: Vec::new(),
        }
    }

    pub(super) fn directory(
        &mut self,
        here: Here<'_>,
        dirty: &Dirty,
    ) -> Result<Arc<SeenDir>, Failure> {
        let entries = match (here.before, dirty) {
            (Some(before), Dirty::Below(names)) => {
                let names = Names::new(here, before, names);
                self.again(here, before, &names.map_err(|error| here.failed(error))?)?
            }
            _ => {
                if let Some(watcher) = self.watcher {
                    watcher.enter(here.path, here.handle);
                }
                let listed = here.list().map_err(|error| here.failed(error))?;
                self.entries(here, listed)?
            }
        };
        Ok(remembered(entries, here.before, here.agreed))
    }

    /// All that was there before, of which only what is dirty is looked at again.
    fn again(
        &mut self,
        here: Here<'_>,
        before: &SeenDir,
        names: &Names<'_>,
    ) -> Result<Vec<Entry>, Failure> {
        let mut entries = kept(before, names.dirty.keys());
        for (name, dirty) in &*names.dirty {
            let kind = here.kind(name)?.filter(|_| names.is_borne(name));
            let name = name.clone();
            if let Some(listed) = kind.map(|kind| Listed { name, kind }) {
                entries.extend(self.entry(here, listed, dirty)?);
            }
        }
        entries.sort_by(|(one, ..), (two, ..)| one.cmp(two));
        Ok(entries)
    }

    /// All that is listed. Where somebody is free to help, they look at half of it.
    fn entries(&mut self, here: Here<'_>, mut listed: Vec<Listed>) -> Result<Vec<Entry>, Failure> {
        let helper = self.helpers.take();
        let Some((helper, half)) = helper.and_then(|it| Some((it, helpers::half(&listed)?))) else {
            let mut entries = Vec::with_capacity(listed.len());
            for listed in listed {
                entries.extend(self.entry(here, listed, &Dirty::All)?);
            }
            return Ok(entries);
        };
        let half = listed.split_off(half);
        let mut other = Look::new(self.file_system, self.options, self.watcher, self.helpers);
        let (mine, others) = thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let _until_done = helper;
                other.entries(here, half)
            });
            let mine = self.entries(here, listed);
            (mine, beside.join().expect("BUG: a look panicked"))
        });
        self.take_in(other);
        let mut entries = mine?;
        entries.extend(others?);
        Ok(entries)
    }

    /// What was met beside comes behind what was met here.
    fn take_in(&mut self, other: Look<'_>) {
        self.unsettled |= other.unsettled;
        self.hashed += other.hashed;
        self.rule_files.extend(other.rule_files);
        self.withheld.extend(other.withheld);
    }

    /// An entry that is carried or a problem; none when it is neither.
    fn entry(
        &mut self,
        here: Here<'_>,
        listed: Listed,
        dirty: &Dirty,
    ) -> Result<Option<Entry>, Failure> {
        let Listed { name, mut kind } = listed;
        if temp::is_one(&name) {
            return Ok(None);
        }
        let path = here.path.join(&name);
        if name.as_bytes() == GITIGNORE {
            self.rule_files.push(path.clone());
        }
        let before = here.before.and_then(|before| before.get(&name));
        // What takes a place while we look is looked at in turn.
        for _ in 0..3 {
            if let Err(why) = self.options.rules.check(&path, kind == Kind::Dir) {
                if why == Ignored::Secret {
                    self.withheld.push(path);
                }
                return Ok(None);
            }
            match self.looked(here, &name, &path, kind, before, dirty)? {
                Ok(Looked::Entry(node, seen)) => return Ok(Some((name, node, seen))),
                Ok(Looked::Skip) => return Ok(None),
                Ok(Looked::Replaced) => {}
                Err(error) if is_shortage(&error) => return Err((path, error)),
                Err(_) => return Ok(Some(problem(name, Unsyncable::Unreadable))),
            }
            match here.kind(&name)? {
                Some(found) => kind = found,
                None => return Ok(None),
            }
        }
        Ok(Some(problem(name, Unsyncable::Unsteady)))
    }

    fn looked(
        &mut self,
        here: Here<'_>,
        name: &Name,
        path: &RelPath,
        kind: Kind,
        before: Option<Known<'_>>,
        dirty: &Dirty,
    ) -> Result<io::Result<Looked>, Failure> {
        Ok(match kind {
            Kind::File { stamp, executable } => {
                self.file(here.handle, name, stamp, executable, before)
            }
            Kind::Dir => return self.subdirectory(here, name, path, before, dirty),
            Kind::Link => self.link(here, name),
            Kind::Special => Ok(Looked::problem(Unsyncable::Special)),
        })
    }
}

/// The directory, when it is one.
pub(super) fn dir(node: &Node) -> Option<&Arc<Dir>> {
    match node {
        Node::Dir(dir) => Some(dir),
        Node::File(_) | Node::Link(_) | Node::Unsyncable(_) => None,
    }
}

fn problem(name: Name, why: Unsyncable) -> Entry {
    (name, Node::Unsyncable(why), Seen::Other)
}
