//! One side of a link, in this process or at the other end of a wire.

mod local;
mod remote;

use std::path::PathBuf;
use std::sync::Arc;

use mizzen_sync_core::{BadPattern, Node, Plan, RelPath, RuleTexts};

use crate::apply::{Applied, ApplyError, Contents};
use crate::root::RootId;
use crate::scan::Dirty;
use crate::trash::{CycleId, Past, Recall, TrashError};

pub use local::{LocalEndpoint, LocalOptions};
pub use remote::{Far, FarFolder, OpenSide, RemoteEndpoint, ServeOptions, serve};

/// Tells that a side has changed.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a link asks of a side. Calls block.
pub trait Endpoint: Send {
    /// Takes the rules by which it is looked at from now on. What was seen by others is looked at again.
    ///
    /// # Errors
    /// They are no rules, or the side cannot be reached.
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError>;

    /// What files of the side's own say that is carried: where `anew`, all of it, and else only when what the looks since
    /// have come to says something else.
    ///
    /// # Errors
    /// They cannot be read or are none, or the side cannot be reached.
    fn rules(
        &mut self,
        profile: Option<&str>,
        anew: bool,
    ) -> Result<Option<RuleTexts>, EndpointError>;

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

    /// Whether a look at nothing else would come to nothing new, for all that is known, and so takes no time.
    fn is_quiet(&self) -> bool;

    /// How many more bytes its disk takes before it is nearly full; none when nobody can tell.
    ///
    /// # Errors
    /// The side cannot be reached.
    fn room(&self) -> Result<Option<u64>, EndpointError>;

    /// Carries out a plan that was made of the last look, with contents of the other side. What it displaces goes to the
    /// trash under the cycle's name.
    ///
    /// # Errors
    /// There is not enough of something, or the side cannot be reached. What was done until then is told as well.
    fn apply(
        &mut self,
        cycle: CycleId,
        plan: &Plan,
        contents: &dyn Contents,
    ) -> Result<Applied, ApplyError>;

    /// The contents of its files.
    fn contents(&self) -> Box<dyn Contents + '_>;

    /// Tells of cycles of the past that the side's trash knows of, the last one first.
    ///
    /// # Errors
    /// The trash cannot be read, or the side cannot be reached.
    fn history(&mut self, recall: &Recall) -> Result<Vec<Past>, EndpointError>;

    /// Takes something back that a cycle of the past did to this side, as far as the last look shows it unchanged. That
    /// is a cycle itself. None when the trash knows nothing of it.
    ///
    /// # Errors
    /// The same as for `apply`; or the trash cannot be read.
    fn take_back(
        &mut self,
        cycle: CycleId,
        what: &TakeBack,
    ) -> Result<Option<TakenBack>, ApplyError>;

    /// Keeps what makes the first look of the next process cheap. Nothing depends on it.
    fn rest(&mut self);
}

/// What was seen of a side.
#[derive(Debug, Default)]
pub struct Looked {
    /// The tree; none when the root is not there any more.
    pub tree: Option<Node>,
    /// Which folder it is, as far as can be told.
    pub root: Option<RootId>,
    /// Files that were read.
    pub hashed: u64,
    /// Entries that are kept back for their secrets' sake, by their names.
    pub withheld: Vec<RelPath>,
    /// Files that rules come from, as far as they were looked at.
    pub rule_files: Vec<RelPath>,
    /// Whether such a file may have changed.
    pub rules_changed: bool,
    /// Whether its disk has but one answer to which files are executable, for all that can be told: it says nothing then.
    pub has_one_mode: bool,
    /// Why everything is looked at from time to time although the side is watched; none while each change is told.
    pub polling: Option<String>,
}

/// What is to be as it was before a cycle of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeBack {
    /// All that the cycle changed, wherever that is still as the cycle left it.
    Cycle(CycleId),
    /// What it displaced at one place, whatever is there by now.
    Place(CycleId, RelPath),
}

/// What was taken back.
#[derive(Debug, Default)]
pub struct TakenBack {
    /// What was done.
    pub applied: Applied,
    /// Places that have changed since, and stay as they are.
    pub refused: Vec<RelPath>,
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

impl From<TrashError> for EndpointError {
    fn from(error: TrashError) -> Self {
        Self::Place {
            path: error.path,
            source: error.source,
        }
    }
}
