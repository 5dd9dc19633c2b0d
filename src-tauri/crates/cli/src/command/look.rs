//! `mizzen list`, `show` and `events`.

use jiff::{SpanRound, Timestamp, Unit};
use mizzen_core::verb::{ApiError, ErrorCode};
use mizzen_core::view::{
    AlertView, AttentionState, Change, CommandView, Event, PhaseState, ProgressView, SessionState,
    SessionView, Snapshot,
};
use mizzen_core::{Client, FollowEnd};
use mizzen_sync_core::sized;
use serde::Serialize;

use super::exec;
use crate::output::{Cell, Failure, Output, Tone, columns, failed, plain};
use crate::progress::title;

pub(super) async fn list(client: &Client, output: Output) -> Result<(), Failure> {
    let snapshot = client.snapshot().await?;
    if output.json {
        return output.object(&snapshot.sessions);
    }
    if snapshot.sessions.is_empty() {
        output.note("No sessions yet; `mizzen up DIR` makes one.");
    } else {
        table(&snapshot.sessions, output)
            .iter()
            .try_for_each(|line| output.line(line))?;
    }
    warn(&snapshot, output);
    Ok(())
}

fn table(sessions: &[SessionView], output: Output) -> Vec<String> {
    let titles = ["NAME", "STATE", "ATTENTION", "ENGINE", "PROJECT"];
    let mut rows = vec![
        titles
            .map(|title| Cell::toned(output, Tone::Quiet, title))
            .to_vec(),
    ];
    rows.extend(sessions.iter().map(|session| {
        vec![
            Cell::new(&session.name),
            Cell::toned(output, tone(session.attention.state), word(session.state)),
            Cell::new(&session.attention.text),
            Cell::new(&session.engine),
            Cell::new(&session.project),
        ]
    }));
    columns(&rows)
}

/// Alerts go to standard error: a list is for reading and for `grep`, a warning for the person.
fn warn(snapshot: &Snapshot, output: Output) {
    for alert in &snapshot.alerts {
        output.note(&plain(&format!("! {} {}", alert.message, alert.hint)));
    }
}

fn tone(attention: AttentionState) -> Tone {
    match attention {
        AttentionState::Error | AttentionState::Stale => Tone::Bad,
        AttentionState::Working => Tone::Busy,
        AttentionState::Idle => Tone::Good,
        AttentionState::Offline => Tone::Quiet,
    }
}

fn word(state: SessionState) -> &'static str {
    match state {
        SessionState::Creating => "creating",
        SessionState::Starting => "starting",
        SessionState::Running => "running",
        SessionState::Pausing => "pausing",
        SessionState::Paused => "paused",
        SessionState::Resuming => "resuming",
        SessionState::Stopping => "stopping",
        SessionState::Stopped => "stopped",
        SessionState::Removing => "removing",
        SessionState::Failed => "failed",
        SessionState::Lost => "lost",
    }
}

/// What `show --json` prints: a row of `list --json` with the session's alerts.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    session: SessionView,
    alerts: Vec<AlertView>,
}

/// One session of a snapshot.
pub(super) fn find(sessions: Vec<SessionView>, name: &str) -> Result<SessionView, Failure> {
    let mut sessions = sessions.into_iter();
    let found = sessions.find(|view| view.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        failed(
            ErrorCode::NotFound,
            format!("there is no session `{}`", plain(name)),
            "see `mizzen list`",
        )
    })
}

pub(super) async fn show(client: &Client, name: &str, output: Output) -> Result<(), Failure> {
    let snapshot = client.snapshot().await?;
    let session = find(snapshot.sessions, name)?;
    let mut alerts = snapshot.alerts;
    alerts.retain(|alert| alert.session.as_deref() == Some(&session.name));
    let shown = Shown { session, alerts };
    if output.json {
        return output.object(&shown);
    }
    describe(&shown, output)
        .iter()
        .try_for_each(|line| output.line(line))
}

fn describe(shown: &Shown, output: Output) -> Vec<String> {
    let session = &shown.session;
    let mut facts = vec![
        ("state", word(session.state).to_owned()),
        ("attention", session.attention.text.clone()),
        ("health", session.health.clone()),
    ];
    facts.extend(session.reason.clone().map(|reason| ("reason", reason)));
    facts.extend(session.hint.clone().map(|hint| ("next step", hint)));
    let carried = session
        .sync
        .as_ref()
        .and_then(|sync| sync.progress.as_ref());
    facts.extend(carried.map(|carried| ("carried", carried.text.clone())));
    facts.extend(session.branch.clone().map(|branch| ("branch", branch)));
    let only_there = session.only_there.clone();
    let only_there = only_there.filter(|_| is_down(session.state));
    facts.extend(only_there.map(|what| ("not here", what)));
    facts.extend([
        ("project", session.project.clone()),
        ("engine", session.engine.clone()),
        ("image", session.image.clone()),
        ("limits", limits(session)),
        ("created", when(&session.created_at)),
    ]);
    facts.extend(
        session
            .started_at
            .as_deref()
            .map(|at| ("started", when(at))),
    );
    facts.extend(session.clock().map(|clock| ("clock", clock)));
    facts.extend(session.container_id.clone().map(|id| ("container", id)));
    facts.extend(session.url.clone().map(|url| ("code-server", url)));
    facts.extend(session.phase.clone().map(|phase| ("phase", phase)));
    facts.extend(
        session
            .progress
            .as_ref()
            .map(|made| ("progress", progress(made))),
    );
    let mut rows = vec![vec![Cell::toned(
        output,
        tone(session.attention.state),
        &session.name,
    )]];
    let quiet = |text: &str| Cell::toned(output, Tone::Quiet, text);
    let mut row =
        |name: &str, text: &str| rows.push(vec![quiet(&format!("  {name}")), Cell::new(text)]);
    facts.iter().for_each(|(name, text)| row(name, text));
    session
        .services
        .iter()
        .for_each(|(name, state)| row("service", &format!("{name}: {state}")));
    session.errors.iter().for_each(|error| row("error", error));
    session
        .warnings
        .iter()
        .for_each(|warning| row("warning", warning));
    shown
        .alerts
        .iter()
        .for_each(|alert| row("alert", &format!("{} {}", alert.message, alert.hint)));
    for command in &session.commands {
        row("command", &commanded(command));
    }
    for phase in &session.phases {
        let took = phase
            .duration_ms
            .map_or_else(String::new, |ms| format!(" {} ms", ms));
        let state = match phase.state {
            PhaseState::Active => "under way",
            PhaseState::Done => "done",
            PhaseState::Failed => "failed",
        };
        row("phase", &format!("{}: {state}{took}", title(phase.phase)));
    }
    // The name stands alone: it must not widen the column of titles.
    let body = columns(&rows[1..]);
    columns(&rows[..1]).into_iter().chain(body).collect()
}

/// `45 of 100: Compiling`; what is not known is left out.
fn progress(made: &ProgressView) -> String {
    let share = (made.total > 0.0).then(|| format!("{} of {}", made.current, made.total));
    let said = (!made.message.is_empty()).then(|| made.message.clone());
    let parts: Vec<String> = [share, said].into_iter().flatten().collect();
    parts.join(": ")
}

/// A command in one line: how it went, its id, and what it is.
fn commanded(command: &CommandView) -> String {
    let end = exec::end_in_words(command);
    let at = command.finished_at.as_ref().or(command.started_at.as_ref());
    let at = at
        .or(command.asked_at.as_ref())
        .map_or_else(String::new, |at| when(at));
    format!("{}: {end}, {at}: {}", command.id, command.command)
}

fn is_down(state: SessionState) -> bool {
    matches!(state, SessionState::Stopped | SessionState::Failed)
}

fn limits(session: &SessionView) -> String {
    let limits = &session.limits;
    format!(
        "{}, {} CPUs, {} processes",
        sized(limits.memory_bytes),
        limits.cpus,
        limits.pids
    )
}

/// A time with its age, for people.
fn when(at: &str) -> String {
    let Ok(time) = at.parse::<Timestamp>() else {
        return at.to_owned();
    };
    let age = Timestamp::now().since(time).ok().and_then(|span| {
        let unit = if span.get_seconds() < 60 {
            Unit::Second
        } else {
            Unit::Minute
        };
        span.round(SpanRound::new().smallest(unit).largest(Unit::Hour))
            .ok()
    });
    age.map_or_else(|| at.to_owned(), |age| format!("{at} ({age:#} ago)"))
}

pub(super) async fn events(client: &Client, output: Output) -> Result<(), Failure> {
    loop {
        let (_, mut events) = client.follow().await?;
        let end = loop {
            match events.next().await {
                Ok(event) if output.json => output.object(&event)?,
                Ok(event) => output.line(&brief(&event))?,
                Err(end) => break end,
            }
        };
        match end {
            FollowEnd::Lagged => output.note("mizzen: events were missed; going on from now."),
            FollowEnd::Disconnected => return Err(Failure::Api(gone())),
        }
    }
}

fn gone() -> ApiError {
    let hint = "run the command again to start it anew";
    ApiError::new(ErrorCode::CoreUnreachable, "the core ended", hint)
}

fn brief(event: &Event) -> String {
    let what = match &event.change {
        Change::Session { session } => {
            format!(
                "{} {}: {}",
                session.name,
                word(session.state),
                session.attention.text
            )
        }
        Change::SessionRemoved { name } => format!("{name} removed"),
        Change::Engine { engine } => {
            let state = format!("{:?}", engine.state).to_lowercase();
            let reason = engine
                .reason
                .as_deref()
                .map_or_else(String::new, |why| format!(": {why}"));
            format!("engine {} {state}{reason}", engine.name)
        }
        Change::EngineRemoved { name } => format!("engine {name} is shown no more"),
        Change::AlertRaised { alert } => format!("! {} {}", alert.message, alert.hint),
        Change::AlertCleared { id } => format!("over: {id}"),
        Change::Unmanaged { unmanaged } => format!("{} unmanaged containers", unmanaged.len()),
        Change::Contexts { contexts } => contexts
            .reason
            .clone()
            .unwrap_or_else(|| "Docker contexts are in step".to_owned()),
        Change::Settings { .. } => "settings saved".to_owned(),
        Change::Core { .. } => "core changed".to_owned(),
        Change::Progress { progress } => {
            let session = progress.session.as_deref().unwrap_or("image");
            format!("{session} {}: {}", title(progress.phase), progress.message)
        }
    };
    plain(&format!("{}  {what}", event.at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Output, SessionView, Shown, describe};

    /// A session that runs, as the core tells of it.
    fn session() -> SessionView {
        let told = json!({
            "name": "web", "project": "/p", "engine": "default", "state": "running", "out_of_reach": false,
            "reason": null, "hint": null,
            "attention": { "state": "idle", "text": "ready", "since": "2026-01-01T00:00:00Z" },
            "health": "healthy", "phase": "ready", "progress": null, "phases": [], "services": {}, "errors": [],
            "warnings": [], "freshness": "fresh", "clock_ahead": null, "workspace": "bind", "sync": null,
            "branch": null, "only_there": null, "commands": [], "image": "i", "container_id": null, "url": null,
            "limits": { "memory_bytes": 4_294_967_296_u64, "cpus": 2.0, "pids": 512 }, "cpu_percent": null,
            "memory_bytes": null, "pids": null, "disk_bytes": null, "disk_free_bytes": null,
            "created_at": "2026-01-01T00:00:00Z", "started_at": null
        });
        serde_json::from_value(told).unwrap()
    }

    /// The line of this title, without what aligns it.
    fn line(session: SessionView, title: &str) -> Option<String> {
        let shown = Shown {
            session,
            alerts: Vec::new(),
        };
        let output = Output {
            json: false,
            color: false,
            watched: false,
        };
        let lines = describe(&shown, output);
        let words = lines.iter().map(|line| line.split_whitespace());
        let mut found = words.filter_map(|mut words| {
            (words.next() == Some(title)).then(|| words.collect::<Vec<_>>().join(" "))
        });
        found.next()
    }

    #[test]
    fn row_17_a_clock_that_is_off_has_a_line_and_one_that_is_right_has_none() {
        assert_eq!(line(session(), "clock"), None);
        let late = SessionView {
            clock_ahead: Some(-300),
            ..session()
        };
        assert_eq!(line(late, "clock").as_deref(), Some("5 min behind"));
    }

    #[test]
    fn sizes_are_to_a_tenth_at_most() {
        let limits = line(session(), "limits");
        assert_eq!(limits.as_deref(), Some("4 GiB, 2 CPUs, 512 processes"));
    }
}
