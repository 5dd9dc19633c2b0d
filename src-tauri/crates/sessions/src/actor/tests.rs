use std::sync::Arc;
use std::time::Duration;

use mizzen_docker::{Endpoint, SshClient};
use mizzen_tasks::Owner;
use tokio::sync::{Mutex, broadcast, watch};
use tokio::time::Instant;

use super::{Actor, EngineHealth, Heard, Told};
use crate::engines::{EngineSource, Engines};
use crate::fact::{Facts, Freshness, Health, Notice, NoticeKind, SessionFact};
use crate::identity::Identity;
use crate::life::Life;
use crate::limits::SessionSettings;
use crate::machine::State;
use crate::para::ParaDirs;
use crate::record::tests::record;
use crate::registry::Registry;
use crate::reports::{self, Lookout};
use crate::slots::Slots;
use crate::supervisor::SupervisorFiles;
use crate::workspace::tests::NothingToSync;
use crate::world::World;

/// A session `web` on an engine that nobody asks.
fn actor(owner: &Owner, state_dir: &std::path::Path) -> Actor {
    let identity = Identity::of("0011223344556677");
    let nowhere = Endpoint::Unix(state_dir.join("no-engine.sock"));
    let source = EngineSource {
        selected: Arc::new(|| Ok("default".to_owned())),
        find: Arc::new(move |_| Ok(nowhere.clone())),
        ssh: SshClient::default(),
    };
    let engines = Engines::new(owner, identity.label(), source);
    let (engine, _) = engines.engage("default").unwrap();
    let settings = SessionSettings {
        max_running: 1,
        memory_budget_bytes: None,
        remote_engines: Vec::new(),
        image: None,
        memory_bytes: 1 << 30,
        cpus: 1.0,
    };
    let world = World {
        syncing: Arc::new(NothingToSync),
        identity,
        registry: Registry::open(state_dir, "now").unwrap().0,
        engines,
        settings: watch::Sender::new(settings).subscribe(),
        supervisors: SupervisorFiles::One(state_dir.into()),
        user_tables: std::sync::Mutex::default(),
        per_engine: std::sync::Mutex::default(),
        authorities: Vec::new(),
        home: None,
        state_dir: state_dir.into(),
        lookout: Arc::new(Lookout::new(Arc::new(jiff::Timestamp::now))),
        clock: Arc::new(jiff::Timestamp::now),
        began: Instant::now(),
        at_step: None,
        slots: Slots::default(),
        facts: watch::Sender::new(Arc::default()),
        notices: broadcast::Sender::new(8),
        listing: Mutex::default(),
    };
    Actor::of(Arc::new(world), owner, engine, record("web")).0
}

/// Its container runs, and is listened to.
fn run(mut actor: Actor, owner: &Owner) {
    actor.fact.state = State::Running;
    actor.heard_at = Some(Instant::now());
    actor.life = Some(Life::begin(
        owner,
        &actor.engine,
        &actor.record,
        "no-container",
        &actor.ports,
    ));
    owner.spawn("actor", actor.run());
}

/// What a container reports, in the protocol's words.
fn said(fields: &str) -> Heard {
    reports::passed_on(&format!("{{{fields}}}")).unwrap()
}

async fn next(notices: &mut broadcast::Receiver<Notice>) -> Notice {
    let notice = tokio::time::timeout(Duration::from_secs(3600), notices.recv()).await;
    notice.expect("a notice").expect("the actor lives")
}

/// Time stands still here but for the waits: the minute costs nothing.
#[tokio::test(start_paused = true)]
async fn a_container_that_falls_silent_is_told_of_until_it_speaks() {
    let (dir, owner) = (tempfile::tempdir().unwrap(), Owner::root("test"));
    let actor = actor(&owner, dir.path());
    let mut notices = actor.world.notices.subscribe();
    let mut facts = actor.world.facts.subscribe();
    let reports = actor.ports.listener.tell.clone();
    let began = Instant::now();
    run(actor, &owner);

    for (least, silence, freshness) in [
        (15, "has reported nothing for 15 seconds", Freshness::Stale),
        (60, "reports nothing any more", Freshness::Lost),
    ] {
        let notice = next(&mut notices).await;
        let after = began.elapsed().as_secs();
        assert!((least..least + 2).contains(&after), "told after {after} s");
        assert_eq!(notice.kind, NoticeKind::Stale);
        assert!(notice.message.contains(silence), "{}", notice.message);
        let is_so = |fact: &SessionFact| fact.freshness == freshness;
        facts
            .wait_for(|facts| facts.get("web").is_some_and(|fact| is_so(fact)))
            .await
            .unwrap();
    }

    let word = said(r#""timestamp":"2026-01-02T03:04:05Z","status":"running""#);
    reports.send(word).await.unwrap();
    assert_eq!(next(&mut notices).await.kind, NoticeKind::Over);
    owner.shut_down(Duration::from_secs(1)).await;
}

/// D4: its own machine may wake later.
#[tokio::test(start_paused = true)]
async fn a_container_may_be_silent_for_a_minute_once_this_machine_has_woken() {
    let (dir, owner) = (tempfile::tempdir().unwrap(), Owner::root("test"));
    let actor = actor(&owner, dir.path());
    let mut notices = actor.world.notices.subscribe();
    let tell = actor.tell.clone();
    run(actor, &owner);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let woken = Instant::now();
    tell.send(Told::Woke).await.unwrap();
    assert_eq!(next(&mut notices).await.kind, NoticeKind::Stale);
    assert!(woken.elapsed() >= Duration::from_secs(60));
    owner.shut_down(Duration::from_secs(1)).await;
}

#[test]
fn one_that_was_given_up_before_this_machine_slept_is_not_pardoned() {
    let now = Instant::now() + Duration::from_secs(3600);
    let seconds = Duration::from_secs;
    for (silent, counts_from) in [
        (0, now + seconds(45)),
        (20, now + seconds(45)),
        (60, now + seconds(45)),
        (61, now - seconds(61)),
    ] {
        let heard_at = now - seconds(silent);
        assert_eq!(super::pardoned(heard_at, now), counts_from, "{silent} s");
    }
}

/// D4: one bad report is no illness, and where the engine checks, no report changes its verdict.
#[tokio::test(start_paused = true)]
async fn health_changes_by_two_reports_and_never_against_the_engine() {
    let (dir, owner) = (tempfile::tempdir().unwrap(), Owner::root("test"));
    let actor = actor(&owner, dir.path());
    let mut facts = actor.world.facts.subscribe();
    let (reports, tell) = (actor.ports.listener.tell.clone(), actor.tell.clone());
    run(actor, &owner);
    for (seq, health, expected) in [
        (1, "healthy", Health::Healthy),
        (2, "unhealthy", Health::Healthy),
        (3, "unhealthy", Health::Unhealthy),
        (4, "healthy", Health::Unhealthy),
        (5, "healthy", Health::Healthy),
        (6, "healthy", Health::Unhealthy),
        (7, "healthy", Health::Unhealthy),
    ] {
        if seq == 6 {
            tell.send(Told::Health(EngineHealth::Unhealthy))
                .await
                .unwrap();
            let ill = |facts: &Arc<Facts>| facts["web"].health == Health::Unhealthy;
            facts.wait_for(ill).await.unwrap();
        }
        let report = said(&format!(
            r#""timestamp":"{seq}","seq":{seq},"status":"running","health":"{health}","phase":"{seq}""#
        ));
        // Told twice, as by the file and by the wire: that is one report.
        reports.send(report.clone()).await.unwrap();
        reports.send(report).await.unwrap();
        let phase = Some(seq.to_string());
        let heard =
            |facts: &Arc<Facts>| facts.get("web").is_some_and(|it| it.report.phase == phase);
        let now = facts.wait_for(heard).await.unwrap()["web"].health;
        assert_eq!(now, expected, "after report {seq}");
    }
    owner.shut_down(Duration::from_secs(1)).await;
}

/// Row 17: of what is read first nobody knows how long it lay there.
#[tokio::test(start_paused = true)]
async fn row_17_a_clock_that_is_wrong_is_shown_once_two_reports_say_so() {
    let (dir, owner) = (tempfile::tempdir().unwrap(), Owner::root("test"));
    let actor = actor(&owner, dir.path());
    let mut facts = actor.world.facts.subscribe();
    let reports = actor.ports.listener.tell.clone();
    run(actor, &owner);
    let five_minutes_late = |seq: u64| {
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5);
        said(&format!(
            r#""timestamp":"{at}","seq":{seq},"status":"running","phase":"{seq}""#
        ))
    };
    for (seq, is_shown) in [(1, false), (2, true)] {
        let report = five_minutes_late(seq);
        // Told twice, as by the file and by the wire: that is one report.
        reports.send(report.clone()).await.unwrap();
        reports.send(report).await.unwrap();
        let phase = seq.to_string();
        let heard = |fact: &SessionFact| fact.report.phase.as_ref() == Some(&phase);
        let now = facts.wait_for(|facts| facts.get("web").is_some_and(|fact| heard(fact)));
        let ahead = now.await.unwrap()["web"].clock_ahead;
        let is_it = ahead.is_some_and(|ahead| (-310..=-300).contains(&ahead));
        assert_eq!(is_it, is_shown, "{ahead:?} after {seq}");
    }
    owner.shut_down(Duration::from_secs(1)).await;
}

/// Each problem is another one when its place in the file is: a container that never writes a good report again must not
/// make its list of warnings grow.
#[tokio::test(start_paused = true)]
async fn of_reports_that_cannot_be_used_only_the_last_one_is_told_beside_what_was_said_before() {
    let (dir, owner) = (tempfile::tempdir().unwrap(), Owner::root("test"));
    let mut actor = actor(&owner, dir.path());
    actor.record.project = dir.path().to_owned();
    // Where it reports, which is followed: one that is not there would be a problem, too.
    let status = ParaDirs::of(&actor.record.project, &actor.record.name).status;
    std::fs::create_dir_all(status).unwrap();
    let mut facts = actor.world.facts.subscribe();
    let reports = actor.ports.listener.tell.clone();
    run(actor, &owner);
    let report = |phase: &str| {
        said(&format!(
            r#""timestamp":"{phase}","status":"running","phase":"{phase}","warnings":["its own"]"#
        ))
    };
    for (phase, problems, warnings) in [
        ("1", 0, vec!["its own"]),
        ("2", 50, vec!["problem 50", "its own"]),
        ("3", 1, vec!["problem 1", "its own"]),
        ("4", 0, vec!["its own"]),
    ] {
        reports.send(report(phase)).await.unwrap();
        for number in 1..=problems {
            let problem = format!("problem {number}");
            reports.send(Heard::Problem(problem)).await.unwrap();
        }
        let is_so = |fact: &SessionFact| {
            fact.report.phase.as_deref() == Some(phase) && fact.report.warnings == warnings
        };
        let told = facts.wait_for(|facts| facts.get("web").is_some_and(|fact| is_so(fact)));
        let told = tokio::time::timeout(Duration::from_secs(3600), told).await;
        assert!(told.is_ok(), "{warnings:?} after report {phase}");
    }
    owner.shut_down(Duration::from_secs(1)).await;
}
