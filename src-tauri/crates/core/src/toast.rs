//! Which events become desktop notifications: a policy without clock, bus or window.
//!
//! Invariant: nothing that a container wrote reaches a notification server as markup, control
//! characters or more than a few lines.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::menu::{Navigate, View};
use crate::verb::ApiError;
use crate::view::{AlertKind, AlertView, Change};

#[cfg(test)]
mod tests;
mod text;

/// A session is not heard again about the same kind of news within this time.
const COOLDOWN: Duration = Duration::from_secs(30);
/// At most `BURST` toasts in `BURST_WINDOW`; more are told in one toast that is updated in place.
const BURST: usize = 3;
const BURST_WINDOW: Duration = Duration::from_secs(10);
/// Key of that one toast. No session can be called so: a colon is not allowed in names.
const CROWD: &str = "crowd:";

/// A desktop notification to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// A toast with the same key is replaced in place.
    pub key: String,
    /// Plain text; servers draw the title as it is.
    pub title: String,
    /// Escaped for the markup that servers draw in bodies.
    pub body: String,
    /// How loud.
    pub urgency: Urgency,
    /// Where its action `Open`, or a click on it, leads.
    pub open: Navigate,
    /// The change of Docker contexts that its action `Undo` takes back.
    pub undo: Option<u64>,
}

impl Toast {
    /// A click in the tray was refused, or came to nothing.
    #[must_use]
    pub fn of_refusal(session: Option<&str>, error: &ApiError) -> Self {
        let title = match session {
            Some(session) => format!("{session}: {}", error.message),
            None => error.message.clone(),
        };
        Self {
            key: format!("refused:{}", session.unwrap_or_default()),
            title: text::title(&title),
            body: text::body(&error.hint),
            urgency: Urgency::Normal,
            open: session.map_or(Navigate::to(View::Sessions), Navigate::to_session),
            undo: None,
        }
    }

    /// What the action `Undo` of a toast came to: it takes that toast's place.
    #[must_use]
    pub fn of_undo(key: String, undone: &Result<String, ApiError>) -> Self {
        let (title, body) = match undone {
            Ok(message) => ("Undone", message.clone()),
            Err(error) => ("Not undone", format!("{}\n{}", error.message, error.hint)),
        };
        Self {
            key,
            title: title.to_owned(),
            body: text::body(&body),
            urgency: Urgency::Normal,
            open: Navigate::to(View::Contexts),
            undo: None,
        }
    }

    /// The window was closed for the first time.
    #[must_use]
    pub fn of_close_to_tray() -> Self {
        Self::of_mizzen(
            "Mizzen keeps running",
            "Its icon in the tray brings the window back.",
        )
    }

    /// The desktop has no tray.
    #[must_use]
    pub fn of_no_tray() -> Self {
        let body = "Mizzen lives in its window: closing it quits. Sessions keep running.";
        Self::of_mizzen("This desktop has no tray", body)
    }

    fn of_mizzen(title: &str, body: &str) -> Self {
        Self {
            key: "mizzen:".to_owned(),
            title: title.to_owned(),
            body: text::body(body),
            urgency: Urgency::Normal,
            open: Navigate::to(View::Sessions),
            undo: None,
        }
    }

    /// The body for servers that draw no markup.
    #[must_use]
    pub fn plain_body(&self) -> String {
        text::unescape(&self.body)
    }
}

/// How loud a toast is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Goes away by itself.
    Normal,
    /// Stays until it is seen.
    Critical,
}

/// What the policy asks of the world.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The setting.
    pub notifications: bool,
    /// Session that the focused window shows.
    pub looking_at: Option<&'a str>,
    /// Now.
    pub now: Instant,
}

/// Remembers what was told when.
#[derive(Debug, Default)]
pub struct Toaster {
    told: BTreeMap<String, Told>,
    recent: VecDeque<Instant>,
    crowd: Option<Crowd>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    weight: u8,
}

/// Sessions and engines told about in one toast.
#[derive(Debug)]
struct Crowd {
    at: Instant,
    subjects: Vec<String>,
}

impl Toaster {
    /// Decides whether a change is worth a toast.
    pub fn on_change(&mut self, change: &Change, around: Surroundings<'_>) -> Option<Toast> {
        let Change::AlertRaised { alert } = change else {
            return None;
        };
        let weight = weight(alert.kind)?;
        let seen = alert.session.is_some() && alert.session.as_deref() == around.looking_at;
        if !around.notifications || seen {
            return None;
        }
        let key = key(alert);
        self.forget_before(around.now);
        // A heavier fact about the same subject replaces the toast at once: the kernel's kill
        // is often told after the container's end that it caused. So does what can be undone: a
        // person has to know what an Undo takes back, and alerts of that kind wait for each other.
        let told = self.told.get(&key);
        if alert.undo.is_none() && told.is_some_and(|told| told.weight >= weight) {
            return None;
        }
        let update = self
            .told
            .insert(
                key.clone(),
                Told {
                    at: around.now,
                    weight,
                },
            )
            .is_some();
        if let Some(crowd) = &mut self.crowd {
            return crowd.join(key, around.now);
        }
        if update {
            return Some(single(alert, key));
        }
        if self.recent.len() >= BURST {
            let crowd = self.crowd.insert(Crowd {
                at: around.now,
                subjects: Vec::new(),
            });
            return crowd.join(key, around.now);
        }
        self.recent.push_back(around.now);
        Some(single(alert, key))
    }

    fn forget_before(&mut self, now: Instant) {
        self.told
            .retain(|_, told| now.duration_since(told.at) < COOLDOWN);
        while self
            .recent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= BURST_WINDOW)
        {
            self.recent.pop_front();
        }
        self.crowd
            .take_if(|crowd| now.duration_since(crowd.at) >= BURST_WINDOW);
    }
}

impl Crowd {
    fn join(&mut self, subject: String, now: Instant) -> Option<Toast> {
        self.at = now;
        if self.subjects.contains(&subject) {
            return None;
        }
        self.subjects.push(subject);
        Some(self.toast())
    }

    fn toast(&self) -> Toast {
        let title = match self.subjects.len() {
            1 => "1 more needs you".to_owned(),
            count => format!("{count} more need you"),
        };
        let names = self.subjects.iter().map(|key| {
            key.strip_prefix(ENGINE)
                .or(key.strip_prefix(CONTEXT))
                .unwrap_or(key)
        });
        Toast {
            key: CROWD.to_owned(),
            title,
            body: text::body(&names.collect::<Vec<_>>().join(", ")),
            urgency: Urgency::Normal,
            open: Navigate::to(View::Alerts),
            undo: None,
        }
    }
}

const ENGINE: &str = "engine:";
/// Of what a container did to one Docker context.
const CONTEXT: &str = "alert:context_changed:";

/// One toast per session and one per engine.
fn key(alert: &AlertView) -> String {
    match (&alert.session, &alert.engine) {
        (Some(session), _) => session.clone(),
        (None, Some(engine)) => format!("{ENGINE}{engine}"),
        (None, None) => format!("alert:{}", alert.id),
    }
}

/// How telling a kind is; none for what the tray and the window tell well enough.
fn weight(kind: AlertKind) -> Option<u8> {
    match kind {
        AlertKind::OutOfMemory => Some(3),
        AlertKind::ContainerDied | AlertKind::ContainerGone | AlertKind::EngineOffline => Some(2),
        AlertKind::SyncHalted | AlertKind::ContextChanged | AlertKind::ContextsHeld => Some(2),
        AlertKind::Unhealthy | AlertKind::SyncConflicts | AlertKind::ReportedErrors => Some(1),
        AlertKind::SyncTripwire => Some(2),
        AlertKind::ContextsDamaged | AlertKind::HistoryStays => Some(1),
        AlertKind::StatusStale | AlertKind::GatewayDown | AlertKind::ReportedWarnings => None,
    }
}

fn single(alert: &AlertView, key: String) -> Toast {
    let subject = alert
        .session
        .as_deref()
        .or(alert.engine.as_deref())
        .unwrap_or("Mizzen");
    let title = format!("{}: {}", subject, headline(alert.kind));
    let body = if alert.hint.is_empty() {
        text::body(&alert.message)
    } else {
        text::body(&format!("{}\n{}", alert.message, alert.hint))
    };
    Toast {
        key,
        title: text::title(&title),
        body,
        urgency: urgency(alert.kind),
        open: alert
            .session
            .as_deref()
            .map_or(Navigate::to(place(alert.kind)), Navigate::to_session),
        undo: alert.undo,
    }
}

/// Where an alert that is of no session is seen to.
fn place(kind: AlertKind) -> View {
    match kind {
        AlertKind::ContextChanged | AlertKind::ContextsHeld | AlertKind::ContextsDamaged => {
            View::Contexts
        }
        _ => View::Alerts,
    }
}

fn headline(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::ContainerDied => "container ended",
        AlertKind::OutOfMemory => "out of memory",
        AlertKind::Unhealthy => "unhealthy",
        AlertKind::EngineOffline => "engine unreachable",
        AlertKind::StatusStale => "no reports",
        AlertKind::ContainerGone => "container removed",
        AlertKind::GatewayDown => "no gateway",
        AlertKind::SyncHalted => "sync has stopped",
        AlertKind::SyncConflicts => "conflicts",
        AlertKind::SyncTripwire => "changed what tools run",
        AlertKind::HistoryStays => "git history waits",
        AlertKind::ReportedErrors => "reports an error",
        AlertKind::ReportedWarnings => "reports a warning",
        AlertKind::ContextChanged => "a container changed a Docker context",
        AlertKind::ContextsHeld => "Docker contexts wait for you",
        AlertKind::ContextsDamaged => "Docker contexts are damaged",
    }
}

fn urgency(kind: AlertKind) -> Urgency {
    match kind {
        AlertKind::ContainerDied | AlertKind::OutOfMemory => Urgency::Critical,
        AlertKind::Unhealthy
        | AlertKind::EngineOffline
        | AlertKind::StatusStale
        | AlertKind::ContainerGone
        | AlertKind::GatewayDown
        | AlertKind::SyncHalted
        | AlertKind::SyncConflicts
        | AlertKind::SyncTripwire
        | AlertKind::HistoryStays
        | AlertKind::ReportedErrors
        | AlertKind::ReportedWarnings
        | AlertKind::ContextChanged
        | AlertKind::ContextsHeld
        | AlertKind::ContextsDamaged => Urgency::Normal,
    }
}
