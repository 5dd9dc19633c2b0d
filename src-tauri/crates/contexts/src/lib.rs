//! The Docker CLI's context store, read as the CLI reads it; which engine is selected; and the mirror of two stores.
//!
//! Invariant: an engine that asks for TLS is never dialled without it.
//! Invariant: only the mirror writes, only into the two stores it was given, and whole contexts only; what is replaced
//! or deleted is in its trash first.
//! Invariant: what cannot be read as a context is never copied, and never deleted; nor is its twin.

mod inventory;
mod json;
mod list;
pub mod mirror;
mod payload;
mod select;
mod store;

pub use list::context_names;
pub use select::{Beaten, SelectError, Selected, SelectedBy, SelectionEnv, beaten, select};
pub use store::StoreError;
