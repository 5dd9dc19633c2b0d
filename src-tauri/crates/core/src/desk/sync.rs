//! What a person asks of a synced workspace.

use std::sync::Arc;

use mizzen_sessions::{SessionFact, WorkspaceKind};

use super::Desk;
use super::run::Done;
use crate::verb::{ApiError, ErrorCode, SyncFlushParams};
use crate::view::{SyncAnswer, SyncQuestion, SyncView};

impl Desk {
    pub(super) async fn flush(&self, params: SyncFlushParams) -> Result<Done, ApiError> {
        let fact = self.synced(&params.session)?;
        let (name, key) = (&fact.name, fact.name.key());
        let flushed = self.links.flush(&key, params.consent).await;
        let flushed = flushed.ok_or_else(|| does_not_run(&fact))?;
        let message = flushed.map_err(|why| {
            let view = self.links.views().borrow().get(&key).cloned();
            not_flushed(&why, view.as_ref(), name.as_str())
        })?;
        Ok(done(&fact, message))
    }

    /// Asks a synced workspace, or tells it a wish.
    pub(crate) async fn ask_sync(
        &self,
        session: &str,
        question: SyncQuestion,
    ) -> Result<SyncAnswer, ApiError> {
        let fact = self.synced(session)?;
        let answered = self.links.ask(&fact.name.key(), question).await;
        let answered = answered.ok_or_else(|| does_not_run(&fact))?;
        answered.map_err(|why| {
            let hint = format!("see `mizzen sync status {}`", fact.name);
            ApiError::new(ErrorCode::Failed, why, hint)
        })?
    }

    pub(super) async fn pause_sync(&self, session: &str, pause: bool) -> Result<Done, ApiError> {
        let fact = self.synced(session)?;
        let word = if pause { "paused" } else { "not paused" };
        if fact.workspace == WorkspaceKind::Mirror {
            let paused = self.links.pause_there(&fact.name.key(), pause).await;
            paused.ok_or_else(|| does_not_run(&fact))?.map_err(|why| {
                let hint = format!("see `mizzen sync status {}`", fact.name);
                ApiError::new(ErrorCode::Failed, why, hint)
            })?;
        } else {
            let kept = match pause {
                true => self.links.pause(&fact),
                false => self.links.resume(&fact),
            };
            kept.map_err(|error| {
                let hint =
                    "check the permissions of Mizzen's state folder and the space on its disk";
                ApiError::new(ErrorCode::Failed, error.to_string(), hint)
            })?;
        }
        Ok(done(
            &fact,
            format!("Sync of session `{}` is {word}.", fact.name),
        ))
    }

    fn synced(&self, session: &str) -> Result<Arc<SessionFact>, ApiError> {
        let fact = self.fact(session)?;
        match fact.workspace {
            WorkspaceKind::Sync | WorkspaceKind::Mirror => Ok(fact),
            WorkspaceKind::Bind => {
                let message = format!(
                    "the folder of session `{}` is mounted: there is nothing to sync",
                    fact.name
                );
                let hint =
                    "a session is synced unless it is made with `mizzen up --workspace bind`";
                Err(ApiError::new(ErrorCode::State, message, hint))
            }
        }
    }
}

fn does_not_run(fact: &SessionFact) -> ApiError {
    let name = &fact.name;
    let message = format!("session `{name}` does not run: its workspace cannot be reached");
    let hint = format!("start it: mizzen start {name}");
    ApiError::new(ErrorCode::State, message, hint)
}

fn done(fact: &SessionFact, message: String) -> Done {
    Done {
        message,
        session: Some(fact.name.to_string()),
    }
}

fn not_flushed(why: &str, view: Option<&SyncView>, session: &str) -> ApiError {
    let code = match view {
        Some(view) if view.needs_consent => ErrorCode::NeedsPerson,
        _ => ErrorCode::Failed,
    };
    let hint = view.and_then(|view| view.hint.clone());
    let hint = hint.unwrap_or_else(|| format!("see `mizzen sync status {session}`"));
    ApiError::new(code, why, hint)
}
