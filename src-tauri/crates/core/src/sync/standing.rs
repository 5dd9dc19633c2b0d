//! How a workspace stands, as clients see it.

use mizzen_status::sanitise;
use mizzen_sync::told::{Carried, Progress, Stand, State, Trouble};

use crate::view::{SyncCycleView, SyncProgressView, SyncState, SyncView};

/// Longest text that is shown of what a side says.
const TEXT_CAP: usize = 300;

/// How a person agrees to what has stopped a session's sync.
pub(super) fn agree(session: &str) -> String {
    format!("mizzen sync flush {session} --consent")
}

/// What is shown of how a link stands, when a person wants that nothing is carried or does not.
pub(super) fn view(stand: &Stand, paused: bool) -> SyncView {
    let waits = paused.then(|| stand.paused());
    let stand = waits.as_ref().unwrap_or(stand);
    let shown = |text: &String| sanitise(text, TEXT_CAP);
    let trouble = stand.trouble.as_ref();
    SyncView {
        state: state(stand.state),
        reason: trouble.map(|trouble| shown(&trouble.reason)),
        hint: trouble.map(|trouble| shown(&trouble.hint)),
        needs_consent: trouble.is_some_and(|trouble| trouble.needs_consent),
        paused,
        pending: stand.pending,
        held: stand.held.as_ref().map(shown),
        conflicts: stand.conflicts,
        problems: stand.problems,
        withheld: stand.withheld,
        tripped: stand.tripped,
        tripwire: stand.tripwire.as_ref().map(shown),
        polling: stand.polling.as_ref().map(shown),
        last_cycle: stand.last_cycle.as_ref().map(cycle),
        progress: stand.progress.map(progress),
    }
}

fn state(state: State) -> SyncState {
    match state {
        State::Starting => SyncState::Starting,
        State::InStep => SyncState::InStep,
        State::Syncing => SyncState::Syncing,
        State::Problems => SyncState::Problems,
        State::Conflicts => SyncState::Conflicts,
        State::Halted => SyncState::Halted,
        State::Failed => SyncState::Failed,
        State::Paused => SyncState::Paused,
        State::Offline => SyncState::Offline,
    }
}

fn progress(progress: Progress) -> SyncProgressView {
    let Progress { done, all, .. } = progress;
    SyncProgressView {
        files: done.files,
        of_files: all.files,
        bytes: done.bytes,
        of_bytes: all.bytes,
        bytes_per_second: progress.per_second,
        seconds_left: progress.seconds_left,
        text: progress.to_string(),
    }
}

fn cycle(carried: &Carried) -> SyncCycleView {
    SyncCycleView {
        at: carried.at.to_string(),
        to_host: carried.to_host,
        to_container: carried.to_container,
        deleted: carried.deleted,
        merged: carried.merged,
    }
}

/// What the container alone has, as it is told in one line.
pub(super) fn only_there(stand: &Stand) -> Option<String> {
    let what = stand.left_there()?;
    Some(sanitise(&what, TEXT_CAP))
}

/// Why something failed, as it is told in one line.
pub(super) fn reason(trouble: &Trouble) -> String {
    sanitise(&trouble.reason, TEXT_CAP)
}

#[cfg(test)]
mod tests;
