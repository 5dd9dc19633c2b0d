//! Pieces that tests share: an engine that misbehaves, a count of the files that are opened, the worst that a container
//! can put into a directory.
//!
//! Invariant: nothing that ships depends on this crate.

#[cfg(unix)]
pub mod fake_engine;
#[cfg(target_os = "linux")]
pub mod opened;
#[cfg(target_os = "linux")]
pub mod worst;
