//! Keeps two roots in step, both ways, without losing what anybody wrote.
//!
//! Invariant: entries are reached by directory handles from the root down; no link is followed on the way.
//! Invariant: a file's digest is trusted only while size, times and inode are those that were hashed, or that it was
//! made with, and only when the clock had moved on since they were last set.
//! Invariant: nothing is replaced or removed that is not what was seen, and all that is goes to the trash.
//! Invariant: a directory's watch is set before the directory is listed, so that no change falls between.
//! Invariant: a base that is not whole, or not that of these two roots, is no base: nothing is deleted then.

mod apply;
mod base;
mod digest;
mod encoding;
mod endpoint;
mod entry;
mod link;
mod links;
mod lock;
pub mod mirror;
mod question;
mod refusal;
mod root;
mod rule_files;
mod rule_source;
#[cfg(test)]
mod sample;
mod scan;
mod settings;
mod spelling;
mod temp;
pub mod told;
mod trash;
mod watch;

pub use apply::{
    Applied, ApplyError, ApplyOptions, Contents, Durability, Failure, FromRoot, PartHere, Supply,
    SupplyError, Why, Wish, apply,
};
pub use base::{BaseStore, Kept, LinkId, Opened, SetAside, TEXT_SIZE_MAX, TextStore, Unusable};
pub use encoding::Malformed;
pub use endpoint::{
    Endpoint, EndpointError, Far, FarFolder, LocalEndpoint, LocalOptions, Looked, OpenSide,
    RemoteEndpoint, ServeOptions, TakeBack, TakenBack, Wake, serve,
};
pub use link::{
    AskError, Asking, Both, Cycle, CycleError, End, Folders, FoldersError, Heard, Joining, Journal,
    Keep, Link, LinkOptions, Order, PastCycle, Resolved, Ruler, Standing, Took, Undone,
    UnknownKeep, Word,
};
pub use links::{ForgetError, KnownLink, Names, forget_link, known_links};
pub use lock::{LockError, PairLock};
pub use question::{Question, answer};
pub use refusal::{Because, Refusal};
pub use root::{Root, RootError, RootId};
pub use rule_files::{RuleFileError, find_rules, read_rules};
pub use rule_source::{RuleSource, RulesError};
pub use scan::{Dirty, Found, Links, Made, Scan, ScanError, ScanOptions, scan, scan_watched};
pub use settings::{INTERVAL, SETTINGS_FILE, SettingsError, SyncSettings};
pub use trash::{
    CycleId, FromTrash, Leftovers, NoCycleId, Past, PastChange, Pruned, Recall, Retention, Trash,
    TrashError, Undo, Was,
};
pub use watch::{News, Polling, Rescan, WatchError, WatchOptions, Watcher};

/// The time, in nanoseconds since 1970, by the clock that sets the times of files.
#[must_use]
pub fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}
