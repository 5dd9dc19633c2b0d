//! Composes the engine tasks, sessions and gateway; verbs in, snapshots and events out.
//!
//! Invariant: only this crate's view types reach a client; domain types never do.

pub mod menu;
pub mod toast;
pub mod verb;
pub mod view;
