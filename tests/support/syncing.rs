//! For sessions of which none is synced.

use std::sync::Arc;

use mizzen_sessions::{InStep, SyncedWorkspace, Syncing};

/// Keeps nothing in step, and is not asked to.
pub struct NothingToSync;

impl Syncing for NothingToSync {
    /// # Panics
    /// Always.
    fn begin(&self, workspace: SyncedWorkspace) -> Arc<dyn InStep> {
        panic!("{} is not synced", workspace.session);
    }
}
