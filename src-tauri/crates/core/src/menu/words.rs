//! The tray's words: a session's standing, ages, the tooltip.

use jiff::Timestamp;
use mizzen_status::sanitise;

use crate::view::{AttentionState, EngineState, EngineView, SessionState, SessionView, Snapshot};

/// Longest row, in characters: panels draw menus as wide as their longest row.
pub(super) const ROW: usize = 64;
/// Longest tooltip, in characters: Windows cuts at 127.
pub(super) const LINE: usize = 120;

/// One session in words: `running · 12 min`.
pub(super) fn standing(session: &SessionView, now: Timestamp) -> String {
    let state = state(session);
    match age(&session.attention.since, now) {
        Some(age) => format!("{state} · {age}"),
        None => state,
    }
}

fn state(session: &SessionView) -> String {
    let because = |word: &str| match session
        .reason
        .as_deref()
        .filter(|reason| !reason.is_empty())
    {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    };
    match session.state {
        SessionState::Running => match session.attention.state {
            AttentionState::Error | AttentionState::Stale => session.attention.text.clone(),
            AttentionState::Working => {
                sync(session).unwrap_or_else(|| session.attention.text.clone())
            }
            AttentionState::Idle | AttentionState::Offline => {
                let clock = session.clock_ahead.map(|_| session.attention.text.clone());
                let more = sync(session).or(clock);
                more.unwrap_or_else(|| "running".to_owned())
            }
        },
        SessionState::Creating => progress(session, "creating"),
        SessionState::Starting => progress(session, "starting"),
        SessionState::Pausing => "pausing".to_owned(),
        SessionState::Paused => "paused".to_owned(),
        SessionState::Resuming => "resuming".to_owned(),
        SessionState::Stopping => "stopping".to_owned(),
        SessionState::Stopped => because("stopped"),
        SessionState::Removing => "being removed".to_owned(),
        SessionState::Failed => because("failed"),
        SessionState::Lost => "engine unreachable".to_owned(),
    }
}

/// What of its workspace waits for a person.
fn sync(session: &SessionView) -> Option<String> {
    let sync = session.sync.as_ref()?;
    match sync.conflicts {
        _ if sync.needs_consent => Some("sync has stopped".to_owned()),
        0 => None,
        1 => Some("1 sync conflict".to_owned()),
        many => Some(format!("{many} sync conflicts")),
    }
}

fn progress(session: &SessionView, word: &str) -> String {
    match &session.progress {
        Some(progress) if !progress.message.is_empty() => format!("{word}: {}", progress.message),
        _ => word.to_owned(),
    }
}

/// `12 min`, `3 h`, `2 d`; nothing below a minute or when the time cannot be read.
fn age(since: &str, now: Timestamp) -> Option<String> {
    let since: Timestamp = since.parse().ok()?;
    match now.as_second().saturating_sub(since.as_second()) {
        ..60 => None,
        seconds @ 60..3600 => Some(format!("{} min", seconds / 60)),
        seconds @ 3600..86_400 => Some(format!("{} h", seconds / 3600)),
        seconds => Some(format!("{} d", seconds / 86_400)),
    }
}

/// Why no engine answers, else the worst news, then how many sessions are in which state, then which engines are away.
pub(super) fn tooltip(snapshot: &Snapshot) -> String {
    let online = snapshot
        .engines
        .iter()
        .any(|engine| engine.state == EngineState::Online);
    let parts = if online {
        [
            worst(&snapshot.sessions),
            tally(&snapshot.sessions),
            unreachable(&snapshot.engines),
        ]
    } else {
        [Some(engines(snapshot)), None, None]
    };
    let line = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    clip(
        if line.is_empty() {
            "No sessions yet"
        } else {
            &line
        },
        LINE,
    )
}

/// Engines that are away while others answer.
fn unreachable(engines: &[EngineView]) -> Option<String> {
    let away = engines
        .iter()
        .filter(|engine| engine.state == EngineState::Offline);
    let names: Vec<_> = away.map(|engine| format!("\"{}\"", engine.name)).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("engine {} is unreachable", names[0])),
        _ => Some(format!("engines {} are unreachable", names.join(", "))),
    }
}

fn engines(snapshot: &Snapshot) -> String {
    match snapshot.engines.as_slice() {
        [] => "No engine".to_owned(),
        [engine] if engine.state == EngineState::Connecting => {
            "Connecting to the engine".to_owned()
        }
        [engine] => format!("Engine \"{}\" is unreachable", engine.name),
        engines => format!("None of {} engines answers", engines.len()),
    }
}

fn worst(sessions: &[SessionView]) -> Option<String> {
    let urgent: Vec<_> = sessions
        .iter()
        .filter(|session| super::needs_person(session))
        .collect();
    let first = urgent
        .iter()
        .min_by_key(|session| session.attention.state)?;
    let others = match urgent.len() - 1 {
        0 => String::new(),
        1 => " and 1 other".to_owned(),
        more => format!(" and {more} others"),
    };
    Some(format!("{}: {}{others}", first.name, first.attention.text))
}

fn tally(sessions: &[SessionView]) -> Option<String> {
    let count =
        |is: fn(SessionState) -> bool| sessions.iter().filter(|session| is(session.state)).count();
    let parts = [
        (count(|state| state == SessionState::Running), "running"),
        (count(|state| state == SessionState::Paused), "paused"),
        (count(is_underway), "under way"),
        (count(|state| state == SessionState::Stopped), "stopped"),
        (count(|state| state == SessionState::Failed), "failed"),
        (count(|state| state == SessionState::Lost), "unreachable"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn is_underway(state: SessionState) -> bool {
    match state {
        SessionState::Creating
        | SessionState::Starting
        | SessionState::Pausing
        | SessionState::Resuming
        | SessionState::Stopping
        | SessionState::Removing => true,
        SessionState::Running
        | SessionState::Paused
        | SessionState::Stopped
        | SessionState::Failed
        | SessionState::Lost => false,
    }
}

/// More than is ever shown, less than would cost time to look at.
const LOOKED_AT: usize = 4096;

/// One line of at most `cap` characters; what is cut ends in an ellipsis.
pub(super) fn clip(text: &str, cap: usize) -> String {
    let line = sanitise(text, LOOKED_AT).replace(['\n', '\t'], " ");
    if line.chars().count() <= cap {
        return line;
    }
    let kept: String = line.chars().take(cap - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Plain text as a native menu label, where `&` marks a mnemonic. Underscores need no care:
/// the Linux backend doubles them itself.
#[must_use]
pub fn escape_mnemonics(label: &str) -> String {
    label.replace('&', "&&")
}
