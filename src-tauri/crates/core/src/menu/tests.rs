use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::view::{
    AttentionView, ContextsView, CoreView, EngineView, Freshness, LimitsView, ProgressView,
    Settings, SyncState, SyncView, WorkspaceKind,
};

const NOW: &str = "2026-03-01T12:00:00Z";

fn check(snapshot: Option<&Snapshot>, shell: &ShellFacts, expected: Expect) {
    expected.assert_eq(&drawn(&tray(snapshot, shell)));
}

fn tray(snapshot: Option<&Snapshot>, shell: &ShellFacts) -> Tray {
    Tray::of(snapshot, shell, NOW.parse().unwrap())
}

/// The menu as text: `[x]` on, `[ ]` off, `(…)` cannot be clicked, indented below its submenu.
fn drawn(tray: &Tray) -> String {
    let mut text = format!("{:?} {} \"{}\"\n", tray.icon, tray.count, tray.tooltip);
    draw(&tray.items, 0, &mut text);
    text
}

fn draw(items: &[Item], depth: usize, text: &mut String) {
    for item in items {
        text.push_str(&"    ".repeat(depth));
        match item {
            Item::Command {
                label,
                enabled: true,
                ..
            } => text.push_str(label),
            Item::Command {
                label,
                enabled: false,
                ..
            }
            | Item::Note { label, .. } => {
                text.push_str(&format!("({label})"));
            }
            Item::Check { label, checked, .. } => {
                text.push_str(&format!("[{}] {label}", if *checked { 'x' } else { ' ' }));
            }
            Item::Submenu { label, .. } => text.push_str(&format!("{label} >")),
            Item::Separator => text.push_str("---"),
        }
        text.push('\n');
        if let Item::Submenu { items, .. } = item {
            draw(items, depth + 1, text);
        }
    }
}

fn snapshot(sessions: Vec<SessionView>) -> Snapshot {
    Snapshot {
        revision: 1,
        core: CoreView {
            version: "0.1.0".into(),
            pid: 1,
            started_at: NOW.into(),
            gateway_port: Some(8743),
            gateway_problem: None,
        },
        engines: vec![engine(EngineState::Online)],
        sessions,
        alerts: Vec::new(),
        unmanaged: Vec::new(),
        contexts: ContextsView::default(),
        settings: Settings::default(),
    }
}

fn engine(state: EngineState) -> EngineView {
    EngineView {
        name: "default".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        selected_by: "default".into(),
        beats: Vec::new(),
        state,
        since: NOW.into(),
        version: None,
        reason: None,
        hint: None,
        cpus: None,
        memory_bytes: None,
        warnings: Vec::new(),
    }
}

fn session(name: &str, state: SessionState, attention: AttentionState, since: &str) -> SessionView {
    SessionView {
        name: name.into(),
        project: format!("/home/ann/{name}"),
        engine: "default".into(),
        state,
        out_of_reach: false,
        reason: None,
        hint: None,
        attention: AttentionView {
            state: attention,
            text: String::new(),
            since: since.into(),
        },
        health: "healthy".into(),
        phase: None,
        progress: None,
        phases: Vec::new(),
        services: BTreeMap::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        freshness: Freshness::Fresh,
        clock_ahead: None,
        workspace: WorkspaceKind::Bind,
        branch: None,
        only_there: None,
        sync: None,
        commands: Vec::new(),
        image: "mizzen-session".into(),
        container_id: None,
        url: (state == SessionState::Running).then(|| format!("http://{name}.localhost:8743/")),
        limits: LimitsView {
            memory_bytes: 1 << 30,
            cpus: 1.0,
            pids: 512,
        },
        cpu_percent: None,
        memory_bytes: None,
        pids: None,
        disk_bytes: None,
        disk_free_bytes: None,
        created_at: NOW.into(),
        started_at: None,
    }
}

fn running(name: &str) -> SessionView {
    session(name, SessionState::Running, AttentionState::Idle, NOW)
}

fn stopped(name: &str) -> SessionView {
    session(name, SessionState::Stopped, AttentionState::Offline, NOW)
}

fn alert(kind: AlertKind, session: Option<&str>, engine: Option<&str>, message: &str) -> AlertView {
    AlertView {
        id: "a1".into(),
        kind,
        session: session.map(Into::into),
        engine: engine.map(Into::into),
        undo: None,
        message: message.into(),
        hint: String::new(),
        at: NOW.into(),
    }
}

/// Rows of the first level, without the fixed ones at the end.
fn first_level(tray: &Tray) -> Vec<String> {
    tray.items
        .iter()
        .map_while(|item| match item {
            Item::Command { label, .. } | Item::Note { label, .. } | Item::Check { label, .. } => {
                Some(label.clone())
            }
            Item::Submenu { label, .. } => Some(label.clone()),
            Item::Separator => None,
        })
        .collect()
}

#[test]
fn no_core_answers() {
    let shell = ShellFacts {
        problem: Some("the core does not start".into()),
        ..Default::default()
    };
    check(
        None,
        &shell,
        expect![[r#"
            Offline 0 "the core does not start"
            (the core does not start)
            ---
            Open Mizzen
            [ ] Start at login
            ---
            Quit (sessions keep running)
        "#]],
    );
}

#[test]
fn no_sessions() {
    let shell = ShellFacts {
        start_at_login: true,
        problem: None,
    };
    check(
        Some(&snapshot(Vec::new())),
        &shell,
        expect![[r#"
            Idle 0 "No sessions yet"
            (No sessions yet)
            ---
            New session…
            Open Mizzen
            [x] Notifications
            [x] Start at login
            ---
            Quit (sessions keep running)
        "#]],
    );
}

#[test]
fn those_who_need_a_person_come_first() {
    let mut died = session(
        "zeta",
        SessionState::Failed,
        AttentionState::Error,
        "2026-03-01T11:48:00Z",
    );
    died.reason = Some("out of memory".into());
    died.attention.text = "ran out of memory".into();
    let mut busy = session(
        "api",
        SessionState::Running,
        AttentionState::Working,
        "2026-03-01T09:00:00Z",
    );
    busy.attention.text = "testing: Running all, 45 %".into();
    let mut silent = session("beta", SessionState::Running, AttentionState::Stale, NOW);
    silent.attention.text = "no report".into();
    silent.url = None;
    let mut sessions = snapshot(vec![busy, silent, stopped("docs"), died]);
    let message = "zeta ran out of memory (16 MiB)";
    sessions.alerts = vec![alert(AlertKind::OutOfMemory, Some("zeta"), None, message)];
    check(
        Some(&sessions),
        &ShellFacts::default(),
        expect![[r#"
            Error 2 "zeta: ran out of memory and 1 other · 2 running, 1 stopped, 1 failed"
            beta — no report >
                (Open code-server)
                Pause
                Restart
                Stop
                ---
                Show
            zeta — failed: out of memory · 12 min >
                Start
                Remove…
                ---
                Show
            api — testing: Running all, 45 % · 3 h >
                Open code-server
                Pause
                Restart
                Stop
                ---
                Show
            docs — stopped >
                Start
                Remove…
                ---
                Show
            ---
            ⚠ zeta ran out of memory (16 MiB) >
                Details
                Dismiss
            ---
            New session…
            Open Mizzen
            [x] Notifications
            [ ] Start at login
            ---
            Quit (sessions keep running)
        "#]],
    );
}

#[test]
fn an_engine_that_does_not_answer_can_be_retried() {
    let lost = session(
        "web",
        SessionState::Lost,
        AttentionState::Offline,
        "2026-02-27T12:00:00Z",
    );
    let mut offline = snapshot(vec![lost]);
    offline.engines = vec![engine(EngineState::Offline)];
    offline.settings.notifications = false;
    let message = "engine \"default\" unreachable since 10:42";
    offline.alerts = vec![alert(
        AlertKind::EngineOffline,
        None,
        Some("default"),
        message,
    )];
    check(
        Some(&offline),
        &ShellFacts::default(),
        expect![[r#"
            Offline 0 "Engine "default" is unreachable"
            web — engine unreachable · 2 d >
                ---
                Show
            ---
            ⚠ engine "default" unreachable since 10:42 >
                Retry
                Details
                Dismiss
            ---
            New session…
            Open Mizzen
            [ ] Notifications
            [ ] Start at login
            ---
            Quit (sessions keep running)
        "#]],
    );
}

#[test]
fn an_engine_that_is_away_beside_others_is_named() {
    let mut one = snapshot(vec![running("web")]);
    let far = EngineView {
        name: "far".into(),
        ..engine(EngineState::Offline)
    };
    one.engines.push(far.clone());
    let tooltip = |snapshot: &Snapshot| tray(Some(snapshot), &ShellFacts::default()).tooltip;
    assert_eq!(tooltip(&one), "1 running · engine \"far\" is unreachable");
    let lab = EngineView {
        name: "lab".into(),
        ..far
    };
    one.engines.push(lab);
    assert_eq!(
        tooltip(&one),
        "1 running · engines \"far\", \"lab\" are unreachable"
    );
}

#[test]
fn a_long_list_keeps_stopped_and_surplus_sessions_in_submenus() {
    let live = (0..17).map(|index| running(&format!("live-{index:02}")));
    let resting = (0..20).map(|index| stopped(&format!("rest-{index:02}")));
    let tray = tray(
        Some(&snapshot(live.chain(resting).collect())),
        &ShellFacts::default(),
    );
    let rows = first_level(&tray);
    assert_eq!(rows.len(), 17);
    assert_eq!(
        rows[14..],
        ["live-14 — running", "More (2)", "Stopped (20)"]
    );
}

#[test]
fn sixteen_stopped_sessions_are_one_submenu() {
    let resting = (0..16).map(|index| stopped(&format!("rest-{index:02}")));
    let tray = tray(Some(&snapshot(resting.collect())), &ShellFacts::default());
    assert_eq!(first_level(&tray), ["Stopped (16)"]);
}

fn seven_alerts() -> Snapshot {
    let mut many = snapshot(Vec::new());
    many.alerts = (0..7)
        .map(|index| AlertView {
            id: format!("a{index}"),
            ..alert(AlertKind::Unhealthy, Some("web"), None, "web is unhealthy")
        })
        .collect();
    many
}

#[test]
fn alerts_beyond_the_fifth_are_counted() {
    let many = seven_alerts();
    let text = drawn(&tray(Some(&many), &ShellFacts::default()));
    assert_eq!(text.matches('⚠').count(), 5);
    assert!(text.contains("2 more alerts…"), "{text}");
}

#[test]
fn an_alert_leads_to_the_alerts() {
    let many = seven_alerts();
    let tray = tray(Some(&many), &ShellFacts::default());
    let with = |session: Option<&str>| {
        Action::Show(Navigate {
            view: View::Alerts,
            session: session.map(str::to_owned),
        })
    };
    assert_eq!(tray.action("alert:a0:details"), Some(&with(Some("web"))));
    assert_eq!(tray.action("alerts:more"), Some(&with(None)));
}

#[test]
fn a_session_whose_engine_is_out_of_reach_can_be_removed() {
    for out_of_reach in [false, true] {
        let lost = SessionView {
            out_of_reach,
            ..session("web", SessionState::Lost, AttentionState::Stale, NOW)
        };
        let Item::Submenu { items, .. } = session::row(&lost, NOW.parse().unwrap()) else {
            panic!("a session is a submenu");
        };
        let is_removal =
            |item: &Item| matches!(item, Item::Command { label, .. } if label == "Remove…");
        assert_eq!(items.iter().any(is_removal), out_of_reach);
    }
}

#[test]
fn every_state_has_words_and_verbs() {
    let mut text = String::new();
    for state in [
        SessionState::Creating,
        SessionState::Starting,
        SessionState::Running,
        SessionState::Pausing,
        SessionState::Paused,
        SessionState::Resuming,
        SessionState::Stopping,
        SessionState::Stopped,
        SessionState::Removing,
        SessionState::Failed,
        SessionState::Lost,
    ] {
        let mut view = session("s", state, AttentionState::Idle, NOW);
        let message = "image, 3 of 12".into();
        view.progress = Some(ProgressView {
            current: 3.0,
            total: 12.0,
            message,
        });
        let Item::Submenu { label, items, .. } = session::row(&view, NOW.parse().unwrap()) else {
            panic!("a session is a submenu");
        };
        let verbs = items.iter().filter_map(|item| match item {
            Item::Command { label, .. } => Some(label.as_str()),
            _ => None,
        });
        text.push_str(&format!(
            "{label}: {}\n",
            verbs.collect::<Vec<_>>().join(", ")
        ));
    }
    expect![[r#"
        s — creating: image, 3 of 12: Show
        s — starting: image, 3 of 12: Stop, Show
        s — running: Open code-server, Pause, Restart, Stop, Show
        s — pausing: Show
        s — paused: Resume, Stop, Show
        s — resuming: Show
        s — stopping: Show
        s — stopped: Start, Remove…, Show
        s — being removed: Show
        s — failed: Start, Remove…, Show
        s — engine unreachable: Show
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_click_finds_its_action_at_any_depth() {
    let tray = tray(
        Some(&snapshot(vec![running("web")])),
        &ShellFacts::default(),
    );
    let stop = Verb::Stop(crate::verb::SessionRef {
        session: "web".into(),
    });
    assert_eq!(tray.action("session:web:stop"), Some(&Action::Run(stop)));
    assert_eq!(tray.action("quit"), Some(&Action::Quit));
    assert_eq!(tray.action("session:web"), None);
}

#[test]
fn the_notifications_switch_saves_the_other_settings_unchanged() {
    let mut current = snapshot(Vec::new());
    current.settings.max_running = 9;
    let tray = tray(Some(&current), &ShellFacts::default());
    let expected = Settings {
        max_running: 9,
        notifications: false,
        ..Settings::default()
    };
    let save = Action::Run(Verb::SaveSettings { settings: expected });
    assert_eq!(tray.action("notifications"), Some(&save));
}

#[test]
fn ids_are_unique() {
    let mut full = snapshot((0..40).map(|index| running(&format!("s{index}"))).collect());
    full.alerts = vec![alert(
        AlertKind::EngineOffline,
        None,
        Some("default"),
        "offline",
    )];
    let mut ids = Vec::new();
    collect(&tray(Some(&full), &ShellFacts::default()).items, &mut ids);
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

fn collect(items: &[Item], ids: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Command { id, .. } | Item::Note { id, .. } | Item::Check { id, .. } => {
                ids.push(id.clone());
            }
            Item::Submenu { id, items, .. } => {
                ids.push(id.clone());
                collect(items, ids);
            }
            Item::Separator => {}
        }
    }
}

#[test]
fn words_are_one_line_and_capped() {
    assert_eq!(words::clip("a\nb\u{7}c\u{202E}", 20), "a bc");
    assert_eq!(words::clip("abcdef", 4), "abc…");
    assert_eq!(escape_mnemonics("a & b_c"), "a && b_c");
}

#[test]
fn a_workspace_that_waits_for_a_person_is_named_in_its_session_s_row() {
    let synced = |needs_consent: bool, conflicts: u32| {
        let mut view = running("web");
        let sync = SyncView::of(SyncState::Conflicts);
        view.sync = Some(SyncView {
            needs_consent,
            conflicts,
            ..sync
        });
        words::standing(&view, NOW.parse().unwrap())
    };
    let said = [(false, 0), (false, 1), (false, 3), (true, 3)].map(|(halted, n)| synced(halted, n));
    let expected = [
        "running",
        "1 sync conflict",
        "3 sync conflicts",
        "sync has stopped",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_clock_that_is_wrong_is_told_where_nothing_else_is() {
    let mut late = running("web");
    late.clock_ahead = Some(-300);
    late.attention.text = "ready; clock 5 min behind".into();
    let tray = tray(Some(&snapshot(vec![late])), &ShellFacts::default());
    assert_eq!(first_level(&tray)[0], "web — ready; clock 5 min behind");
}
