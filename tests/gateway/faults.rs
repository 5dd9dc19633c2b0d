//! Sessions and browsers that are slow, silent, greedy or absent.

use std::time::Duration;

use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use mizzen_gateway::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::rig::{Rig, get, text, with_cookie};

async fn check(rig: &Rig, session: &str, path: &str, status: StatusCode, says: &str) {
    let answer = rig.get(session, path).await;
    assert_eq!(answer.status(), status, "{session}{path}");
    assert!(
        text(&answer).contains(says),
        "{session}{path}: {}",
        text(&answer)
    );
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
}

#[tokio::test]
async fn a_session_that_cannot_answer_gets_a_page_that_says_so() {
    let rig = Rig::new().await;
    check(
        &rig,
        "stopped",
        "/",
        StatusCode::SERVICE_UNAVAILABLE,
        "stopped: stopped",
    )
    .await;
    check(
        &rig,
        "deaf",
        "/",
        StatusCode::BAD_GATEWAY,
        "deaf: &lt;b&gt;connection refused&lt;/b&gt;",
    )
    .await;
    check(
        &rig,
        "cut-off",
        "/",
        StatusCode::BAD_GATEWAY,
        "the engine is offline",
    )
    .await;
    check(&rig, "gone", "/", StatusCode::NOT_FOUND, "no longer there").await;
    check(
        &rig,
        "garbled",
        "/",
        StatusCode::BAD_GATEWAY,
        "no proper answer",
    )
    .await;
    check(
        &rig,
        "web",
        "/switch",
        StatusCode::BAD_GATEWAY,
        "no proper answer",
    )
    .await;
    check(
        &rig,
        "web",
        "/endless-head",
        StatusCode::BAD_GATEWAY,
        "no proper answer",
    )
    .await;
}

#[tokio::test]
async fn silence_ends_with_a_page() {
    let soon = Duration::from_millis(50);
    let rig = Rig::with(Limits {
        dial: soon,
        response_head: soon,
        ..Limits::default()
    })
    .await;
    check(
        &rig,
        "web",
        "/never",
        StatusCode::GATEWAY_TIMEOUT,
        "does not answer",
    )
    .await;
    check(
        &rig,
        "asleep",
        "/",
        StatusCode::GATEWAY_TIMEOUT,
        "does not answer",
    )
    .await;
    rig.sessions
        .state()
        .open
        .subscribe()
        .wait_for(|open| *open == 0)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_browser_that_never_finishes_its_request_is_hung_up_on() {
    let rig = Rig::with(Limits {
        request_head: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut stream = rig.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: web")
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 2"));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let rig = Rig::new().await;
    let mut stream = rig.connect().await;
    let line = format!("x-{}: {}\r\n", "n".repeat(64), "v".repeat(4096));
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    // The gateway hangs up before it has read all: writing may fail, and that is the point.
    for _ in 0..64 {
        if stream.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
}

#[tokio::test]
async fn one_session_cannot_take_all_streams() {
    let rig = Rig::with(Limits {
        streams_per_session: 2,
        ..Limits::default()
    })
    .await;
    let cookie = rig.log_in("web").await;
    let hold = || rig.open(with_cookie(get(&rig.host("web"), "/stream"), &cookie));
    let held = [hold().await, hold().await];

    let busy = rig
        .ask(with_cookie(get(&rig.host("web"), "/"), &cookie))
        .await;
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(&busy).contains("Too much is open"));
    assert_eq!(
        rig.get("api", "/").await.status(),
        StatusCode::OK,
        "others are not hurt"
    );

    let mut open = rig.sessions.state().open.subscribe();
    drop(held);
    open.wait_for(|open| *open == 0).await.unwrap();
    assert_eq!(
        rig.get("web", "/").await.status(),
        StatusCode::OK,
        "places are free again"
    );
}

#[tokio::test]
async fn closing_lets_an_answer_under_way_finish() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let state = rig.sessions.state();
    let mut body = rig
        .open(with_cookie(get(&rig.host("web"), "/stream"), &cookie))
        .await
        .into_body();
    let close = rig.gateway.close(Duration::from_secs(30));
    let read = async {
        state.pieces.add_permits(1);
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, "piece 0\n");
        drop(body);
    };
    tokio::join!(close, read);
}
