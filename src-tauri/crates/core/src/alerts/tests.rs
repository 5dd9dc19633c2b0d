use std::time::{Duration, Instant};

use mizzen_sessions::{
    CodeServer, Freshness, Health, Limits, Notice, NoticeKind, Reason, Report, SessionFact,
    SessionName, State, WorkspaceKind,
};

use super::Alerts;
use crate::contexts::News;
use crate::view::{
    Change, ContextHoldView, ContextsSide, ContextsState, ContextsView, EngineState, EngineView,
    SyncState, SyncView,
};

fn notice(kind: NoticeKind, message: &str) -> Notice {
    Notice {
        kind,
        session: SessionName::parse("web").unwrap(),
        engine: "default".to_owned(),
        message: message.to_owned(),
        hint: "Start it again.".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn engine(state: EngineState) -> EngineView {
    EngineView {
        name: "default".to_owned(),
        endpoint: "unix:///var/run/docker.sock".to_owned(),
        selected_by: "default".to_owned(),
        beats: Vec::new(),
        state,
        since: String::new(),
        version: None,
        reason: Some("refused".to_owned()),
        hint: None,
        cpus: None,
        memory_bytes: None,
        warnings: Vec::new(),
    }
}

/// Each change in short: `+id` or `-id`.
fn told(changes: &[Change]) -> Vec<String> {
    let short = |change: &Change| match change {
        Change::AlertRaised { alert } => format!("+{}", alert.id),
        Change::AlertCleared { id } => format!("-{id}"),
        other => format!("{other:?}"),
    };
    changes.iter().map(short).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn the_same_fact_is_told_once_and_cleared_when_it_ends() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let died = notice(NoticeKind::Died, "It ended with code 1.");
    assert_eq!(told(&alerts.on_notice(&died, now)), ["+container_died:web"]);
    assert_eq!(told(&alerts.on_notice(&died, now)), NOTHING);
    let other = notice(NoticeKind::Died, "It ended with code 2.");
    assert_eq!(
        told(&alerts.on_notice(&other, now)),
        ["+container_died:web"]
    );
    let oom = notice(NoticeKind::OutOfMemory, "Killed.");
    assert_eq!(told(&alerts.on_notice(&oom, now)), ["+out_of_memory:web"]);
    let over = notice(NoticeKind::Over, "");
    let cleared = ["-container_died:web", "-out_of_memory:web"];
    assert_eq!(told(&alerts.on_notice(&over, now)), cleared);
    assert_eq!(told(&alerts.on_notice(&over, now)), NOTHING);
}

#[test]
fn a_removed_session_takes_its_alerts_along() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let _raised = alerts.on_notice(&notice(NoticeKind::Gone, "Gone."), now);
    assert_eq!(
        told(&alerts.on_session_removed("web")),
        ["-container_gone:web"]
    );
}

#[test]
fn a_dismissed_fact_stays_away_until_it_comes_anew() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let offline = engine(EngineState::Offline);
    assert_eq!(
        told(&alerts.on_engine(&offline, now)),
        ["+engine_offline:default"]
    );
    assert!(alerts.dismiss("engine_offline:default").is_some());
    assert!(alerts.dismiss("engine_offline:default").is_none());
    assert_eq!(
        told(&alerts.on_engine(&offline, now)),
        NOTHING,
        "another failed attempt"
    );
    assert_eq!(
        told(&alerts.on_engine(&engine(EngineState::Online), now)),
        NOTHING
    );
    assert_eq!(
        told(&alerts.on_engine(&offline, now)),
        ["+engine_offline:default"]
    );

    let died = notice(NoticeKind::Died, "It ended.");
    let _raised = alerts.on_notice(&died, now);
    let _dismissed = alerts.dismiss("container_died:web");
    assert_eq!(
        told(&alerts.on_notice(&died, now)),
        ["+container_died:web"],
        "it died again"
    );
}

#[test]
fn a_crash_loop_is_one_alert_until_it_has_been_quiet() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let after = |seconds| now + Duration::from_secs(seconds);
    let died = notice(NoticeKind::Died, "It ended.");
    let over = notice(NoticeKind::Over, "");
    let mut all = Vec::new();
    for second in 0..10 {
        all.extend(alerts.on_notice(&died, after(second)));
        all.extend(alerts.on_notice(&over, after(second)));
    }
    let (raised, cleared) = ("+container_died:web", "-container_died:web");
    assert_eq!(told(&all), [raised, cleared, raised, cleared, raised]);
    assert_eq!(alerts.next_due(), Some(after(9 + 60)));
    assert_eq!(told(&alerts.tick(after(68))), NOTHING);
    assert_eq!(told(&alerts.tick(after(69))), [cleared]);
    assert_eq!(alerts.next_due(), None);
}

#[test]
fn a_container_that_falls_silent_is_one_alert_that_grows() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let after = |seconds| now + Duration::from_secs(seconds);
    let late = notice(NoticeKind::Stale, "Nothing for 15 seconds.");
    let lost = notice(NoticeKind::Stale, "Nothing any more.");
    let over = notice(NoticeKind::Over, "");
    let raised = "+status_stale:web";
    assert_eq!(told(&alerts.on_notice(&late, now)), [raised]);
    assert!(alerts.dismiss("status_stale:web").is_some());
    assert_eq!(told(&alerts.on_notice(&lost, after(45))), [raised]);
    assert_eq!(
        told(&alerts.on_notice(&over, after(46))),
        ["-status_stale:web"]
    );
    // One that goes on so is not told each time.
    let mut all = Vec::new();
    for round in 0..10 {
        all.extend(alerts.on_notice(&late, after(100 + round)));
        all.extend(alerts.on_notice(&over, after(100 + round)));
    }
    let raises = told(&all).iter().filter(|change| *change == raised).count();
    assert_eq!(raises, 3);
}

/// A session whose container reports these errors, the newest first.
fn reporting(errors: &[&str]) -> SessionFact {
    SessionFact {
        name: SessionName::parse("web").unwrap(),
        project: "/p".into(),
        engine: "default".to_owned(),
        state: State::Running,
        since: jiff::Timestamp::UNIX_EPOCH,
        reason: None,
        out_of_reach: false,
        health: Health::Healthy,
        report: Report {
            errors: errors.iter().map(ToString::to_string).collect(),
            ..Report::default()
        },
        freshness: Freshness::Fresh,
        clock_ahead: None,
        phases: Vec::new(),
        image: String::new(),
        image_id: None,
        container_id: None,
        wired: true,
        code_server: CodeServer::Running,
        commands: std::sync::Arc::default(),
        limits: Limits {
            memory_bytes: 1,
            cpus: 1.0,
            pids: 1,
        },
        workspace: WorkspaceKind::Bind,
        branch: None,
        history_trouble: None,
        only_there: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        started_at: None,
    }
}

/// The alerts of one report, at a second.
fn report(alerts: &mut Alerts, errors: &[&str], at: Instant) -> Vec<Change> {
    alerts.on_report(&reporting(errors), jiff::Timestamp::UNIX_EPOCH, at)
}

#[test]
fn errors_stand_for_as_long_as_the_container_repeats_them() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let raised = report(&mut alerts, &["disk full", "older", "oldest"], now);
    let [Change::AlertRaised { alert }] = raised.as_slice() else {
        panic!("{raised:?}")
    };
    let said = "Session `web` reports an error: disk full (and 2 others).";
    assert_eq!(alert.message, said);
    let again = report(&mut alerts, &["disk full", "older", "oldest"], now);
    assert_eq!(told(&again), NOTHING);
    let over = report(&mut alerts, &[], now);
    assert_eq!(told(&over), ["-reported_errors:web"]);
}

#[test]
fn a_container_that_reports_something_new_all_the_time_is_heard_now_and_then() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let after = |millis| now + Duration::from_millis(millis);
    let mut raised = Vec::new();
    for step in 0..100 {
        let text = format!("error {step}");
        raised.extend(report(&mut alerts, &[&text], after(step * 250)));
        raised.extend(alerts.tick(after(step * 250)));
    }
    assert_eq!(
        told(&raised),
        ["+reported_errors:web"; 3],
        "25 s, one in 10 s"
    );
    assert_eq!(alerts.next_due(), Some(after(30_000)));
    let last = alerts.tick(after(30_000));
    let [Change::AlertRaised { alert }] = last.as_slice() else {
        panic!("{last:?}")
    };
    assert!(alert.message.ends_with("error 99."), "{}", alert.message);
    assert_eq!(alerts.next_due(), None);
}

#[test]
fn an_error_put_away_comes_back_only_when_it_is_another_one() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let _raised = report(&mut alerts, &["disk full"], now);
    assert!(alerts.dismiss("reported_errors:web").is_some());
    assert_eq!(told(&report(&mut alerts, &["disk full"], now)), NOTHING);
    let later = now + Duration::from_secs(11);
    let other = report(&mut alerts, &["no network"], later);
    assert_eq!(told(&other), ["+reported_errors:web"]);
    let over = alerts.on_session_removed("web");
    assert_eq!(told(&over), ["-reported_errors:web"]);
}

#[test]
fn an_alert_names_the_engine_that_is_away() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let mut message_of = |engine: &EngineView| match alerts.on_engine(engine, now).as_slice() {
        [Change::AlertRaised { alert }] => alert.message.clone(),
        other => format!("{other:?}"),
    };
    let far = EngineView {
        name: "far".to_owned(),
        ..engine(EngineState::Offline)
    };
    assert_eq!(message_of(&far), "Engine `far`: refused");
    let none = EngineView {
        name: "none".to_owned(),
        endpoint: String::new(),
        ..far
    };
    assert_eq!(message_of(&none), "refused");
}

#[test]
fn what_waits_and_what_is_damaged_is_told_while_it_is_so() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let hold = ContextHoldView {
        id: "h".to_owned(),
        contexts: vec!["prod".to_owned()],
        from: ContextsSide::Container,
        message: "`prod` was deleted.".to_owned(),
        hint: String::new(),
    };
    let view = |state, holds: &[ContextHoldView]| ContextsView {
        state,
        holds: holds.to_vec(),
        ..ContextsView::default()
    };
    let mut look =
        |view: &ContextsView| told(&alerts.on_contexts(view, jiff::Timestamp::UNIX_EPOCH, now));
    assert_eq!(look(&view(ContextsState::Off, &[])), NOTHING);
    let held = view(ContextsState::Held, std::slice::from_ref(&hold));
    assert_eq!(look(&held), ["+contexts_held"]);
    assert_eq!(look(&held), NOTHING);
    assert_eq!(
        look(&view(ContextsState::Damaged, &[])),
        ["-contexts_held", "+contexts_damaged"]
    );
    assert_eq!(look(&view(ContextsState::Halted, &[])), NOTHING);
    assert_eq!(
        look(&view(ContextsState::InStep, &[])),
        ["-contexts_damaged"]
    );
    assert_eq!(
        look(&view(ContextsState::Halted, &[hold])),
        ["+contexts_held"]
    );
}

/// Changes of one context by containers, as its alert tells of them.
#[derive(Default)]
struct OfProd {
    alerts: Alerts,
    start: Option<Instant>,
}

impl OfProd {
    fn at(&mut self, second: u64) -> Instant {
        *self.start.get_or_insert_with(Instant::now) + Duration::from_secs(second)
    }

    /// What is shown after a change that containers have made in a row since `since`.
    fn changed(&mut self, second: u64, change: u64, since: u64) -> String {
        let news = News::Changed {
            name: "prod".to_owned(),
            message: format!("It leads to {change}."),
            change,
            since,
        };
        self.tell(second, &news)
    }

    fn taken_back(&mut self, second: u64) -> String {
        let name = "prod".to_owned();
        self.tell(second, &News::TakenBack { name })
    }

    fn tell(&mut self, second: u64, news: &News) -> String {
        let now = self.at(second);
        let told = self.alerts.on_news(news, jiff::Timestamp::UNIX_EPOCH, now);
        shown(told.as_slice())
    }

    fn ticked(&mut self, second: u64) -> String {
        let now = self.at(second);
        shown(&self.alerts.tick(now))
    }
}

/// The text of an alert, and what its Undo takes back.
fn shown(changes: &[Change]) -> String {
    let [change] = changes else {
        assert_eq!(changes, []);
        return String::new();
    };
    match change {
        Change::AlertRaised { alert } => {
            format!(
                "{} {} undoes {}",
                alert.message,
                alert.hint,
                alert.undo.unwrap()
            )
        }
        Change::AlertCleared { .. } => "cleared".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_a_container_s_changes_the_last_is_told_and_all_are_undone() {
    let mut prod = OfProd::default();
    assert_eq!(
        prod.changed(0, 7, 7),
        "It leads to 7. Take it back: mizzen contexts undo 7 undoes 7"
    );
    // However often it changes, the alert follows at its leisure, and ends with what was last.
    assert_eq!(prod.changed(1, 8, 7), "");
    assert_eq!(prod.changed(2, 9, 7), "");
    assert_eq!(
        prod.ticked(11),
        "It leads to 9. It is not the first. Take back all since the first: mizzen contexts undo 7; \
         the last one alone: mizzen contexts undo 9 undoes 7"
    );
    assert_eq!(prod.taken_back(12), "cleared");
    assert_eq!(prod.taken_back(12), "");
    assert_eq!(
        prod.changed(13, 11, 11),
        "It leads to 11. Take it back: mizzen contexts undo 11 undoes 11"
    );
    assert_eq!(prod.changed(14, 12, 11), "");
    assert_eq!(prod.taken_back(15), "cleared");
    assert_eq!(
        prod.ticked(60),
        "",
        "what was to be told is taken back, too"
    );
}

#[test]
fn what_a_person_has_seen_to_is_not_undone_with_what_comes_after() {
    let mut prod = OfProd::default();
    prod.changed(0, 1, 1);
    prod.alerts.dismiss("context_changed:prod").unwrap();
    assert_eq!(
        prod.changed(1, 2, 1),
        "It leads to 2. Take it back: mizzen contexts undo 2 undoes 2"
    );
    // The person has made it another one in between, on the host.
    prod.changed(20, 4, 4);
    assert_eq!(
        prod.changed(40, 5, 4),
        "It leads to 5. It is not the first. Take back all since the first: mizzen contexts undo 4; \
         the last one alone: mizzen contexts undo 5 undoes 4"
    );
}

#[test]
fn of_two_versions_the_other_one_is_offered() {
    let mut prod = OfProd::default();
    let news = News::Decided {
        name: "prod".to_owned(),
        message: "The host's stays.".to_owned(),
        change: 3,
    };
    assert_eq!(
        prod.tell(0, &news),
        "The host's stays. Take the other version: mizzen contexts undo 3 undoes 3"
    );
}

/// The alerts of how a workspace stands: what the container changed last that tools run, of so many.
fn tripped(alerts: &mut Alerts, last: Option<&str>, tripped: u32, at: Instant) -> Vec<Change> {
    let view = SyncView {
        tripwire: last.map(str::to_owned),
        tripped,
        ..SyncView::of(SyncState::InStep)
    };
    let session = reporting(&[]);
    alerts.on_sync(&session, Some(&view), jiff::Timestamp::UNIX_EPOCH, at)
}

#[test]
fn what_a_container_changed_that_tools_run_is_told_each_time_and_names_the_last() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    assert_eq!(told(&tripped(&mut alerts, None, 0, now)), NOTHING);
    let raised = tripped(&mut alerts, Some(".envrc"), 1, now);
    let [Change::AlertRaised { alert }] = raised.as_slice() else {
        panic!("{raised:?}")
    };
    assert_eq!(alert.id, "sync_tripwire:web");
    let said = "Session `web`: the container changed `.envrc`, which tools on this machine may run without asking.";
    assert_eq!(alert.message, said);
    let undo = "mizzen sync undo CYCLE web";
    assert!(alert.hint.contains(undo), "{}", alert.hint);
    let again = tripped(&mut alerts, Some(".envrc"), 1, now);
    assert_eq!(told(&again), NOTHING);

    let later = now + Duration::from_secs(60);
    let raised = tripped(&mut alerts, Some("Makefile"), 2, later);
    let [Change::AlertRaised { alert }] = raised.as_slice() else {
        panic!("{raised:?}")
    };
    let said = "Session `web`: the container changed `Makefile`, which tools on this machine may run without asking \
                (the last of 2 such changes).";
    assert_eq!(alert.message, said);
    let removed = alerts.on_session_removed("web");
    assert_eq!(told(&removed), ["-sync_tripwire:web"]);
}

#[test]
fn history_that_does_not_come_through_is_told_until_it_does() {
    let (mut alerts, now) = (Alerts::default(), Instant::now());
    let mut session = reporting(&[]);
    let at = jiff::Timestamp::UNIX_EPOCH;
    let mut look = |session: &SessionFact| alerts.on_history(session, at, now);
    assert!(look(&session).is_none());
    session.history_trouble = Some(Reason {
        message: "no room".to_owned(),
        hint: "Make some.".to_owned(),
    });
    let Some(Change::AlertRaised { alert }) = look(&session) else {
        panic!("an alert")
    };
    let said = (&*alert.id, &*alert.message, &*alert.hint);
    let wanted = (
        "history_stays:web",
        "Git in session `web`: no room",
        "Make some.",
    );
    assert_eq!(said, wanted);
    assert!(look(&session).is_none(), "told once");
    session.history_trouble = None;
    let cleared: Vec<Change> = look(&session).into_iter().collect();
    assert_eq!(told(&cleared), ["-history_stays:web"]);
}
