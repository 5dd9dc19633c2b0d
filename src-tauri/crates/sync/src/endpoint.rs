//! One side of a link, in this process or at the other end of a wire.

mod local;

use std::path::PathBuf;
use std::sync::Arc;

use mizzen_sync_core::{BadPattern, Node, Plan, RelPath, RuleTexts};

use crate::apply::{Applied, ApplyError, Contents};
use crate::scan::Dirty;

pub use local::{LocalEndpoint, LocalOptions};

/// Tells that a side has changed.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a link asks of a side. Calls block.
pub trait Endpoint: Send {
    /// Takes the rules by which it is looked at from now on. What was seen by others is looked at again.
    ///
    /// # Errors
    /// They are no rules, or the side cannot be reached.
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError>;

    /// Hears of changes from now on, and calls `wake` for them from a thread of its own. They are dirty in the next look
    /// without being named.
    ///
    /// # Errors
    /// The system has nothing left to watch with, or the side cannot be reached.
    fn watch(&mut self, wake: Wake) -> Result<(), EndpointError>;

    /// Looks again at what is dirty. The tree shares with the base what is identical in both.
    ///
    /// # Errors
    /// A directory cannot be read, or the side cannot be reached.
    fn look(&mut self, dirty: &Dirty, base: Option<&Node>) -> Result<Looked, EndpointError>;

    /// Carries out a plan that was made of the last look, with contents of the other side.
    ///
    /// # Errors
    /// There is not enough of something, or the side cannot be reached. What was done until then is told as well.
    fn apply(&mut self, plan: &Plan, contents: &dyn Contents) -> Result<Applied, ApplyError>;

    /// The contents of its files.
    fn contents(&self) -> Box<dyn Contents + '_>;

    /// Keeps what makes the first look of the next process cheap. Nothing depends on it.
    fn rest(&mut self);
}

/// What was seen of a side.
#[derive(Debug, Default)]
pub struct Looked {
    /// The tree; none when the root is not there any more.
    pub tree: Option<Node>,
    /// Files that were read.
    pub hashed: u64,
    /// Entries that are kept back for their secrets' sake, by their names.
    pub withheld: Vec<RelPath>,
    /// Files that rules come from, as far as they were looked at.
    pub rule_files: Vec<RelPath>,
    /// Whether such a file may have changed.
    pub rules_changed: bool,
    /// Why everything is looked at from time to time although the side is watched; none while each change is told.
    pub polling: Option<String>,
}

/// A side cannot be dealt with.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// A place of it.
    #[error("{}: {source}", path.display())]
    Place {
        /// The place.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A rule is none.
    #[error("`{}` is no pattern: {}", .0.pattern, .0.reason)]
    Rule(BadPattern),
    /// What it says makes no sense, or it says nothing any more.
    #[error("the other end of the wire: {0}")]
    Wire(String),
}
