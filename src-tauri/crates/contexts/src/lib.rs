//! The Docker CLI's context store, read as the CLI reads it, and which engine is selected.
//!
//! Invariant: nothing is ever written to the store or to the CLI's configuration.
//! Invariant: an engine that asks for TLS is never dialled without it.

mod json;
mod select;
mod store;

pub use select::{SelectError, Selected, SelectedBy, SelectionEnv, select};
pub use store::StoreError;
