//! A snapshot of 500 sessions: what a client pays to read it, and to follow its changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mizzen_core::view::{
    AttentionState, AttentionView, Change, ContextsView, CoreView, Event, Freshness, LimitsView,
    SessionState, SessionView, Settings, Snapshot, WorkspaceKind,
};
use mizzen_tests::figure::Figure;

const SESSIONS: usize = 500;
const RUNS: usize = 50;

pub(crate) fn measure() {
    let snapshot = snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    let name = format!(
        "snapshot of 500 sessions ({} KiB) read from its text",
        text.len() / 1024
    );
    Figure::of_times(
        &name,
        "",
        &times(|| drop(serde_json::from_str::<Snapshot>(&text).unwrap())),
    )
    .print();

    let events = events(&snapshot);
    let lines: Vec<String> = events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap())
        .collect();
    let folded = times(|| {
        let mut copy = snapshot.clone();
        for line in &lines {
            let event: Event = serde_json::from_str(line).unwrap();
            assert!(copy.apply(&event));
        }
    });
    let name = "one change in each of 500 sessions, read and folded (in all)";
    Figure::of_times(name, "≤ 16.7 ms, a frame", &folded).print();
}

fn times(mut work: impl FnMut()) -> Vec<Duration> {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect()
}

fn events(snapshot: &Snapshot) -> Vec<Event> {
    let changed = snapshot
        .sessions
        .iter()
        .zip(1..)
        .map(|(session, revision)| {
            let session = SessionView {
                state: SessionState::Stopped,
                ..session.clone()
            };
            let change = Change::Session {
                session: Box::new(session),
            };
            Event {
                revision,
                at: session_time(),
                change,
            }
        });
    changed.collect()
}

fn session_time() -> String {
    "2026-01-01T00:00:00Z".to_owned()
}

fn snapshot() -> Snapshot {
    Snapshot {
        revision: 0,
        core: CoreView {
            version: "0.1.0".to_owned(),
            pid: 1,
            started_at: session_time(),
            gateway_port: Some(8743),
            gateway_problem: None,
        },
        engines: Vec::new(),
        sessions: (0..SESSIONS)
            .map(|number| session(&format!("session-{number:03}")))
            .collect(),
        alerts: Vec::new(),
        unmanaged: Vec::new(),
        contexts: ContextsView::default(),
        settings: Settings::default(),
    }
}

fn session(name: &str) -> SessionView {
    SessionView {
        name: name.to_owned(),
        project: format!("/home/user/projects/{name}"),
        engine: "default".to_owned(),
        state: SessionState::Running,
        out_of_reach: false,
        reason: None,
        hint: None,
        attention: AttentionView {
            state: AttentionState::Idle,
            text: "up, with nothing to do".to_owned(),
            since: session_time(),
        },
        health: "healthy".to_owned(),
        phase: Some("idle".to_owned()),
        progress: None,
        phases: Vec::new(),
        services: BTreeMap::from([("code-server".to_owned(), "running".to_owned())]),
        errors: Vec::new(),
        warnings: Vec::new(),
        freshness: Freshness::Fresh,
        clock_ahead: None,
        workspace: WorkspaceKind::Bind,
        branch: None,
        only_there: None,
        sync: None,
        commands: Vec::new(),
        image: "mizzen-session:0123456789ab".to_owned(),
        container_id: Some("f".repeat(64)),
        url: Some(format!("http://{name}.localhost:8743/")),
        limits: LimitsView {
            memory_bytes: 4 << 30,
            cpus: 2.0,
            pids: 512,
        },
        cpu_percent: None,
        memory_bytes: None,
        pids: None,
        disk_bytes: None,
        disk_free_bytes: None,
        created_at: session_time(),
        started_at: Some(session_time()),
    }
}
