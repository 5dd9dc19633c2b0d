//! The same of a session's workspace, which a running core keeps in step.

use std::path::Path;

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, SyncFlushParams, Verb};
use mizzen_core::view::{SyncAnswer, SyncKeep, SyncQuestion};
use mizzen_sync::Keep;

use super::answer::{self, SESSION};
use super::ask::{below, left_unless, names_nothing};
use crate::args::{SyncPair, SyncVerb};
use crate::output::{Failure, Output, failed};

/// What is asked of a session.
pub(super) struct Asked {
    session: String,
    question: SyncQuestion,
    /// What came of it, in the past tense.
    word: &'static str,
    /// Whether a person has agreed to what would stop the next cycle.
    consent: bool,
}

/// What a verb asks of a session; none when it is about two folders.
pub(super) fn asked(verb: &SyncVerb) -> Result<Option<Asked>, Failure> {
    let Some(session) = verb.pair().map(session).transpose()?.flatten() else {
        return Ok(None);
    };
    let (question, word, consent) = match verb {
        SyncVerb::Session(_) => return Ok(None),
        SyncVerb::Conflicts { .. } => (SyncQuestion::Conflicts, "", false),
        SyncVerb::Resolve { path, keep, .. } => {
            let keep = match keep {
                Keep::Host => SyncKeep::Host,
                Keep::Container => SyncKeep::Container,
                Keep::Both => SyncKeep::Both,
            };
            let path = place(path)?;
            (SyncQuestion::Resolve { path, keep }, "resolved", false)
        }
        SyncVerb::History {
            of, before, limit, ..
        } => {
            let question = SyncQuestion::History {
                of: of.as_deref().map(place).transpose()?,
                before: before.as_ref().map(ToString::to_string),
                limit: u32::try_from(*limit).unwrap_or(u32::MAX),
            };
            (question, "", false)
        }
        SyncVerb::Undo { cycle, force, .. } => {
            let cycle = cycle.to_string();
            (SyncQuestion::Undo { cycle }, "undone", *force)
        }
        SyncVerb::Restore {
            path,
            at,
            side,
            force,
            ..
        } => {
            let question = SyncQuestion::Restore {
                path: place(path)?,
                before: at.as_ref().map(ToString::to_string),
                side: side.map(Into::into),
            };
            (question, "restored", *force)
        }
        SyncVerb::Why { path, .. } => {
            let path = place(path)?;
            (SyncQuestion::Why { path }, "", false)
        }
    };
    Ok(Some(Asked {
        session,
        question,
        word,
        consent,
    }))
}

/// The session that is named in the place of two folders.
fn session(pair: &SyncPair) -> Result<Option<String>, Failure> {
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

fn place(path: &Path) -> Result<String, Failure> {
    let place = below(path).ok_or_else(|| names_nothing(path, "no place of the workspace"))?;
    Ok(String::from_utf8_lossy(place.as_bytes()).into_owned())
}

pub(super) async fn ask(client: &Client, asked: Asked, output: Output) -> Result<(), Failure> {
    let Asked {
        session,
        question,
        word,
        consent,
    } = asked;
    match client.ask_sync(&session, question).await? {
        SyncAnswer::Conflicts(views) => {
            answer::conflicts(&views, SESSION, output)?;
            left_unless(views.is_empty())
        }
        SyncAnswer::History(past) => answer::history(&past, SESSION, output),
        SyncAnswer::Standing(standing) => answer::standing(&standing, SESSION, output),
        SyncAnswer::Done(done) => {
            answer::done(word, &done, SESSION, output)?;
            if consent {
                let params = SyncFlushParams { session, consent };
                client.run(Verb::SyncFlush(params)).await?;
            }
            left_unless(done.left.is_empty())
        }
    }
}
