//! How a workspace stands by what its cycles came to, and how that is said; pure.

use mizzen_status::sanitise;
use mizzen_sync::{Cycle, CycleError};
use mizzen_sync_core::{Edit, Node};

use super::opening::Trouble;
use crate::view::{SyncCycleView, SyncState, SyncView};

/// Longest text that is shown of what a side says.
const TEXT_CAP: usize = 300;

/// How it stands after a cycle.
pub(super) fn after(
    before: &SyncView,
    cycle: &Result<Cycle, CycleError>,
    session: &str,
    at: jiff::Timestamp,
) -> SyncView {
    match cycle {
        Ok(cycle) => after_well(before, cycle, at),
        Err(error) => failed(before, &trouble(error, session)),
    }
}

/// How it stands when it cannot go on.
pub(super) fn failed(before: &SyncView, trouble: &Trouble) -> SyncView {
    let state = match trouble.needs_consent {
        true => SyncState::Halted,
        false => SyncState::Failed,
    };
    SyncView {
        state,
        reason: Some(trouble.reason.clone()),
        hint: Some(trouble.hint.clone()),
        needs_consent: trouble.needs_consent,
        ..before.clone()
    }
}

fn after_well(before: &SyncView, cycle: &Cycle, at: jiff::Timestamp) -> SyncView {
    let done = done(cycle, at);
    let polling = [&cycle.polling.host, &cycle.polling.container];
    let polling = polling.into_iter().flatten().next();
    let stuck = stuck(cycle);
    let view = SyncView {
        pending: small(cycle.failures().count() - stuck),
        conflicts: small(cycle.conflicts.len()),
        problems: small(cycle.problems.len() + stuck),
        // A cycle that looked at a few places names what is kept back there, and not the rest.
        withheld: before.withheld.max(small(cycle.withheld.len())),
        polling: polling.map(|why| sanitise(why, TEXT_CAP)),
        last_cycle: done.or_else(|| before.last_cycle.clone()),
        ..SyncView::of(SyncState::InStep)
    };
    let state = match &view {
        SyncView { conflicts: 1.., .. } => SyncState::Conflicts,
        SyncView { problems: 1.., .. } => SyncState::Problems,
        SyncView { pending: 1.., .. } => SyncState::Syncing,
        _ => SyncState::InStep,
    };
    SyncView { state, ..view }
}

/// Places where a side said no: another cycle alone gets no further.
fn stuck(cycle: &Cycle) -> usize {
    use mizzen_sync::Why;
    let is_stuck = |why: &Why| !matches!(why, Why::ChangedHere | Why::ChangedThere);
    cycle
        .failures()
        .filter(|(_, failure)| is_stuck(&failure.why))
        .count()
}

/// What a cycle did; none when it did nothing.
fn done(cycle: &Cycle, at: jiff::Timestamp) -> Option<SyncCycleView> {
    let view = SyncCycleView {
        at: at.to_string(),
        to_host: entries(&cycle.applied.host.done),
        to_container: entries(&cycle.applied.container.done),
        deleted: u32::try_from(cycle.deleted).unwrap_or(u32::MAX),
        merged: small(cycle.merged.len()),
    };
    (view.to_host > 0 || view.to_container > 0).then_some(view)
}

fn entries(done: &[Edit]) -> u32 {
    let count = |edit: &Edit| edit.entry.as_ref().map_or(1, Node::count);
    let sum: u64 = done.iter().map(count).sum();
    u32::try_from(sum).unwrap_or(u32::MAX)
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What looking at everything came to, in a sentence.
pub(super) fn said(view: &SyncView, carried: Option<(u32, u32)>) -> String {
    let mut parts = Vec::new();
    if let Some((to_host, to_container)) = carried {
        let sides = [(to_container, "container"), (to_host, "folder")];
        let came = sides.into_iter().filter(|(entries, _)| *entries > 0);
        parts.extend(came.map(|(entries, side)| format!("{entries} changed in the {side}")));
    }
    let left = [
        (view.conflicts, "in conflict"),
        (view.problems, "cannot be carried"),
        (view.withheld, "kept back as secrets"),
        (view.pending, "changed meanwhile"),
    ];
    let left = left.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(left.map(|(count, what)| format!("{count} {what}")));
    let stands = match view.state {
        SyncState::Conflicts | SyncState::Problems | SyncState::Syncing => "Not all is in step",
        _ => "In step",
    };
    match parts.is_empty() {
        true => format!("{stands}."),
        false => format!("{stands}: {}.", parts.join(", ")),
    }
}

/// Entries that a cycle changed in the folder, and in the container.
pub(super) fn carried(cycle: &Cycle) -> (u32, u32) {
    let Cycle { applied, .. } = cycle;
    (
        entries(&applied.host.done),
        entries(&applied.container.done),
    )
}

/// Why a cycle did not come to its end, and what to do.
pub(super) fn trouble(error: &CycleError, session: &str) -> Trouble {
    let reason = sanitise(&format!("{error}"), TEXT_CAP);
    match error {
        CycleError::Halted(halt) => Trouble {
            reason: format!("Sync has stopped: {halt}."),
            hint: format!(
                "Look at both sides; when that is what you want: mizzen sync flush {session} --consent"
            ),
            needs_consent: true,
        },
        CycleError::Rules(_) => Trouble::new(
            &reason,
            "Mend the file that is named; sync goes on by itself.",
        ),
        CycleError::Look(..) | CycleError::Apply(..) | CycleError::Base(_) => Trouble::new(
            &reason,
            "Mend the cause; sync goes on by itself, and nothing is lost.",
        ),
    }
}

#[cfg(test)]
mod tests;
