//! Faults of the connection to an engine: each must end in `Offline`, and the next attempt succeed.

use std::sync::atomic::{AtomicBool, Ordering};

use mizzen_testkit::fake_engine::{FakeEngine, Reply, well};

use super::*;
use crate::{ContainerState, DockerErrorKind};

/// Longer than any deadline; never reached when all is well.
const PATIENCE: Duration = Duration::from_secs(40);

const ID: &str = "aaaa";

struct Rig {
    fake: FakeEngine,
    engine: Engine,
    events: mpsc::Receiver<EngineEvent>,
    _owner: Owner,
}

impl Rig {
    fn new(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_relist(RELIST, script)
    }

    fn with_relist(
        relist: Duration,
        script: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let fake = FakeEngine::start(script).expect("a socket");
        let owner = Owner::root("test");
        let options = EngineOptions::new(("a".to_owned(), "b".to_owned()));
        let endpoint = Endpoint::Unix(fake.socket());
        let (engine, events) = Engine::spawn_with(&owner, "fake", endpoint, options, relist);
        Self {
            fake,
            engine,
            events,
            _owner: owner,
        }
    }

    async fn event<T>(&mut self, mut fits: impl FnMut(EngineEvent) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the task lives");
                if let Some(found) = fits(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("an event in time")
    }

    async fn offline(&mut self) -> Offline {
        self.event(|event| match event {
            EngineEvent::Offline(offline) => Some(offline),
            _ => None,
        })
        .await
    }

    async fn listed(&mut self) -> Vec<crate::ContainerFact> {
        self.event(|event| match event {
            EngineEvent::Listed(facts) => Some(facts),
            _ => None,
        })
        .await
    }

    /// Makes the engine well, and waits until it is listed.
    async fn recovers(&mut self) {
        self.fake.change(|request| well(request, silent()));
        self.engine.retry_now();
        self.listed().await;
        assert!(matches!(&*self.engine.link().borrow(), Link::Online(_)));
    }
}

fn silent() -> Reply {
    Reply::StreamThenSilence(Vec::new())
}

fn is(request: &str, path: &str) -> bool {
    request.starts_with(&format!("GET {path}"))
}

/// Two events as an engine sends them.
fn recorded() -> Vec<u8> {
    let event = |action: &str| {
        format!(
            r#"{{"status":"{action}","id":"{ID}","Type":"container","Action":"{action}","Actor":{{"ID":"{ID}","Attributes":{{"exitCode":"0"}}}},"timeNano":1}}"#
        )
    };
    format!("{}\n{}\n", event("start"), event("destroy")).into_bytes()
}

#[tokio::test]
async fn an_event_stream_cut_at_any_byte_is_opened_again() {
    let stream = recorded();
    for cut in 0..=stream.len() {
        let part = stream[..cut].to_vec();
        let mut rig = Rig::new(move |request| well(request, Reply::StreamThenCut(part.clone())));
        let mut removed = 0;
        let offline = rig
            .event(|event| match event {
                EngineEvent::Removed { id } => {
                    assert_eq!(id, ID);
                    removed += 1;
                    None
                }
                EngineEvent::Offline(offline) => Some(offline),
                _ => None,
            })
            .await;
        assert!(
            !offline.hint.is_empty() && offline.attempts == 1,
            "cut at {cut}: {offline:?}"
        );
        assert_eq!(removed, u32::from(cut == stream.len()), "cut at {cut}");
        rig.recovers().await;
    }
}

#[tokio::test]
async fn a_stream_that_ends_properly_is_an_end_all_the_same() {
    let mut rig = Rig::new(|request| well(request, Reply::Stream(recorded())));
    let offline = rig.offline().await;
    assert_eq!(offline.cause, DockerErrorKind::Unreachable);
    rig.recovers().await;
}

#[tokio::test]
async fn nonsense_in_the_stream_is_not_believed() {
    for nonsense in [
        b"\0\0\0\n".to_vec(),
        b"[]\n".to_vec(),
        b"<html>\n".to_vec(),
        b"{\"Action\":5}\n".to_vec(),
        b"{\"Action\":\"die\"}\n".to_vec(),
        b"\xff\xfe\n".to_vec(),
        vec![b'x'; 2 << 20],
        [b"[".repeat(100_000), b"\n".to_vec()].concat(),
    ] {
        let mut rig =
            Rig::new(move |request| well(request, Reply::StreamThenSilence(nonsense.clone())));
        let offline = rig.offline().await;
        assert_eq!(offline.cause, DockerErrorKind::Server, "{offline:?}");
        rig.recovers().await;
    }
}

#[tokio::test]
async fn an_engine_that_fails_at_any_step_is_offline_and_tried_again() {
    for step in ["/version", "/info", "/events", "/containers/json"] {
        for (fault, cause) in [
            (
                Reply::Json(500, r#"{"message":"on fire"}"#.to_owned()),
                DockerErrorKind::Server,
            ),
            (
                Reply::Json(500, "x".repeat(1 << 20)),
                DockerErrorKind::Server,
            ),
            (
                Reply::Json(403, r#"{"message":"no"}"#.to_owned()),
                DockerErrorKind::Denied,
            ),
            (
                Reply::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()),
                DockerErrorKind::Unreachable,
            ),
            (Reply::Raw(Vec::new()), DockerErrorKind::Unreachable),
            (
                Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[".to_vec()),
                DockerErrorKind::Unreachable,
            ),
        ] {
            let reply = fault.clone();
            let mut rig = Rig::new(move |request| {
                if is(request, step) {
                    reply.clone()
                } else {
                    well(request, silent())
                }
            });
            // A stream may break after it began well; anything else must not look online at all.
            let mut online = false;
            let offline = rig
                .event(|event| match event {
                    EngineEvent::Offline(offline) => Some(offline),
                    other => {
                        online |= matches!(other, EngineEvent::Online(_));
                        None
                    }
                })
                .await;
            assert!(!online || step == "/events", "{step}");
            let fault = format!("{fault:?}").chars().take(80).collect::<String>();
            assert_eq!(offline.cause, cause, "{step} {fault}: {offline:?}");
            assert!(offline.message.len() < 4000 && !offline.hint.is_empty());
            rig.recovers().await;
        }
    }
}

#[tokio::test]
async fn an_engine_that_never_answers_is_given_up() {
    let steps = ["/version", "/info", "/events", "/containers/json"];
    let attempts = steps.map(|step| async move {
        let mut rig = Rig::new(move |request| {
            if is(request, step) {
                Reply::Never
            } else {
                well(request, silent())
            }
        });
        let offline = rig.offline().await;
        assert_eq!(
            offline.cause,
            DockerErrorKind::TimedOut,
            "{step}: {offline:?}"
        );
        rig.recovers().await;
    });
    futures::future::join_all(attempts).await;
}

#[tokio::test]
async fn failed_attempts_are_counted_and_the_first_time_is_kept() {
    let mut rig = Rig::new(|_| Reply::Json(500, String::new()));
    let first = rig.offline().await;
    rig.engine.retry_now();
    let second = rig.offline().await;
    assert_eq!((first.attempts, second.attempts), (1, 2));
    assert_eq!(first.since, second.since);
    assert_eq!(*rig.engine.link().borrow(), Link::Offline(second));
    rig.recovers().await;
}

#[tokio::test]
async fn silence_with_a_failing_list_is_a_disconnect() {
    let hung = Arc::new(AtomicBool::new(false));
    let seen = hung.clone();
    let mut rig = Rig::with_relist(Duration::from_millis(20), move |request| {
        if is(request, "/containers/json") && seen.load(Ordering::SeqCst) {
            Reply::Raw(Vec::new())
        } else {
            well(request, silent())
        }
    });
    rig.listed().await;
    rig.listed().await;
    hung.store(true, Ordering::SeqCst);
    assert_eq!(rig.offline().await.cause, DockerErrorKind::Unreachable);
    rig.recovers().await;
}

#[tokio::test]
async fn a_stream_that_misses_a_change_is_opened_again_without_an_alarm() {
    let exited = Arc::new(AtomicBool::new(false));
    let seen = exited.clone();
    let mut rig = Rig::with_relist(Duration::from_millis(20), move |request| {
        let state = if seen.load(Ordering::SeqCst) {
            r#"{"Status":"exited","FinishedAt":"2026-01-01T00:00:00Z","ExitCode":1}"#
        } else {
            r#"{"Status":"running","Running":true}"#
        };
        if is(request, "/containers/json") {
            Reply::Json(200, format!(r#"[{{"Id":"{ID}"}}]"#))
        } else if is(request, "/containers/aaaa/json") {
            Reply::Json(200, format!(r#"{{"Id":"{ID}","State":{state}}}"#))
        } else {
            well(request, silent())
        }
    });
    assert!(rig.listed().await[0].is_up());
    exited.store(true, Ordering::SeqCst);
    let mut states = Vec::new();
    rig.event(|event| match event {
        EngineEvent::Listed(facts) => {
            states.extend(facts.into_iter().map(|fact| fact.state));
            None
        }
        EngineEvent::Offline(offline) => panic!("{offline:?}"),
        EngineEvent::Online(_) => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(
        states.last(),
        Some(&ContainerState::Exited),
        "told before it subscribes again"
    );
}

#[tokio::test]
async fn a_container_that_cannot_be_read_does_not_take_the_engine_down() {
    let mut rig = Rig::new(|request| {
        if is(request, "/containers/aaaa/json") {
            Reply::Json(500, r#"{"message":"stuck"}"#.to_owned())
        } else if is(request, "/containers/json") {
            Reply::Json(
                200,
                format!(r#"[{{"Id":"{ID}","Names":["/a"],"State":"running"}}]"#),
            )
        } else {
            well(request, Reply::StreamThenSilence(recorded()))
        }
    });
    rig.event(|event| match event {
        EngineEvent::Removed { .. } => Some(()),
        EngineEvent::Offline(offline) => panic!("{offline:?}"),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn an_end_is_told_before_the_engine_lets_anybody_look() {
    let die = format!(
        r#"{{"Action":"die","Actor":{{"ID":"{ID}","Attributes":{{"exitCode":"3"}}}},"timeNano":1600000000000000001}}{}"#,
        "\n"
    );
    let mut rig = Rig::new(move |request| {
        if is(request, "/containers/aaaa/json") {
            Reply::Never
        } else {
            well(request, Reply::StreamThenSilence(die.clone().into_bytes()))
        }
    });
    let died = rig
        .event(|event| match event {
            EngineEvent::Died { id, exit_code, at } => Some((id, exit_code, at.as_nanosecond())),
            _ => None,
        })
        .await;
    let expected = (ID.to_owned(), Some(3), 1_600_000_000_000_000_001);
    assert_eq!(died, expected);
}

#[tokio::test]
async fn a_container_that_cannot_be_read_is_listed_by_what_is_known() {
    let mut rig = Rig::new(|request| {
        if is(request, "/containers/json") {
            Reply::Json(
                200,
                format!(r#"[{{"Id":"{ID}","Names":["/a"],"State":"paused"}}]"#),
            )
        } else if is(request, "/containers/aaaa/json") {
            Reply::Json(500, String::new())
        } else {
            well(request, silent())
        }
    });
    let facts = rig.listed().await;
    let rows: Vec<_> = facts
        .iter()
        .map(|fact| (fact.name.as_str(), fact.state))
        .collect();
    assert_eq!(rows, [("a", ContainerState::Paused)]);
}

#[tokio::test]
async fn dropping_the_receiver_ends_the_task() {
    let Rig {
        fake,
        engine,
        events,
        _owner,
    } = Rig::new(|_| Reply::Json(500, String::new()));
    drop(events);
    assert_eq!(_owner.shut_down(PATIENCE).await, Vec::<String>::new());
    let before = fake.requests();
    engine.retry_now();
    tokio::task::yield_now().await;
    assert_eq!(fake.requests(), before);
}

#[test]
fn bollard_cannot_log_what_it_sends() {
    assert!(log::STATIC_MAX_LEVEL <= log::LevelFilter::Info);
}

#[tokio::test]
async fn a_socket_that_comes_back_is_not_kept_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("docker.sock");
    let owner = Owner::root("test");
    let options = EngineOptions::new(("a".to_owned(), "b".to_owned()));
    let (_engine, mut events) =
        Engine::spawn(&owner, "away", Endpoint::Unix(path.clone()), options);
    let mut next = async || {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await;
        event.expect("in time").expect("the task lives")
    };
    // After the fourth attempt the next one is due in three seconds and more.
    while !matches!(next().await, EngineEvent::Offline(offline) if offline.attempts == 4) {}
    let fake = FakeEngine::start(|request| well(request, silent())).expect("a socket");
    let back = std::time::Instant::now();
    std::os::unix::fs::symlink(fake.socket(), &path).expect("a link");
    while !matches!(next().await, EngineEvent::Online(_)) {}
    assert!(
        back.elapsed() < Duration::from_secs(1),
        "{:?}",
        back.elapsed()
    );
}
