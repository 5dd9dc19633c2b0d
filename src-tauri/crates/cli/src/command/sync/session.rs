//! The same of a session's workspace, which a running core keeps in step.

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, SyncFlushParams, Verb};

use super::answer::{self, SESSION};
use super::ask::{Asked, left_unless};
use crate::args::SyncPair;
use crate::output::{Failure, Output, failed};

/// The session that is named in the place of two folders.
pub(super) fn name(pair: &SyncPair) -> Result<Option<String>, Failure> {
    if pair.container.is_some() {
        return Ok(None);
    }
    let how = &pair.how;
    if how.mode.is_some() || how.profile.is_some() || how.max_file_size.is_some() || how.no_fsync {
        return Err(failed(
            ErrorCode::Usage,
            "How a session is synced says its folder's mizzen.toml.",
            "Leave the option out, or name two folders.",
        ));
    }
    Ok(Some(pair.host.to_string_lossy().into_owned()))
}

pub(super) async fn ask(
    client: &Client,
    session: String,
    asked: Asked,
    output: Output,
) -> Result<(), Failure> {
    let answer = client.ask_sync(&session, asked.question.into()).await?;
    let is_whole = answer::print(&answer, asked.word, SESSION, output)?;
    if asked.consent {
        let consent = true;
        let params = SyncFlushParams { session, consent };
        client.run(Verb::SyncFlush(params)).await?;
    }
    left_unless(is_whole)
}
