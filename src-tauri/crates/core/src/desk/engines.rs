//! Engines: those in use, and those that could be.

use super::Desk;
use crate::engines;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{EngineChoice, EngineView};

impl Desk {
    /// Every context of the store and `default`, and those that are in use although they are in no store any more.
    pub(crate) async fn engines(&self) -> Result<Vec<EngineChoice>, ApiError> {
        let config = self.config.clone();
        let listed = tokio::task::spawn_blocking(move || engines::choices(&config));
        let listed = listed.await.expect("BUG: reading contexts panicked");
        let mut choices = listed
            .map_err(|error| ApiError::new(ErrorCode::Failed, error.to_string(), error.hint()))?;
        // Another one may have been selected.
        self.catch_up().await;
        let views = self.snapshot().engines;
        let is_known = |view: &EngineView| self.sessions.engine_in_use(&view.name).is_some();
        for view in views.into_iter().filter(is_known) {
            match choices.iter_mut().find(|choice| choice.name == view.name) {
                Some(choice) => follow(choice, &view),
                None => choices.push(vanished(&view)),
            }
        }
        Ok(choices)
    }

    /// Has every engine in use looked for again: settings say which may be used.
    pub(super) fn look_at_engines(&self) {
        self.sessions.look_at_engines();
    }
}

/// What is seen of an engine counts more than what its context says.
fn follow(choice: &mut EngineChoice, view: &EngineView) {
    choice.in_use = true;
    choice.state = Some(view.state);
    if choice.endpoint.is_some() {
        choice.reason.clone_from(&view.reason);
        choice.hint.clone_from(&view.hint);
        choice.warnings.clone_from(&view.warnings);
    }
}

fn vanished(view: &EngineView) -> EngineChoice {
    EngineChoice {
        name: view.name.clone(),
        endpoint: None,
        exposed: None,
        selected_by: Some(view.selected_by.clone()).filter(|by| !by.is_empty()),
        beats: view.beats.clone(),
        in_use: true,
        state: Some(view.state),
        reason: view.reason.clone(),
        hint: view.hint.clone(),
        warnings: view.warnings.clone(),
    }
}
