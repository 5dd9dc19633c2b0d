//! What the tray shows: a pure function from the snapshot to icon, tooltip and menu.
//!
//! Invariant: no I/O and no clock; the same snapshot at the same moment is the same menu.
//! Labels are plain text: whoever draws them escapes mnemonics.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::verb::Verb;
use crate::view::{
    AlertKind, AlertView, AttentionState, EngineState, SessionState, SessionView, Snapshot,
};

mod session;
#[cfg(test)]
mod tests;
mod words;

pub use words::escape_mnemonics;

/// Sessions in the menu's first level; what exceeds it goes into submenus.
const MAX_ROWS: usize = 15;
/// Alerts in the menu; the window has the rest.
const MAX_ALERTS: usize = 5;

/// The tray at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Tray {
    /// Picks the icon: the worst attention over all sessions, offline without an engine.
    pub icon: AttentionState,
    /// One line in words, without the product's name.
    pub tooltip: String,
    /// How many sessions need their person.
    pub count: usize,
    /// Rows from top to bottom.
    pub items: Vec<Item>,
}

/// One row of the menu. Ids are unique in a menu and stable while the row means the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Does something when clicked.
    Command {
        /// Stable id.
        id: String,
        /// Plain text.
        label: String,
        /// What a click does.
        action: Action,
        /// Whether it can be clicked.
        enabled: bool,
    },
    /// Text that cannot be clicked.
    Note {
        /// Stable id.
        id: String,
        /// Plain text.
        label: String,
    },
    /// A switch.
    Check {
        /// Stable id.
        id: String,
        /// Plain text.
        label: String,
        /// What a click does.
        action: Action,
        /// Whether it is on.
        checked: bool,
    },
    /// Opens more rows.
    Submenu {
        /// Stable id.
        id: String,
        /// Plain text.
        label: String,
        /// Its rows.
        items: Vec<Item>,
    },
    /// A line between groups.
    Separator,
}

/// What a click does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends a verb to the core.
    Run(Verb),
    /// Opens code-server of a session in the browser.
    OpenCodeServer {
        /// Its name.
        session: String,
    },
    /// Shows the window at a place.
    Show(Navigate),
    /// Writes or removes the login entry.
    SetStartAtLogin(bool),
    /// Ends the application; sessions keep running.
    Quit,
}

/// A place in the window; payload of the event `navigate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Navigate {
    /// Which view.
    pub view: View,
    /// Session to select there.
    pub session: Option<String>,
}

/// The window's views that others lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// List and detail.
    Sessions,
    /// The new-session dialog.
    NewSession,
    /// The confirmation before a session is removed.
    RemoveSession,
    /// Every alert.
    Alerts,
    /// Docker contexts and engines.
    Contexts,
    /// Settings.
    Settings,
    /// Checks with their fixes.
    Doctor,
}

/// What the shell knows and the snapshot does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellFacts {
    /// Whether a login entry stands.
    pub start_at_login: bool,
    /// Why no core answers, in words; looked at only without a snapshot.
    pub problem: Option<String>,
}

impl Tray {
    /// Draws the snapshot; none while no core answers.
    #[must_use]
    pub fn of(snapshot: Option<&Snapshot>, shell: &ShellFacts, now: Timestamp) -> Self {
        match snapshot {
            Some(snapshot) => connected(snapshot, shell, now),
            None => disconnected(shell),
        }
    }

    /// What a click on a row does.
    #[must_use]
    pub fn action(&self, id: &str) -> Option<&Action> {
        find(&self.items, id)
    }
}

impl Navigate {
    /// The list, with a session selected.
    #[must_use]
    pub fn to_session(session: &str) -> Self {
        Self {
            view: View::Sessions,
            session: Some(session.to_owned()),
        }
    }

    /// A view as it stands.
    #[must_use]
    pub fn to(view: View) -> Self {
        Self {
            view,
            session: None,
        }
    }
}

fn find<'m>(items: &'m [Item], wanted: &str) -> Option<&'m Action> {
    items.iter().find_map(|item| match item {
        Item::Command { id, action, .. } | Item::Check { id, action, .. } => {
            (id == wanted).then_some(action)
        }
        Item::Submenu { items, .. } => find(items, wanted),
        Item::Note { .. } | Item::Separator => None,
    })
}

fn connected(snapshot: &Snapshot, shell: &ShellFacts, now: Timestamp) -> Tray {
    let mut items = session_rows(snapshot, now);
    items.push(Item::Separator);
    items.extend(alert_rows(&snapshot.alerts));
    items.push(command(
        "new",
        "New session…",
        Action::Show(Navigate::to(View::NewSession)),
    ));
    items.push(open_mizzen());
    items.push(notifications(snapshot));
    items.extend(last_rows(shell));
    Tray {
        icon: icon(snapshot),
        tooltip: words::tooltip(snapshot),
        count: snapshot
            .sessions
            .iter()
            .filter(|session| needs_person(session))
            .count(),
        items,
    }
}

fn disconnected(shell: &ShellFacts) -> Tray {
    let problem = shell.problem.as_deref().unwrap_or("starting…");
    let mut items = vec![
        Item::Note {
            id: "problem".to_owned(),
            label: words::clip(problem, words::ROW),
        },
        Item::Separator,
        open_mizzen(),
    ];
    items.extend(last_rows(shell));
    Tray {
        icon: AttentionState::Offline,
        tooltip: words::clip(problem, words::LINE),
        count: 0,
        items,
    }
}

/// The worst attention over all sessions. Sessions that merely do not run are not bad news:
/// they count only when no engine answers.
fn icon(snapshot: &Snapshot) -> AttentionState {
    if !snapshot
        .engines
        .iter()
        .any(|engine| engine.state == EngineState::Online)
    {
        return AttentionState::Offline;
    }
    let states = snapshot
        .sessions
        .iter()
        .map(|session| session.attention.state);
    states
        .filter(|state| *state != AttentionState::Offline)
        .min()
        .unwrap_or(AttentionState::Idle)
}

fn needs_person(session: &SessionView) -> bool {
    session.attention.state <= AttentionState::Stale
}

/// Those who need a person first, then by name; a long list keeps the rest in submenus.
fn session_rows(snapshot: &Snapshot, now: Timestamp) -> Vec<Item> {
    let sessions = &snapshot.sessions;
    if sessions.is_empty() {
        return vec![Item::Note {
            id: "empty".to_owned(),
            label: "No sessions yet".to_owned(),
        }];
    }
    let (urgent, calm): (Vec<_>, Vec<_>) =
        sessions.iter().partition(|session| needs_person(session));
    let mut rows: Vec<_> = urgent.into_iter().chain(calm).collect();
    let row = |session: &SessionView| session::row(session, now);
    if rows.len() <= MAX_ROWS {
        return rows.into_iter().map(row).collect();
    }
    let resting =
        |session: &&SessionView| session.state == SessionState::Stopped && !needs_person(session);
    let stopped: Vec<_> = rows.extract_if(.., |session| resting(session)).collect();
    let more = rows.split_off(rows.len().min(MAX_ROWS));
    let mut items: Vec<_> = rows.into_iter().map(row).collect();
    items.extend(group("more", "More", &more, row));
    items.extend(group("stopped", "Stopped", &stopped, row));
    items
}

fn group(
    id: &str,
    title: &str,
    sessions: &[&SessionView],
    row: impl Fn(&SessionView) -> Item,
) -> Option<Item> {
    (!sessions.is_empty()).then(|| Item::Submenu {
        id: format!("group:{id}"),
        label: format!("{title} ({})", sessions.len()),
        items: sessions.iter().map(|session| row(session)).collect(),
    })
}

fn alert_rows(alerts: &[AlertView]) -> Vec<Item> {
    let mut rows: Vec<_> = alerts.iter().take(MAX_ALERTS).map(alert_row).collect();
    if alerts.len() > MAX_ALERTS {
        let label = format!("{} more alerts…", alerts.len() - MAX_ALERTS);
        rows.push(command(
            "alerts:more",
            &label,
            Action::Show(Navigate::to(View::Alerts)),
        ));
    }
    if !rows.is_empty() {
        rows.push(Item::Separator);
    }
    rows
}

fn alert_row(alert: &AlertView) -> Item {
    let id = |what: &str| format!("alert:{}:{what}", alert.id);
    let mut items = Vec::new();
    if let (AlertKind::EngineOffline, Some(engine)) = (alert.kind, &alert.engine) {
        let retry = Verb::RetryEngine {
            engine: engine.clone(),
        };
        items.push(command(&id("retry"), "Retry", Action::Run(retry)));
    }
    let details = Navigate {
        view: View::Alerts,
        session: alert.session.clone(),
    };
    items.push(command(&id("details"), "Details", Action::Show(details)));
    let dismiss = Verb::DismissAlert {
        id: alert.id.clone(),
    };
    items.push(command(&id("dismiss"), "Dismiss", Action::Run(dismiss)));
    Item::Submenu {
        id: format!("alert:{}", alert.id),
        label: words::clip(&format!("⚠ {}", alert.message), words::ROW),
        items,
    }
}

fn open_mizzen() -> Item {
    command(
        "open",
        "Open Mizzen",
        Action::Show(Navigate::to(View::Sessions)),
    )
}

fn notifications(snapshot: &Snapshot) -> Item {
    let on = snapshot.settings.notifications;
    let mut settings = snapshot.settings.clone();
    settings.notifications = !on;
    Item::Check {
        id: "notifications".to_owned(),
        label: "Notifications".to_owned(),
        action: Action::Run(Verb::SaveSettings { settings }),
        checked: on,
    }
}

fn last_rows(shell: &ShellFacts) -> [Item; 3] {
    let start_at_login = Item::Check {
        id: "start-at-login".to_owned(),
        label: "Start at login".to_owned(),
        action: Action::SetStartAtLogin(!shell.start_at_login),
        checked: shell.start_at_login,
    };
    [
        start_at_login,
        Item::Separator,
        command("quit", "Quit (sessions keep running)", Action::Quit),
    ]
}

fn command(id: &str, label: &str, action: Action) -> Item {
    Item::Command {
        id: id.to_owned(),
        label: label.to_owned(),
        action,
        enabled: true,
    }
}
