//! Looks at one side: its whole tree, or the places that something was heard of.

mod cache;
mod dirty;
mod helpers;
mod link;
mod look;
mod looked;
mod made;
mod names;
mod seen;
mod settled;

use std::io;
use std::sync::Arc;

use mizzen_sync_core::{Node, RelPath, Rules};

use crate::root::{Directory, Root};
use crate::watch::Watcher;

pub use dirty::Dirty;
pub use link::Links;
pub(crate) use link::stays_inside;
pub use made::Made;
pub(crate) use made::as_it_was_made;

use helpers::Helpers;
use look::{Failure, Here, Look};
pub(crate) use seen::{Seen, SeenDir};

/// Directories that one who looks holds open at once.
pub(crate) const DEPTH_MAX: usize = 200;

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
    /// What both sides last agreed on: where the disk spells a name of it otherwise, it is known by that name all the same.
    pub agreed: Option<&'a Node>,
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
    let here = Here {
        handle: root.handle(),
        path: &RelPath::root(),
        depth: 0,
        before: before.map(|scan| &scan.0),
        agreed: options.agreed.and_then(look::dir),
    };
    let seen = look.directory(here, dirty).map_err(failed)?;
    Ok(Found {
        scan: Scan(seen),
        unsettled: look.unsettled,
        hashed: look.hashed,
        rule_files: look.rule_files,
        withheld: look.withheld,
    })
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
