//! A folder of this machine.

use std::path::PathBuf;

use mizzen_sync_core::{Node, Plan, RuleTexts, Rules};

use super::{Endpoint, EndpointError, Looked};
use crate::apply::{Applied, ApplyError, ApplyOptions, Contents, Durability, FromRoot, apply};
use crate::root::{Root, RootError};
use crate::scan::{Dirty, Links, Scan, ScanOptions, scan};
use crate::trash::Trash;

/// How a folder is looked at and written to.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Larger files are problems.
    pub size_max: u64,
    /// What becomes of symbolic links.
    pub links: Links,
    /// Whether files are searched for keys and tokens.
    pub look_for_secrets: bool,
    /// What new entries are not allowed: bits as of `umask`.
    pub umask: u32,
    /// What survives a power cut.
    pub durability: Durability,
    /// Where what was seen is kept for the next process.
    pub memory: PathBuf,
    /// The time, in nanoseconds since 1970, by the clock that sets the times of files.
    pub now: fn() -> i64,
}

/// A folder, with its trash.
pub struct LocalEndpoint {
    root: Root,
    trash: Trash,
    options: LocalOptions,
    rules: Rules,
    seen: Option<Scan>,
}

impl LocalEndpoint {
    /// Opens a folder.
    ///
    /// # Errors
    /// It is none, or may not be read.
    pub fn open(
        path: impl Into<PathBuf>,
        trash: Trash,
        options: LocalOptions,
    ) -> Result<Self, RootError> {
        let root = Root::open(path)?;
        let seen = Scan::kept(&options.memory, &root, options.look_for_secrets);
        Ok(Self {
            root,
            trash,
            options,
            rules: Rules::new(&RuleTexts::default()).expect("BUG: no pattern is a bad one"),
            seen,
        })
    }
}

impl Endpoint for LocalEndpoint {
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError> {
        self.rules = Rules::new(rules).map_err(EndpointError::Rule)?;
        Ok(())
    }

    fn look(&mut self, dirty: &Dirty, base: Option<&Node>) -> Result<Looked, EndpointError> {
        if !self.root.stands() {
            return Ok(Looked {
                tree: None,
                unsettled: false,
                hashed: 0,
                withheld: Vec::new(),
            });
        }
        let options = ScanOptions {
            rules: &self.rules,
            size_max: self.options.size_max,
            links: self.options.links,
            look_for_secrets: self.options.look_for_secrets,
            now: self.options.now,
        };
        let found = scan(&self.root, &options, self.seen.as_ref(), dirty).map_err(|error| {
            EndpointError::Place {
                path: error.path,
                source: error.source,
            }
        })?;
        let seen = match base {
            Some(base) => found.scan.sharing(base),
            None => found.scan,
        };
        let tree = Some(seen.tree());
        self.seen = Some(seen);
        Ok(Looked {
            tree,
            unsettled: found.unsettled,
            hashed: found.hashed,
            withheld: found.withheld,
        })
    }

    fn apply(&mut self, plan: &Plan, contents: &dyn Contents) -> Result<Applied, ApplyError> {
        let before = self.seen.as_ref().expect("BUG: a plan is made of a look");
        let options = ApplyOptions {
            umask: self.options.umask,
            durability: self.options.durability,
            now: (self.options.now)(),
        };
        apply(&self.root, plan, before, contents, &self.trash, &options)
    }

    fn contents(&self) -> Box<dyn Contents + '_> {
        Box::new(FromRoot(&self.root))
    }

    fn rest(&mut self) {
        if let Some(seen) = &self.seen {
            // Without it the next process reads all files.
            let _ = seen.keep(
                &self.options.memory,
                &self.root,
                self.options.look_for_secrets,
            );
        }
    }
}
