//! What a sync cycle decides, as pure functions of what was seen.
//!
//! A cycle compares three trees: the *base*, which both sides last agreed on, and what the *host* and the *container*
//! hold now. [`reconcile`] turns them into a plan for each side, and into conflicts and problems that a person is shown.
//!
//! Invariant: no I/O and no clock; the same trees give the same answer.
//! Invariant: nothing is planned at or below a conflict or a problem.
//! Invariant: a plan replaces or deletes only what has not changed since the base, or what the mode says may go.

mod brake;
mod change;
mod diff;
mod edit;
mod generated;
mod left;
mod merge;
mod mode;
mod name;
mod reconcile;
mod rules;
mod size;
#[cfg(test)]
mod sketch;
mod tree;
mod tripwire;

pub use brake::{Brake, Halt, Remedy};
pub use change::{Change, FOLDER_NAMES, FolderNames, Plan, Side, Step};
pub use diff::diff;
pub use edit::{Edit, differences};
pub use left::{Left, reconcile_leaving};
pub use merge::merge;
pub use mode::{Mode, UnknownMode};
pub use name::{Name, NameError, RelPath};
pub use reconcile::{Conflict, Merge, Outcome, Problem, reconcile};
pub use rules::{
    BadPattern, GITIGNORE, Ignored, RuleTexts, Rules, SECRET_SIZE_MAX, Secret, Source, find_secret,
    is_tighter,
};
pub use size::sized;
pub use tree::{Digest, Dir, File, Node, Unsyncable};
pub use tripwire::tripwires;
