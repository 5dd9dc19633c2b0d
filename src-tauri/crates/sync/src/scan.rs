//! Looks at one side: its whole tree, or the places that something was heard of.

mod cache;
mod dirty;
mod helpers;
mod link;
mod made;
mod names;
mod seen;

use std::io;
use std::sync::Arc;
use std::thread;

use mizzen_sync_core::{Digest, File, GITIGNORE, Ignored, Name, Node, RelPath, Rules, Unsyncable};

use crate::digest::{Hashed, Hasher};
use crate::entry::{Kind, Listed, Stamp};
use crate::root::{DirHandle, Directory, Root, is_shortage};
use crate::temp;
use crate::watch::Watcher;

pub use dirty::Dirty;
pub use link::Links;
pub(crate) use link::stays_inside;
pub use made::Made;
pub(crate) use made::as_it_was_made;

use helpers::Helpers;
use names::Names;
use seen::{Entry, kept, remembered};
pub(crate) use seen::{Seen, SeenDir};

/// Directories that one who looks holds open at once.
pub(crate) const DEPTH_MAX: usize = 200;

/// Systems set a file's time from a clock that moves on up to a hundred times a second; twice that for safety.
const GRAIN: i64 = 20_000_000;
/// The same for file systems that keep even seconds only.
const COARSE_GRAIN: i64 = 2_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// How a side is looked at.
#[derive(Clone, Copy)]
pub struct ScanOptions<'a> {
    /// What is carried.
    pub rules: &'a Rules,
    /// Larger files are problems.
    pub size_max: u64,
    /// What becomes of symbolic links.
    pub links: Links,
    /// Whether files are searched for keys and tokens.
    pub look_for_secrets: bool,
    /// The time, in nanoseconds since 1970, by the clock that sets the times of files.
    pub now: fn() -> i64,
    /// What was made there since the last look.
    pub made: &'a Made,
}

/// An entry as it was seen.
pub(crate) type Known<'a> = (&'a Node, &'a Seen);

/// What was seen of a side, and what makes the next look cheap.
#[derive(Clone, Debug)]
pub struct Scan(Arc<SeenDir>);

/// A look and what came of it.
#[derive(Debug)]
pub struct Found {
    /// What was seen.
    pub scan: Scan,
    /// Whether some file was changed so lately that it may change again without a trace: look again soon.
    pub unsettled: bool,
    /// Files that were read.
    pub hashed: u64,
    /// Files that git takes patterns from, in the directories that were listed; carried or not.
    pub rule_files: Vec<RelPath>,
    /// Entries that are kept back for their secrets' sake, by their names.
    pub withheld: Vec<RelPath>,
}

/// The root could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be looked at: {source}", path.display())]
pub struct ScanError {
    /// The root, or the directory below it.
    pub path: std::path::PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl Scan {
    /// The tree.
    #[must_use]
    pub fn tree(&self) -> Node {
        Node::Dir(self.0.dir.clone())
    }

    /// The same look, whose tree shares with another all that is identical in both.
    #[must_use]
    pub fn sharing(&self, tree: &Node) -> Self {
        match tree {
            Node::Dir(dir) => Self(seen::sharing(&self.0, dir)),
            Node::File(_) | Node::Link(_) | Node::Unsyncable(_) => self.clone(),
        }
    }

    /// Whether nothing was seen that was not seen by an earlier look.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// An entry below the root, and what else is remembered of it.
    pub(crate) fn get(&self, path: &RelPath) -> Option<Known<'_>> {
        let mut found: Option<Known<'_>> = None;
        for name in path.names() {
            let dir = match found {
                None => &self.0,
                Some((_, Seen::Dir(dir))) => dir,
                Some(_) => return None,
            };
            found = Some(dir.get(&name)?);
        }
        found
    }
}

/// Looks at a side. Where it was looked at before, only dirty places are looked at again, and only files that have
/// changed are read.
///
/// # Errors
/// The root, or a directory that was opened, cannot be read.
pub fn scan(
    root: &Root,
    options: &ScanOptions<'_>,
    before: Option<&Scan>,
    dirty: &Dirty,
) -> Result<Found, ScanError> {
    let helpers = Helpers::of_this_machine();
    look(root, options, before, dirty, None, &helpers)
}

/// The same, and sets the watches of all that it comes to: of what is changed afterwards, the watcher tells.
///
/// # Errors
/// The root, or a directory that was opened, cannot be read.
pub fn scan_watched(
    root: &Root,
    options: &ScanOptions<'_>,
    before: Option<&Scan>,
    dirty: &Dirty,
    watcher: &Watcher,
) -> Result<Found, ScanError> {
    let is_whole = before.is_none() || *dirty == Dirty::All;
    watcher.begin(is_whole);
    let helpers = Helpers::of_this_machine();
    let found = look(root, options, before, dirty, Some(watcher), &helpers)?;
    watcher.end(is_whole);
    Ok(found)
}

fn look(
    root: &Root,
    options: &ScanOptions<'_>,
    before: Option<&Scan>,
    dirty: &Dirty,
    watcher: Option<&Watcher>,
    helpers: &Helpers,
) -> Result<Found, ScanError> {
    let failed = |(path, source): Failure| ScanError {
        path: root.path().join(path.to_string()),
        source,
    };
    let file_system = root.handle().file_system();
    let file_system = file_system.map_err(|source| failed((RelPath::root(), source)))?;
    let mut look = Look::new(file_system, options, watcher, helpers);
    let before = before.map(|scan| &scan.0);
    let seen = look.directory(root.handle(), &RelPath::root(), 0, before, dirty);
    let seen = seen.map_err(failed)?;
    Ok(Found {
        scan: Scan(seen),
        unsettled: look.unsettled,
        hashed: look.hashed,
        rule_files: look.rule_files,
        withheld: look.withheld,
    })
}

struct Look<'a> {
    /// The root's own: another one that is mounted below it is not entered.
    file_system: u64,
    options: &'a ScanOptions<'a>,
    watcher: Option<&'a Watcher>,
    helpers: &'a Helpers,
    hasher: Hasher,
    unsettled: bool,
    hashed: u64,
    rule_files: Vec<RelPath>,
    withheld: Vec<RelPath>,
}

/// Where a look failed as a whole.
type Failure = (RelPath, io::Error);

impl<'a> Look<'a> {
    fn new(
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

    fn directory(
        &mut self,
        handle: &DirHandle,
        path: &RelPath,
        depth: usize,
        before: Option<&Arc<SeenDir>>,
        dirty: &Dirty,
    ) -> Result<Arc<SeenDir>, Failure> {
        let entries = match (before, dirty) {
            (Some(before), Dirty::Below(names)) => {
                let names = Names::new(handle, before, names);
                let names = names.map_err(|error| (path.clone(), error))?;
                let mut kept = kept(before, names.dirty.keys());
                for (name, dirty) in &*names.dirty {
                    let kind = handle
                        .look(name.as_bytes())
                        .map_err(|e| (path.join(name), e))?;
                    let kind = kind.filter(|_| names.is_borne(name));
                    let name = name.clone();
                    let listed = kind.map(|kind| Listed { name, kind });
                    if let Some(listed) = listed {
                        kept.extend(self.entry(
                            handle,
                            path,
                            depth,
                            listed,
                            Some(before),
                            dirty,
                        )?);
                    }
                }
                kept.sort_by(|(one, ..), (two, ..)| one.cmp(two));
                kept
            }
            (before, _) => {
                if let Some(watcher) = self.watcher {
                    watcher.enter(path, handle);
                }
                let mut listed = handle.list().map_err(|error| (path.clone(), error))?;
                listed.sort_by(|one, two| one.name.cmp(&two.name));
                self.entries(handle, path, depth, listed, before)?
            }
        };
        Ok(remembered(entries, before))
    }

    /// All that is listed. Where somebody is free to help, they look at half of it.
    fn entries(
        &mut self,
        handle: &DirHandle,
        path: &RelPath,
        depth: usize,
        mut listed: Vec<Listed>,
        before: Option<&Arc<SeenDir>>,
    ) -> Result<Vec<Entry>, Failure> {
        let helper = self.helpers.take();
        let Some((helper, half)) = helper.and_then(|it| Some((it, helpers::half(&listed)?))) else {
            let mut entries = Vec::with_capacity(listed.len());
            for listed in listed {
                entries.extend(self.entry(handle, path, depth, listed, before, &Dirty::All)?);
            }
            return Ok(entries);
        };
        let half = listed.split_off(half);
        let mut other = Look::new(self.file_system, self.options, self.watcher, self.helpers);
        let (mine, others) = thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let _until_done = helper;
                other.entries(handle, path, depth, half, before)
            });
            let mine = self.entries(handle, path, depth, listed, before);
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
        handle: &DirHandle,
        parent: &RelPath,
        depth: usize,
        listed: Listed,
        before: Option<&Arc<SeenDir>>,
        dirty: &Dirty,
    ) -> Result<Option<Entry>, Failure> {
        let Listed { name, mut kind } = listed;
        if temp::is_one(&name) {
            return Ok(None);
        }
        let path = parent.join(&name);
        if name.as_bytes() == GITIGNORE {
            self.rule_files.push(path.clone());
        }
        let before = before.and_then(|before| before.get(&name));
        // What takes a place while we look is looked at in turn.
        for _ in 0..3 {
            if let Err(why) = self.options.rules.check(&path, kind == Kind::Dir) {
                if why == Ignored::Secret {
                    self.withheld.push(path);
                }
                return Ok(None);
            }
            let looked = match kind {
                Kind::File { stamp, executable } => {
                    self.file(handle, &name, stamp, executable, before)
                }
                Kind::Dir => self.subdirectory(handle, &path, &name, depth, before, dirty)?,
                Kind::Link => self.link(handle, parent, &name),
                Kind::Special => Ok(Looked::problem(Unsyncable::Special)),
            };
            match looked {
                Ok(Looked::Entry(node, seen)) => return Ok(Some((name, node, seen))),
                Ok(Looked::Skip) => return Ok(None),
                Ok(Looked::Replaced) => {}
                Err(error) if is_shortage(&error) => return Err((path, error)),
                Err(_) => {
                    let unreadable = Node::Unsyncable(Unsyncable::Unreadable);
                    return Ok(Some((name, unreadable, Seen::Other)));
                }
            }
            match handle
                .look(name.as_bytes())
                .map_err(|error| (path.clone(), error))?
            {
                Some(found) => kind = found,
                None => return Ok(None),
            }
        }
        Ok(Some((
            name,
            Node::Unsyncable(Unsyncable::Unsteady),
            Seen::Other,
        )))
    }

    fn file(
        &mut self,
        handle: &DirHandle,
        name: &Name,
        stamp: Stamp,
        executable: bool,
        before: Option<(&Node, &Seen)>,
    ) -> io::Result<Looked> {
        if stamp.size > self.options.size_max {
            return Ok(Looked::problem(Unsyncable::TooLarge));
        }
        let known = match before {
            Some((
                Node::File(file),
                Seen::File {
                    instance,
                    settled: true,
                },
            )) if Stamp::of(file, *instance) == stamp => Some(file.digest),
            _ => self.options.made.held(stamp),
        };
        if let Some(digest) = known {
            return Ok(Looked::file(digest, stamp, executable, true));
        }
        let now = (self.options.now)();
        self.hashed += 1;
        Ok(match self.hasher.hash(handle, name.as_bytes())? {
            Hashed::File {
                digest,
                stamp,
                executable,
            } => {
                let settled = is_settled(stamp, now);
                self.unsettled |= !settled;
                Looked::file(digest, stamp, executable, settled)
            }
            Hashed::Secret => Looked::problem(Unsyncable::Secret),
            Hashed::Unsteady => Looked::problem(Unsyncable::Unsteady),
            Hashed::Replaced => Looked::Replaced,
        })
    }

    fn subdirectory(
        &mut self,
        handle: &DirHandle,
        path: &RelPath,
        name: &Name,
        depth: usize,
        before: Option<(&Node, &Seen)>,
        dirty: &Dirty,
    ) -> Result<io::Result<Looked>, Failure> {
        if depth == DEPTH_MAX {
            return Ok(Ok(Looked::problem(Unsyncable::TooDeep)));
        }
        // A directory that is still there when it fails is what fails.
        let unless_gone = |error| match handle.look(name.as_bytes()) {
            Ok(Some(Kind::Dir)) => Err(error),
            _ => Ok(Looked::Replaced),
        };
        let opened = match handle.open_dir(name.as_bytes()) {
            Ok(opened) => opened,
            Err(error) => return Ok(unless_gone(error)),
        };
        match opened.file_system() {
            Ok(found) if found == self.file_system => {}
            Ok(_) => return Ok(Ok(Looked::problem(Unsyncable::Mount))),
            Err(error) => return Ok(Err(error)),
        }
        let before = match before {
            Some((_, Seen::Dir(before))) => Some(before),
            _ => None,
        };
        let seen = match self.directory(&opened, path, depth + 1, before, dirty) {
            Ok(seen) => seen,
            Err((at, error)) if is_shortage(&error) => return Err((at, error)),
            Err((_, error)) => return Ok(unless_gone(error)),
        };
        Ok(Ok(Looked::Entry(
            Node::Dir(seen.dir.clone()),
            Seen::Dir(seen),
        )))
    }

    fn link(&self, handle: &DirHandle, parent: &RelPath, name: &Name) -> io::Result<Looked> {
        if self.options.links == Links::Ignore {
            return Ok(Looked::Skip);
        }
        let target = match handle.read_link(name.as_bytes()) {
            Ok(target) => target,
            // It is no link any more, or gone.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
                ) =>
            {
                return Ok(Looked::Replaced);
            }
            Err(error) => return Err(error),
        };
        if self.options.links == Links::Portable && !link::stays_inside(parent, &target) {
            return Ok(Looked::problem(Unsyncable::LinkOutside));
        }
        Ok(Looked::Entry(Node::Link(target.into()), Seen::Other))
    }
}

enum Looked {
    Entry(Node, Seen),
    Skip,
    /// Something else stands there now.
    Replaced,
}

impl Looked {
    fn file(digest: Digest, stamp: Stamp, executable: bool, settled: bool) -> Self {
        let file = File {
            digest,
            size: stamp.size,
            mtime: stamp.mtime,
            executable,
        };
        let instance = stamp.instance();
        Self::Entry(Node::File(file), Seen::File { instance, settled })
    }

    fn problem(why: Unsyncable) -> Self {
        Self::Entry(Node::Unsyncable(why), Seen::Other)
    }
}

/// Whether a file that is changed after `now` will have other times than these.
fn is_settled(stamp: Stamp, now: i64) -> bool {
    let newest = stamp.mtime.max(stamp.ctime);
    newest.saturating_add(grain(stamp)) < now
}

/// How far apart two times are told from each other where a file has these.
fn grain(stamp: Stamp) -> i64 {
    match stamp.mtime % SECOND == 0 && stamp.ctime % SECOND == 0 {
        true => COARSE_GRAIN,
        false => GRAIN,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
