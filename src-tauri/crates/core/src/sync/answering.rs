//! What a link answers to a person. It blocks.

use mizzen_sync::{AskError, Both, CycleError, CycleId, Keep, Link, Recall};
use mizzen_sync_core::RelPath;

use crate::verb::{ApiError, ErrorCode};
use crate::view::{
    ConflictView, PastCycleView, StandingView, SyncAnswer, SyncDone, SyncKeep, SyncQuestion,
};

/// Most cycles that are told of at once.
const HISTORY_MAX: u32 = 1000;

/// Answers a question about a session's workspace, or fulfils a wish. What is taken back on one side goes to the other
/// with the next cycle.
pub(super) fn answer(
    link: &mut Link,
    question: &SyncQuestion,
    session: &str,
) -> Result<SyncAnswer, ApiError> {
    let refused = |error: AskError| refused(&error, session);
    Ok(match question {
        SyncQuestion::Conflicts => {
            let conflicts = link.conflicts(&Both::everything());
            let conflicts = conflicts.map_err(|error| refused(error.into()))?;
            let views = conflicts
                .iter()
                .map(|conflict| ConflictView::new(conflict, link.diff(conflict)));
            SyncAnswer::Conflicts(views.collect())
        }
        SyncQuestion::Resolve { path, keep } => {
            let keep = match keep {
                SyncKeep::Host => Keep::Host,
                SyncKeep::Container => Keep::Container,
                SyncKeep::Both => Keep::Both,
            };
            let resolved = link.resolve(&place(path)?, keep).map_err(refused)?;
            SyncAnswer::Done(SyncDone::resolved(&resolved))
        }
        SyncQuestion::History { of, before, limit } => {
            let recall = Recall {
                before: before.as_deref().map(cycle).transpose()?,
                of: of.as_deref().map(place).transpose()?,
                most: (*limit).min(HISTORY_MAX) as usize,
            };
            let past = link.history(&recall).map_err(refused)?;
            SyncAnswer::History(past.iter().map(PastCycleView::new).collect())
        }
        SyncQuestion::Undo { cycle: id } => {
            let undone = link.undo(cycle(id)?).map_err(refused)?;
            SyncAnswer::Done(SyncDone::undone(&undone))
        }
        SyncQuestion::Restore { path, before, side } => {
            let before = before.as_deref().map(cycle).transpose()?;
            let restored = link.restore(&place(path)?, before, side.map(Into::into));
            SyncAnswer::Done(SyncDone::undone(&restored.map_err(refused)?))
        }
        SyncQuestion::Why { path } => {
            let path = place(path)?;
            let standing = link.why(&path).map_err(refused)?;
            SyncAnswer::Standing(StandingView::new(&path, &standing))
        }
    })
}

fn place(path: &str) -> Result<RelPath, ApiError> {
    RelPath::new(path.as_bytes()).map_err(|error| {
        let message = format!("`{path}` names no place of a workspace: {error}");
        let hint = "name it from the project folder on, like src/main.rs";
        ApiError::new(ErrorCode::Usage, message, hint)
    })
}

fn cycle(id: &str) -> Result<CycleId, ApiError> {
    id.parse().map_err(|error: mizzen_sync::NoCycleId| {
        ApiError::new(
            ErrorCode::Usage,
            error.to_string(),
            "`mizzen sync history` lists them",
        )
    })
}

fn refused(error: &AskError, session: &str) -> ApiError {
    let (code, hint) = match error {
        AskError::Cycle(CycleError::Halted(_)) => (
            ErrorCode::NeedsPerson,
            format!("look at both sides; to agree: mizzen sync flush {session} --consent"),
        ),
        AskError::Cycle(_) => (
            ErrorCode::Failed,
            format!("see `mizzen sync status {session}`"),
        ),
        AskError::Trash(..) | AskError::Base(_) => (
            ErrorCode::Failed,
            "check the permissions of Mizzen's state folder and the space on its disk".to_owned(),
        ),
        AskError::NoConflict(_) => (
            ErrorCode::NotFound,
            format!("`mizzen sync conflicts {session}` lists them"),
        ),
        AskError::UnknownCycle(_) | AskError::NothingKept(_) => (
            ErrorCode::NotFound,
            format!("`mizzen sync history {session}` lists what is kept"),
        ),
        AskError::Unsyncable(..) => (
            ErrorCode::State,
            "move them elsewhere, or keep the other version".to_owned(),
        ),
        AskError::Mode(_) => (
            ErrorCode::State,
            "change `mode` in mizzen.toml, and look again".to_owned(),
        ),
    };
    ApiError::new(code, error.to_string(), hint)
}
