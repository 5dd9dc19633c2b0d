//! What a person should know now: raised by facts, cleared when they end.

mod contexts;
mod reported;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mizzen_sessions::{Notice, NoticeKind, SessionFact};

use crate::view::{AlertKind, AlertView, Change, EngineState, EngineView, SyncView};

/// An alert raised this often within [`FLAP_WINDOW`] is left standing until it has been quiet
/// for as long: a crash loop is one alert, not one per round.
const FLAPS: usize = 3;
const FLAP_WINDOW: Duration = Duration::from_secs(60);

/// A container's own texts may change all the time: an alert follows them this often.
const RENEWAL: Duration = Duration::from_secs(10);

const GATEWAY: &str = "gateway_down";

/// All alerts that stand. Pure: time is given, changes come out.
#[derive(Default)]
pub(crate) struct Alerts {
    by_id: BTreeMap<String, Standing>,
}

#[derive(Default)]
struct Standing {
    /// None once its fact has ended.
    alert: Option<AlertView>,
    /// Put away by a person while its fact stands.
    dismissed: bool,
    /// When it was raised lately.
    raises: Vec<Instant>,
    /// When a clearing that was put off is due.
    clear_at: Option<Instant>,
    /// When its text may change again.
    renew_at: Option<Instant>,
    /// The text it has by then.
    newer: Option<AlertView>,
}

impl Alerts {
    pub(crate) fn on_notice(&mut self, notice: &Notice, now: Instant) -> Vec<Change> {
        let session = notice.session.to_string();
        let kind = match notice.kind {
            NoticeKind::Died => AlertKind::ContainerDied,
            NoticeKind::OutOfMemory => AlertKind::OutOfMemory,
            NoticeKind::Unhealthy => AlertKind::Unhealthy,
            NoticeKind::Stale => AlertKind::StatusStale,
            NoticeKind::Gone => AlertKind::ContainerGone,
            NoticeKind::Over => return self.on_session_well(&session, now),
        };
        let alert = AlertView {
            id: session_id(kind, &session),
            kind,
            session: Some(session),
            engine: Some(notice.engine.clone()),
            undo: None,
            message: notice.message.clone(),
            hint: notice.hint.clone(),
            at: notice.at.to_string(),
        };
        self.raise(alert, News::Happening, now)
            .into_iter()
            .collect()
    }

    /// Whatever was wrong with a session no longer is.
    pub(crate) fn on_session_well(&mut self, session: &str, now: Instant) -> Vec<Change> {
        let ids: Vec<String> = SESSION_KINDS
            .iter()
            .map(|kind| session_id(*kind, session))
            .collect();
        ids.iter().filter_map(|id| self.clear(id, now)).collect()
    }

    /// How the workspace of a session stands; nobody keeps it in step while there is no view.
    pub(crate) fn on_sync(
        &mut self,
        session: &SessionFact,
        view: Option<&SyncView>,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for kind in SYNC_KINDS {
            let alert = view.and_then(|view| sync_alert(kind, session, view, at));
            let id = session_id(kind, session.name.as_str());
            changes.extend(match alert {
                // Each one that comes is something new.
                Some(alert) if kind == AlertKind::SyncTripwire => self.renew(alert, now),
                Some(alert) => self.raise(alert, News::StillSo, now),
                None => self.clear(&id, now),
            });
        }
        changes
    }

    /// What a container reports of itself: its errors and warnings are alerts for as long as it repeats them.
    pub(crate) fn on_report(
        &mut self,
        session: &SessionFact,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Vec<Change> {
        let told = reported::KINDS.map(|kind| match reported::alert(kind, session, at) {
            Some(alert) => self.renew(alert, now),
            None => self.clear(&session_id(kind, session.name.as_str()), now),
        });
        told.into_iter().flatten().collect()
    }

    /// Whether history comes through, there and back.
    pub(crate) fn on_history(
        &mut self,
        session: &SessionFact,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Option<Change> {
        let (kind, name) = (AlertKind::HistoryStays, session.name.as_str());
        let id = session_id(kind, name);
        let Some(trouble) = &session.history_trouble else {
            return self.clear(&id, now);
        };
        let alert = AlertView {
            id,
            kind,
            session: Some(name.to_owned()),
            engine: Some(session.engine.clone()),
            undo: None,
            message: format!("Git in session `{name}`: {}", trouble.message),
            hint: trouble.hint.clone(),
            at: at.to_string(),
        };
        self.raise(alert, News::StillSo, now)
    }

    /// A session is gone, and its alerts with it, flapping or not.
    pub(crate) fn on_session_removed(&mut self, session: &str) -> Vec<Change> {
        let kinds = SESSION_KINDS
            .iter()
            .chain(&SYNC_KINDS)
            .chain([&AlertKind::HistoryStays])
            .chain(&reported::KINDS);
        let ids = kinds.map(|kind| session_id(*kind, session));
        ids.filter_map(|id| {
            let standing = self.by_id.remove(&id)?;
            standing.is_shown().then_some(Change::AlertCleared { id })
        })
        .collect()
    }

    pub(crate) fn on_engine(&mut self, engine: &EngineView, now: Instant) -> Vec<Change> {
        let id = engine_id(&engine.name);
        let change = match engine.state {
            EngineState::Connecting => None,
            EngineState::Online => self.clear(&id, now),
            EngineState::Offline => self.raise(
                AlertView {
                    id,
                    kind: AlertKind::EngineOffline,
                    session: None,
                    engine: Some(engine.name.clone()),
                    undo: None,
                    message: offline(engine),
                    hint: engine.hint.clone().unwrap_or_default(),
                    at: engine.since.clone(),
                },
                News::StillSo,
                now,
            ),
        };
        change.into_iter().collect()
    }

    pub(crate) fn on_engine_removed(&mut self, name: &str, now: Instant) -> Option<Change> {
        self.clear(&engine_id(name), now)
    }

    pub(crate) fn on_gateway(
        &mut self,
        problem: &str,
        at: jiff::Timestamp,
        now: Instant,
    ) -> Vec<Change> {
        let alert = AlertView {
            id: GATEWAY.to_owned(),
            kind: AlertKind::GatewayDown,
            session: None,
            engine: None,
            undo: None,
            message: problem.to_owned(),
            hint: "Free a port or set another `gateway_port`, then restart Mizzen.".to_owned(),
            at: at.to_string(),
        };
        self.raise(alert, News::StillSo, now).into_iter().collect()
    }

    /// Puts an alert away until its fact comes anew; none when it does not stand.
    pub(crate) fn dismiss(&mut self, id: &str) -> Option<Change> {
        let standing = self
            .by_id
            .get_mut(id)
            .filter(|standing| standing.is_shown())?;
        standing.dismissed = true;
        Some(Change::AlertCleared { id: id.to_owned() })
    }

    /// When [`Alerts::tick`] has something to do.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.by_id.values().filter_map(Standing::next_due).min()
    }

    /// Does what was put off and is due.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Change> {
        let is_due = |standing: &Standing| standing.next_due().is_some_and(|at| at <= now);
        let due = self.by_id.iter().filter(|(_, standing)| is_due(standing));
        let ids: Vec<String> = due.map(|(id, _)| id.clone()).collect();
        ids.iter().filter_map(|id| self.do_now(id, now)).collect()
    }

    fn do_now(&mut self, id: &str, now: Instant) -> Option<Change> {
        let newer = self.by_id.get_mut(id)?.newer.take();
        match newer {
            Some(newer) => self.renew(newer, now),
            None => self.end(id),
        }
    }

    /// Raises what has a text of a container's own choosing.
    fn renew(&mut self, alert: AlertView, now: Instant) -> Option<Change> {
        let standing = self.by_id.entry(alert.id.clone()).or_default();
        standing.newer = None;
        let news = match &standing.alert {
            Some(old) if old.message == alert.message => News::StillSo,
            Some(_) if standing.renew_at.is_some_and(|at| at > now) => {
                standing.newer = Some(alert);
                standing.clear_at = None;
                return None;
            }
            _ => News::Happening,
        };
        if news == News::Happening {
            standing.renew_at = Some(now + RENEWAL);
        }
        self.raise(alert, news, now)
    }

    fn raise(&mut self, alert: AlertView, news: News, now: Instant) -> Option<Change> {
        let standing = self.by_id.entry(alert.id.clone()).or_default();
        if standing.alert.is_none() || standing.clear_at.take().is_some() {
            standing.count(now);
        }
        let says_the_same = standing
            .alert
            .as_ref()
            .is_some_and(|old| old.message == alert.message && old.hint == alert.hint);
        let stays_away = standing.dismissed && standing.alert.is_some() && news == News::StillSo;
        if stays_away || (says_the_same && standing.is_shown()) {
            return None;
        }
        standing.alert = Some(alert.clone());
        standing.dismissed = false;
        Some(Change::AlertRaised { alert })
    }

    fn clear(&mut self, id: &str, now: Instant) -> Option<Change> {
        let standing = self.by_id.get_mut(id)?;
        standing.newer = None;
        let is_recent = |first: &Instant| now.duration_since(*first) < FLAP_WINDOW;
        if standing.raises.len() >= FLAPS && standing.raises.first().is_some_and(is_recent) {
            standing.clear_at = Some(now + FLAP_WINDOW);
            return None;
        }
        self.end(id)
    }

    fn end(&mut self, id: &str) -> Option<Change> {
        let standing = self.by_id.get_mut(id)?;
        let was_shown = standing.is_shown();
        standing.alert = None;
        standing.clear_at = None;
        was_shown.then(|| Change::AlertCleared { id: id.to_owned() })
    }
}

impl Standing {
    /// Notes that it was raised; more than [`FLAPS`] are not told apart.
    fn count(&mut self, now: Instant) {
        self.raises
            .retain(|at| now.duration_since(*at) < FLAP_WINDOW);
        self.raises.truncate(FLAPS - 1);
        self.raises.push(now);
    }

    fn next_due(&self) -> Option<Instant> {
        let renewal = self.newer.as_ref().and(self.renew_at);
        renewal.or(self.clear_at)
    }

    fn is_shown(&self) -> bool {
        self.alert.is_some() && !self.dismissed
    }
}

/// Whether a raise tells of something new. A dismissed alert comes back only for that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Happening,
    StillSo,
}

const SESSION_KINDS: [AlertKind; 5] = [
    AlertKind::ContainerDied,
    AlertKind::OutOfMemory,
    AlertKind::Unhealthy,
    AlertKind::StatusStale,
    AlertKind::ContainerGone,
];

const SYNC_KINDS: [AlertKind; 3] = [
    AlertKind::SyncHalted,
    AlertKind::SyncConflicts,
    AlertKind::SyncTripwire,
];

/// What a person should know of a workspace; none when there is nothing of this kind.
fn sync_alert(
    kind: AlertKind,
    session: &SessionFact,
    view: &SyncView,
    at: jiff::Timestamp,
) -> Option<AlertView> {
    let name = session.name.as_str();
    let (message, hint) = match kind {
        AlertKind::SyncHalted if view.needs_consent => {
            let reason = view.reason.clone().unwrap_or_default();
            let hint = view.hint.clone().unwrap_or_default();
            (format!("Session `{name}`: {reason}"), hint)
        }
        AlertKind::SyncConflicts if view.conflicts > 0 => {
            let places = match view.conflicts {
                1 => "1 place was".to_owned(),
                many => format!("{many} places were"),
            };
            let message = format!(
                "Session `{name}`: {places} changed in the folder and in the container in ways that do not go together."
            );
            let hint = format!("See and decide them: mizzen sync conflicts {name}");
            (message, hint)
        }
        AlertKind::SyncTripwire => {
            let last = view.tripwire.as_ref()?;
            let times = match view.tripped {
                1 => String::new(),
                many => format!(" (the last of {many} such changes)"),
            };
            let message = format!(
                "Session `{name}`: the container changed `{last}`, which tools on this machine may run without asking{times}."
            );
            let hint = format!(
                "Look at it before you open the folder with them. To take it back: mizzen sync history {name}, then \
                 mizzen sync undo CYCLE {name}"
            );
            (message, hint)
        }
        _ => return None,
    };
    Some(AlertView {
        id: session_id(kind, name),
        kind,
        session: Some(name.to_owned()),
        engine: Some(session.engine.clone()),
        undo: None,
        message,
        hint,
        at: at.to_string(),
    })
}

/// Which engine is away and why; where none could be selected there is only the reason.
fn offline(engine: &EngineView) -> String {
    let reason = engine.reason.as_deref().unwrap_or_default();
    if engine.endpoint.is_empty() {
        return reason.to_owned();
    }
    format!("Engine `{}`: {reason}", engine.name)
}

fn engine_id(name: &str) -> String {
    format!("engine_offline:{name}")
}

fn session_id(kind: AlertKind, session: &str) -> String {
    let kind = match kind {
        AlertKind::ContainerDied => "container_died",
        AlertKind::OutOfMemory => "out_of_memory",
        AlertKind::Unhealthy => "unhealthy",
        AlertKind::StatusStale => "status_stale",
        AlertKind::ContainerGone => "container_gone",
        AlertKind::SyncHalted => "sync_halted",
        AlertKind::SyncConflicts => "sync_conflicts",
        AlertKind::SyncTripwire => "sync_tripwire",
        AlertKind::HistoryStays => "history_stays",
        AlertKind::ReportedErrors => "reported_errors",
        AlertKind::ReportedWarnings => "reported_warnings",
        AlertKind::EngineOffline
        | AlertKind::GatewayDown
        | AlertKind::ContextChanged
        | AlertKind::ContextsHeld
        | AlertKind::ContextsDamaged => {
            unreachable!("BUG: not a session's alert")
        }
    };
    format!("{kind}:{session}")
}

#[cfg(test)]
mod tests;
