//! Pieces that tests share: an engine that misbehaves, and more.

#[cfg(unix)]
pub mod fake_engine;
