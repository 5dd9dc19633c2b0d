//! What clients see of it: all that comes from a store is sanitised here.

use mizzen_contexts::mirror::{
    Action, Change, ContextStanding, ContextStatus, EndStatus, Hold, Side, SideStatus, Standing,
    Status, TrashEntry,
};
use mizzen_status::sanitise;

use super::News;
use crate::view::{
    ContextAction, ContextChangeView, ContextEndView, ContextHoldView, ContextState,
    ContextTrashView, ContextView, ContextsSide, ContextsSideView, ContextsState, ContextsView,
};

/// Longest name, and longest sentence, that is shown.
const NAME: usize = 128;
const TEXT: usize = 600;

pub(super) fn view(status: &Status) -> ContextsView {
    let [host, container] = &status.sides;
    let last = status.last_change.as_ref();
    ContextsView {
        state: match status.standing {
            Standing::Off => ContextsState::Off,
            Standing::InStep => ContextsState::InStep,
            Standing::Pending => ContextsState::Working,
            Standing::Held => ContextsState::Held,
            Standing::Damaged => ContextsState::Damaged,
            Standing::Halted => ContextsState::Halted,
        },
        reason: status.reason.as_deref().map(text),
        hint: status.hint.as_deref().map(text),
        host: self::side(host),
        container: self::side(container),
        contexts: status.contexts.iter().map(context).collect(),
        holds: status.holds.iter().map(hold).collect(),
        polling: None,
        last_change: last.map(|(change, undoable)| self::change(change, *undoable)),
    }
}

fn side(side: &SideStatus) -> ContextsSideView {
    ContextsSideView {
        path: text(&side.path.to_string_lossy()),
        problem: side.problem.as_deref().map(text),
        current: side.current.as_deref().map(name),
    }
}

fn context(context: &ContextStatus) -> ContextView {
    let [host, container] = &context.ends;
    ContextView {
        name: name(&context.name),
        state: match context.standing {
            ContextStanding::InStep => ContextState::InStep,
            ContextStanding::Pending => ContextState::Pending,
            ContextStanding::Held => ContextState::Held,
            ContextStanding::Quarantined => ContextState::Quarantined,
            ContextStanding::Ghost => ContextState::Ghost,
            ContextStanding::NotSynced => ContextState::NotSynced,
            ContextStanding::Special => ContextState::Special,
        },
        reason: context.reason.as_deref().map(text),
        host: host.as_ref().map(end),
        container: container.as_ref().map(end),
    }
}

fn end(end: &EndStatus) -> ContextEndView {
    ContextEndView {
        description: text(&end.description),
        endpoint: text(&end.endpoint),
        endpoint_problem: end.endpoint_problem.map(str::to_owned),
        host_only: end.host_only,
        skip_tls_verify: end.skip_tls_verify,
        tls: end.tls.iter().map(|file| name(file)).collect(),
    }
}

fn hold(hold: &Hold) -> ContextHoldView {
    ContextHoldView {
        id: hold.id.clone(),
        contexts: hold.contexts.iter().map(|one| name(one)).collect(),
        from: from(hold.from),
        message: text(&hold.message),
        hint: text(&hold.hint),
    }
}

pub(super) fn change(change: &Change, undoable: bool) -> ContextChangeView {
    ContextChangeView {
        id: change.id,
        at: change.at.to_string(),
        context: name(&change.name),
        from: from(change.from),
        action: match change.action {
            Action::Created => ContextAction::Created,
            Action::Changed => ContextAction::Changed,
            Action::Deleted => ContextAction::Deleted,
            Action::Won => ContextAction::Won,
            Action::Dropped => ContextAction::Dropped,
            Action::Undone => ContextAction::Undone,
            Action::Restored => ContextAction::Restored,
        },
        message: text(&change.message),
        undoable,
    }
}

pub(super) fn trashed(entry: TrashEntry) -> ContextTrashView {
    ContextTrashView {
        id: entry.id,
        context: name(&entry.name),
        side: from(entry.side),
        at: entry.at.to_string(),
        reason: text(&entry.reason),
        endpoint: text(&entry.endpoint),
        tls: entry.tls.iter().map(|file| name(file)).collect(),
    }
}

/// What a person hears of a change, if anything; `since` is the first in an unbroken row by containers.
pub(super) fn news(change: &Change, since: u64) -> Option<News> {
    let (name, message, id) = (name(&change.name), text(&change.message), change.id);
    // What is new is no matter, unless it takes the place of what a container had deleted.
    let is_grave = change.is_grave || change.action == Action::Created && since < id;
    match change.action {
        Action::Won => Some(News::Decided {
            name,
            message,
            change: id,
        }),
        _ if is_grave && change.from == Side::Container => Some(News::Changed {
            name,
            message,
            change: id,
            since,
        }),
        _ => None,
    }
}

fn from(side: Side) -> ContextsSide {
    match side {
        Side::Host => ContextsSide::Host,
        Side::Container => ContextsSide::Container,
    }
}

fn name(name: &str) -> String {
    sanitise(name, NAME).replace('\n', " ")
}

fn text(text: &str) -> String {
    sanitise(text, TEXT)
}
