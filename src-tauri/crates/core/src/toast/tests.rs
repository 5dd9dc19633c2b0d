use expect_test::{Expect, expect};

use super::*;

/// Drives one toaster through time.
struct Rig {
    toaster: Toaster,
    start: Instant,
    notifications: bool,
    looking_at: Option<&'static str>,
}

impl Rig {
    fn new() -> Self {
        Self {
            toaster: Toaster::default(),
            start: Instant::now(),
            notifications: true,
            looking_at: None,
        }
    }

    fn raise(&mut self, second: u64, kind: AlertKind, session: &str) -> Option<Toast> {
        let alert = alert(kind, Some(session), None);
        self.change(second, Change::AlertRaised { alert })
    }

    fn change(&mut self, second: u64, change: Change) -> Option<Toast> {
        let around = Surroundings {
            notifications: self.notifications,
            looking_at: self.looking_at,
            now: self.start + Duration::from_secs(second),
        };
        self.toaster.on_change(&change, around)
    }
}

fn alert(kind: AlertKind, session: Option<&str>, engine: Option<&str>) -> AlertView {
    AlertView {
        id: "a1".into(),
        kind,
        session: session.map(Into::into),
        engine: engine.map(Into::into),
        undo: None,
        message: "it <b>ended</b> & is gone".into(),
        hint: "Start it again.".into(),
        at: "2026-03-01T12:00:00Z".into(),
    }
}

fn check(toast: Option<Toast>, expected: Expect) {
    let text = toast.map_or("none".to_owned(), |toast| {
        let Toast {
            key,
            title,
            body,
            urgency,
            open,
            undo: _,
        } = toast;
        format!(
            "[{key}] {urgency:?} \"{title}\" -> {:?} {:?}\n{body}",
            open.view, open.session
        )
    });
    expected.assert_eq(&text);
}

#[test]
fn out_of_memory_is_critical_and_opens_its_session() {
    check(
        Rig::new().raise(0, AlertKind::OutOfMemory, "web"),
        expect![[r#"
            [web] Critical "web: out of memory" -> Sessions Some("web")
            it &lt;b&gt;ended&lt;/b&gt; &amp; is gone
            Start it again."#]],
    );
}

#[test]
fn an_engine_opens_the_doctor() {
    let alert = alert(AlertKind::EngineOffline, None, Some("build-box"));
    check(
        Rig::new().change(0, Change::AlertRaised { alert }),
        expect![[r#"
            [engine:build-box] Normal "build-box: engine unreachable" -> Alerts None
            it &lt;b&gt;ended&lt;/b&gt; &amp; is gone
            Start it again."#]],
    );
}

#[test]
fn nothing_when_notifications_are_off() {
    let mut rig = Rig {
        notifications: false,
        ..Rig::new()
    };
    assert_eq!(rig.raise(0, AlertKind::OutOfMemory, "web"), None);
}

#[test]
fn nothing_about_the_session_that_the_window_shows() {
    let mut rig = Rig {
        looking_at: Some("web"),
        ..Rig::new()
    };
    assert_eq!(rig.raise(0, AlertKind::ContainerDied, "web"), None);
    assert!(rig.raise(0, AlertKind::ContainerDied, "api").is_some());
}

#[test]
fn nothing_about_what_the_tray_tells_well_enough() {
    let mut rig = Rig::new();
    assert_eq!(rig.raise(0, AlertKind::StatusStale, "web"), None);
    assert_eq!(
        rig.change(0, Change::AlertCleared { id: "a1".into() }),
        None
    );
}

#[test]
fn the_same_news_waits_for_the_cooldown() {
    let mut rig = Rig::new();
    assert!(rig.raise(0, AlertKind::ContainerDied, "web").is_some());
    assert_eq!(rig.raise(29, AlertKind::ContainerDied, "web"), None);
    assert!(rig.raise(30, AlertKind::ContainerDied, "web").is_some());
}

#[test]
fn heavier_news_replaces_the_toast_at_once_and_lighter_news_does_not() {
    let mut rig = Rig::new();
    assert!(rig.raise(0, AlertKind::ContainerDied, "web").is_some());
    let heavier = rig
        .raise(1, AlertKind::OutOfMemory, "web")
        .expect("replaces");
    assert_eq!(heavier.key, "web");
    assert_eq!(rig.raise(2, AlertKind::ContainerDied, "web"), None);
}

#[test]
fn a_burst_ends_in_one_toast_that_counts() {
    let mut rig = Rig::new();
    for session in ["a", "b", "c"] {
        assert_eq!(
            rig.raise(0, AlertKind::ContainerDied, session).unwrap().key,
            session
        );
    }
    check(
        rig.raise(1, AlertKind::ContainerDied, "d"),
        expect![[r#"
            [crowd:] Normal "1 more needs you" -> Alerts None
            d"#]],
    );
    check(
        rig.raise(1, AlertKind::ContainerDied, "e"),
        expect![[r#"
            [crowd:] Normal "2 more need you" -> Alerts None
            d, e"#]],
    );
    assert_eq!(
        rig.raise(12, AlertKind::ContainerDied, "f").unwrap().key,
        "f"
    );
}

#[test]
fn hostile_text_is_cut_before_it_is_escaped() {
    assert_eq!(text::title("a\u{202E}b\u{1b}[31m\nc"), "ab c");
    let cut = text::body(&"<".repeat(1000));
    assert_eq!(cut, format!("{}…", "&lt;".repeat(239)));
}

#[test]
fn a_refused_click_names_the_session_and_the_next_step() {
    let error = ApiError {
        code: crate::verb::ErrorCode::Limit,
        message: "5 sessions run already".into(),
        hint: "stop one, or raise max_running".into(),
    };
    check(
        Some(Toast::of_refusal(Some("web"), &error)),
        expect![[r#"
            [refused:web] Normal "web: 5 sessions run already" -> Sessions Some("web")
            stop one, or raise max_running"#]],
    );
}

#[test]
fn a_body_can_be_read_without_markup() {
    let toast = Rig::new()
        .raise(0, AlertKind::ContainerDied, "web")
        .unwrap();
    assert_eq!(
        toast.plain_body(),
        "it <b>ended</b> & is gone\nStart it again."
    );
}

#[test]
fn a_word_on_contexts_leads_to_them() {
    for kind in [
        AlertKind::ContextChanged,
        AlertKind::ContextsHeld,
        AlertKind::ContextsDamaged,
    ] {
        let alert = alert(kind, None, None);
        let toast = Rig::new().change(0, Change::AlertRaised { alert });
        assert_eq!(toast.unwrap().open, Navigate::to(View::Contexts));
    }
}

#[test]
fn what_can_be_undone_is_undone_from_its_toast_which_then_says_so() {
    let alert = AlertView {
        undo: Some(7),
        ..alert(AlertKind::ContextChanged, None, None)
    };
    let toast = Rig::new().change(0, Change::AlertRaised { alert }).unwrap();
    assert_eq!(toast.undo, Some(7));
    let done = Toast::of_undo(
        toast.key.clone(),
        &Ok("`prod` is as it was <before>.".into()),
    );
    assert_eq!((done.key.as_str(), done.undo), ("alert:a1", None));
    check(
        Some(done),
        expect![[r#"
            [alert:a1] Normal "Undone" -> Contexts None
            `prod` is as it was &lt;before&gt;."#]],
    );
    let error = ApiError {
        code: crate::verb::ErrorCode::State,
        message: "`prod` has changed on the host since change 7".into(),
        hint: "see how things stand: mizzen contexts status".into(),
    };
    check(
        Some(Toast::of_undo(toast.key, &Err(error))),
        expect![[r#"
            [alert:a1] Normal "Not undone" -> Contexts None
            `prod` has changed on the host since change 7
            see how things stand: mizzen contexts status"#]],
    );
}

#[test]
fn a_toast_that_undoes_is_replaced_by_what_came_last() {
    let mut rig = Rig::new();
    let mut told = |second, message: &str| {
        let alert = AlertView {
            undo: Some(7),
            message: message.into(),
            ..alert(AlertKind::ContextChanged, None, None)
        };
        let toast = rig.change(second, Change::AlertRaised { alert }).unwrap();
        (toast.plain_body(), toast.key, toast.undo)
    };
    let first = told(0, "it leads to a");
    let last = told(1, "it leads to b");
    assert_eq!(first.1, last.1, "in the same place");
    assert!(last.0.starts_with("it leads to b"), "{last:?}");
    assert_eq!(last.2, Some(7));
}
