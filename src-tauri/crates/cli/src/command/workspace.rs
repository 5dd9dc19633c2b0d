//! `mizzen sync status|flush|pause|resume`: the synced workspace of a session.

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, SessionRef, SyncFlushParams, Verb};
use mizzen_core::view::{SyncCycleView, SyncState, SyncView};

use super::{look, verbs};
use crate::args::SyncOf;
use crate::output::{Cell, Failure, Output, Tone, columns, failed, plain};

pub(super) async fn run(client: &Client, of: SyncOf, output: Output) -> Result<(), Failure> {
    let verb = match of {
        SyncOf::Status(of) => return status(client, &of.session, output).await,
        SyncOf::Flush { of, consent } => Verb::SyncFlush(SyncFlushParams {
            session: of.session,
            consent,
        }),
        SyncOf::Pause(of) => Verb::SyncPause(SessionRef {
            session: of.session,
        }),
        SyncOf::Resume(of) => Verb::SyncResume(SessionRef {
            session: of.session,
        }),
    };
    let outcome = verbs::run(client, verb, output).await?;
    verbs::tell(&outcome, output)
}

async fn status(client: &Client, name: &str, output: Output) -> Result<(), Failure> {
    let session = look::find(client.snapshot().await?.sessions, name)?;
    let sync = session.sync.ok_or_else(|| {
        failed(
            ErrorCode::State,
            format!(
                "the folder of session `{}` is mounted: there is nothing to sync",
                session.name
            ),
            "a session is synced unless it is made with `mizzen up --workspace bind`",
        )
    })?;
    if output.json {
        return output.object(&sync);
    }
    let rows = rows(&sync).into_iter().map(|(title, text)| {
        vec![
            Cell::toned(output, Tone::Quiet, title),
            Cell::new(&plain(&text)),
        ]
    });
    let rows: Vec<_> = rows.collect();
    columns(&rows).iter().try_for_each(|line| output.line(line))
}

/// What there is to say, with a title for each.
fn rows(sync: &SyncView) -> Vec<(&'static str, String)> {
    let word = match sync.paused && sync.state != SyncState::Paused {
        true => format!("{}, and paused", word(sync.state)),
        false => word(sync.state).to_owned(),
    };
    let mut rows = vec![("state", word)];
    let texts = [
        ("reason", &sync.reason),
        ("hint", &sync.hint),
        ("polling", &sync.polling),
    ];
    let texts = texts.into_iter();
    rows.extend(texts.filter_map(|(title, text)| Some((title, text.clone()?))));
    rows.extend(sync.progress.iter().map(|it| ("carried", it.text.clone())));
    let counts = [
        ("conflicts", sync.conflicts),
        ("problems", sync.problems),
        ("secrets", sync.withheld),
    ];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    rows.extend(counts.map(|(title, count)| (title, count.to_string())));
    rows.extend(pending(sync).map(|text| ("pending", text)));
    rows.extend(sync.last_cycle.as_ref().map(|cycle| ("last", last(cycle))));
    rows
}

/// What waits since somebody changes it.
fn pending(sync: &SyncView) -> Option<String> {
    let count = (sync.pending > 0).then_some(sync.pending)?;
    Some(match &sync.held {
        Some(held) if count == 1 => held.clone(),
        Some(held) => format!("{count}, {held} among them"),
        None => count.to_string(),
    })
}

fn last(cycle: &SyncCycleView) -> String {
    format!(
        "{}: {} changed in the folder, {} in the container",
        cycle.at, cycle.to_host, cycle.to_container
    )
}

fn word(state: SyncState) -> &'static str {
    match state {
        SyncState::Starting => "starting",
        SyncState::InStep => "in step",
        SyncState::Syncing => "syncing",
        SyncState::Problems => "problems",
        SyncState::Conflicts => "conflicts",
        SyncState::Halted => "halted",
        SyncState::Failed => "failed",
        SyncState::Paused => "paused",
        SyncState::Offline => "offline",
    }
}
