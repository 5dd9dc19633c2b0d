//! Atomic writes, safe reads and file watching with errors that name their path.
//!
//! Invariant: a file is replaced whole or not at all; a reader never sees half of one.
//! Invariant: [`SafeDir`] never follows a link, never opens a device or a FIFO for reading, and
//! never reads more than its caller's cap: what lies in the directory is hostile. What it
//! writes is new, or takes its place by one rename.
//! Invariant: a [`Watch`] is a hint. It may say too much or nothing; the truth is in the files.

mod atomic;
mod disk;
mod lock;
mod path_error;
mod remove;
mod safe_dir;
mod watch;

pub use atomic::{
    remove_leftovers, write_atomic, write_atomic_by, write_atomic_with, write_cache,
    write_cache_by, write_unsynced, write_unsynced_with,
};
pub use disk::disk_without_events;
#[cfg(target_os = "linux")]
pub use disk::{disk_of_handle, may_have_one_mode};
pub use lock::{LockError, LockFile};
pub use path_error::{At, PathError};
pub use remove::remove_tree;
pub use safe_dir::{FileKind, Listed, Mark, SafeDir, UnsafeFile, UnsafeReason};
pub use watch::{Watch, WatchError};
