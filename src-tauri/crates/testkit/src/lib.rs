//! Pieces that tests share: an engine that misbehaves.
//!
//! Invariant: nothing that ships depends on this crate.

#[cfg(unix)]
pub mod fake_engine;
