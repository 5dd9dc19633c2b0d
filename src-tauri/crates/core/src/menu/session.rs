//! One session's row and the verbs its state allows.

use jiff::Timestamp;

use super::{Action, Item, Navigate, View, command, words};
use crate::verb::{SessionRef, Verb};
use crate::view::{SessionState, SessionView};

pub(super) fn row(session: &SessionView, now: Timestamp) -> Item {
    Item::Submenu {
        id: format!("session:{}", session.name),
        label: words::clip(
            &format!("{} — {}", session.name, words::standing(session, now)),
            words::ROW,
        ),
        items: items(session),
    }
}

fn items(session: &SessionView) -> Vec<Item> {
    let name = &session.name;
    let id = |what: &str| format!("session:{name}:{what}");
    let mut items = Vec::new();
    if session.state == SessionState::Running {
        items.push(Item::Command {
            id: id("code-server"),
            label: "Open code-server".to_owned(),
            action: Action::OpenCodeServer {
                session: name.clone(),
            },
            enabled: session.url.is_some(),
        });
    }
    for choice in choices(session.state) {
        let verb = (choice.verb)(SessionRef {
            session: name.clone(),
        });
        items.push(command(&id(choice.id), choice.label, Action::Run(verb)));
    }
    if removable(session) {
        let ask = Navigate {
            view: View::RemoveSession,
            session: Some(name.clone()),
        };
        items.push(command(&id("remove"), "Remove…", Action::Show(ask)));
    }
    items.push(Item::Separator);
    items.push(command(
        &id("show"),
        "Show",
        Action::Show(Navigate::to_session(name)),
    ));
    items
}

/// A verb as a row.
struct Choice {
    id: &'static str,
    label: &'static str,
    verb: fn(SessionRef) -> Verb,
}

const START: Choice = Choice {
    id: "start",
    label: "Start",
    verb: Verb::Start,
};
const STOP: Choice = Choice {
    id: "stop",
    label: "Stop",
    verb: Verb::Stop,
};
const PAUSE: Choice = Choice {
    id: "pause",
    label: "Pause",
    verb: Verb::Pause,
};
const RESUME: Choice = Choice {
    id: "resume",
    label: "Resume",
    verb: Verb::Resume,
};
const RESTART: Choice = Choice {
    id: "restart",
    label: "Restart",
    verb: Verb::Restart,
};

fn choices(state: SessionState) -> &'static [Choice] {
    match state {
        SessionState::Running => &[PAUSE, RESTART, STOP],
        SessionState::Paused => &[RESUME, STOP],
        SessionState::Starting => &[STOP],
        SessionState::Stopped | SessionState::Failed => &[START],
        SessionState::Creating
        | SessionState::Pausing
        | SessionState::Resuming
        | SessionState::Stopping
        | SessionState::Removing
        | SessionState::Lost => &[],
    }
}

/// The menu offers removal where nothing runs; the window can force it elsewhere. A session whose engine is out of reach
/// can be forgotten, whatever runs there.
fn removable(session: &SessionView) -> bool {
    match session.state {
        SessionState::Stopped | SessionState::Failed => true,
        SessionState::Lost => session.out_of_reach,
        SessionState::Creating
        | SessionState::Starting
        | SessionState::Running
        | SessionState::Pausing
        | SessionState::Paused
        | SessionState::Resuming
        | SessionState::Stopping
        | SessionState::Removing => false,
    }
}
