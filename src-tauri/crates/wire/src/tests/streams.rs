use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::{SinkExt, StreamExt};
use mizzen_tasks::Owner;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
use tokio_util::codec::Framed;

use super::pair;
use crate::control::{Answer, Question, serve};
use crate::pty::{Exit, PtyCodec, PtyFrame};
use crate::{
    Closed, Control, Incoming, MAX_STREAMS, OpenError, Probe, ShellSpec, Stream, StreamKind,
    SupervisorReport, Target,
};

/// Accepts every stream and sends back what comes.
fn echo_all(owner: &Owner, mut incoming: Incoming) {
    let streams = owner.clone();
    owner.spawn("echo", async move {
        while let Some(opening) = incoming.next().await {
            streams.spawn("echo-one", async move {
                let (mut from, mut to) =
                    split(opening.request().await.unwrap().accept().await.unwrap());
                let _ = copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
}

async fn echoes(mut stream: Stream, text: &[u8]) {
    let mut back = vec![0; text.len()];
    stream.write_all(text).await.unwrap();
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, text);
    stream.shutdown().await.unwrap();
    assert_eq!(
        stream.read(&mut back).await.unwrap(),
        0,
        "the end must come back too"
    );
}

#[tokio::test]
async fn both_sides_learn_who_the_other_is() {
    let owner = Owner::root("test");
    let (core, container, _incoming) = pair(&owner).await;
    assert_eq!(core.peer().program, "mizzen-supervisor");
    assert_eq!(container.peer().program, "mizzen");
}

#[tokio::test]
async fn a_stream_says_its_kind_and_carries_bytes_both_ways() {
    let owner = Owner::root("test");
    let (core, _container, mut incoming) = pair(&owner).await;
    let kinds = [
        StreamKind::Control,
        StreamKind::Forward(Target::CodeServer),
        StreamKind::Forward(Target::Unix(PathBuf::from("/run/x.sock"))),
        StreamKind::Forward(Target::Tcp(3000)),
        StreamKind::Shell(ShellSpec {
            argv: vec!["top".into()],
            cols: 80,
            rows: 24,
            env: BTreeMap::from([("TERM".into(), "xterm".into())]),
        }),
        StreamKind::Probe(Probe::Echo),
    ];
    for kind in kinds {
        let (stream, request) = tokio::join!(core.open(kind.clone()), async {
            let request = incoming.next().await.unwrap().request().await.unwrap();
            assert_eq!(request.kind(), &kind);
            request.accept().await.unwrap()
        });
        let (mut near, mut far) = (stream.unwrap(), request);
        near.write_all(b"there").await.unwrap();
        far.write_all(b"back").await.unwrap();
        let (mut a, mut b) = ([0; 5], [0; 4]);
        far.read_exact(&mut a).await.unwrap();
        near.read_exact(&mut b).await.unwrap();
        assert_eq!((&a, &b), (b"there", b"back"));
    }
}

#[tokio::test]
async fn a_refusal_arrives_with_its_reason() {
    let owner = Owner::root("test");
    let (core, _container, mut incoming) = pair(&owner).await;
    let refuse = async {
        let request = incoming.next().await.unwrap().request().await.unwrap();
        request.refuse("nothing listens on port 1").await.unwrap();
    };
    let (opened, ()) = tokio::join!(core.open(StreamKind::Forward(Target::Tcp(1))), refuse);
    let error = opened.unwrap_err();
    assert!(
        matches!(&error, OpenError::Refused(why) if why.contains("port 1")),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn many_streams_at_once_over_a_socket_pair_keep_their_bytes_apart() {
    let owner = Owner::root("test");
    let (a, b) = tokio::net::UnixStream::pair().unwrap();
    let (core, _container, incoming) = super::pair_over(&owner, a, b).await;
    echo_all(&owner, incoming);
    let each = (0..MAX_STREAMS).map(|n| {
        let core = core.clone();
        async move {
            let text = vec![u8::try_from(n).unwrap(); 10_000 + n];
            echoes(
                core.open(StreamKind::Probe(Probe::Echo)).await.unwrap(),
                &text,
            )
            .await;
        }
    });
    futures::future::join_all(each).await;
}

#[tokio::test]
async fn a_stream_above_the_limit_is_refused_here_and_fits_again_when_one_is_gone() {
    let owner = Owner::root("test");
    let (core, _container, incoming) = pair(&owner).await;
    echo_all(&owner, incoming);
    let open = || core.open(StreamKind::Probe(Probe::Echo));
    let mut held = Vec::new();
    for _ in 0..MAX_STREAMS {
        held.push(open().await.unwrap());
    }
    assert!(matches!(open().await, Err(OpenError::TooMany)));
    held.pop();
    echoes(open().await.unwrap(), b"again").await;
    // Far more than the limit, one after the other: nothing of them may pile up.
    for _ in 0..5 * MAX_STREAMS {
        drop(open().await.unwrap());
    }
}

#[tokio::test]
async fn a_stream_that_is_not_read_holds_up_only_itself() {
    let owner = Owner::root("test");
    let (core, _container, mut incoming) = pair(&owner).await;
    let (stuck, unread) = tokio::join!(core.open(StreamKind::Probe(Probe::Sink)), async {
        incoming
            .next()
            .await
            .unwrap()
            .request()
            .await
            .unwrap()
            .accept()
            .await
            .unwrap()
    });
    echo_all(&owner, incoming);
    let mut stuck = stuck.unwrap();
    let flood = owner.spawn_held("flood", async move {
        let block = vec![0; 64 * 1024];
        while stuck.write_all(&block).await.is_ok() {}
    });
    for _ in 0..20 {
        echoes(
            core.open(StreamKind::Probe(Probe::Echo)).await.unwrap(),
            &[7; 100_000],
        )
        .await;
    }
    drop((flood, unread));
}

#[tokio::test]
async fn a_dropped_wire_ends_both_sides() {
    let owner = Owner::root("test");
    let (core, container, mut incoming) = pair(&owner).await;
    drop(core);
    assert_eq!(container.closed().await, Closed::ByPeer);
    assert!(incoming.next().await.is_none());
    assert!(matches!(
        container.open(StreamKind::Control).await,
        Err(OpenError::Closed)
    ));
}

#[tokio::test]
async fn a_container_that_goes_away_ends_its_streams() {
    let owner = Owner::root("test");
    let (core, container, mut incoming) = pair(&owner).await;
    let (near, far) = tokio::join!(core.open(StreamKind::Control), async {
        incoming
            .next()
            .await
            .unwrap()
            .request()
            .await
            .unwrap()
            .accept()
            .await
            .unwrap()
    });
    drop((container, incoming));
    let mut near = near.unwrap();
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(core.closed().await, Closed::ByPeer);
    assert!(core.is_closed());
    drop(far);
}

#[tokio::test]
async fn an_owner_that_stops_ends_the_wire() {
    let owner = Owner::root("test");
    let (core, _container, _incoming) = pair(&owner).await;
    owner.shut_down(std::time::Duration::from_secs(5)).await;
    assert_eq!(core.closed().await, Closed::ByUs);
}

#[tokio::test]
async fn questions_are_answered_until_the_core_is_done() {
    let owner = Owner::root("test");
    let (core, _container, mut incoming) = pair(&owner).await;
    let report = SupervisorReport {
        version: "1.2.3".into(),
        uid: 1000,
        ..Default::default()
    };
    let given = report.clone();
    let answers = async {
        let request = incoming.next().await.unwrap().request().await.unwrap();
        let answer = |question| {
            std::future::ready(match question {
                Question::Ping => Answer::Pong,
                Question::Report | Question::SettledReport => {
                    Answer::Report(Box::new(given.clone()))
                }
            })
        };
        serve(request.accept().await.unwrap(), answer).await
    };
    let questions = async {
        let mut control = Control::open(&core).await.unwrap();
        control.ping().await.unwrap();
        assert_eq!(control.report().await.unwrap(), report);
        assert_eq!(control.settled_report().await.unwrap(), report);
        control.ping().await.unwrap();
    };
    let ((), served) = tokio::join!(questions, answers);
    served.unwrap();
}

#[tokio::test]
async fn a_terminal_is_frames() {
    let owner = Owner::root("test");
    let (core, _container, incoming) = pair(&owner).await;
    echo_all(&owner, incoming);
    let stream = core
        .open(StreamKind::Shell(ShellSpec::default()))
        .await
        .unwrap();
    let mut terminal = Framed::new(stream, PtyCodec);
    for frame in [
        PtyFrame::Data(vec![b'x'; 65_536].into()),
        PtyFrame::Resize {
            cols: 120,
            rows: 40,
        },
        PtyFrame::Data(Vec::new().into()),
        PtyFrame::Exit(Exit::Code(-1)),
        PtyFrame::Exit(Exit::Signal(9)),
    ] {
        terminal.send(frame.clone()).await.unwrap();
        assert_eq!(terminal.next().await.unwrap().unwrap(), frame);
    }
}
