//! What passes: bodies of every kind, whole and as they come.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::rig::{Rig, get, request, text, with, with_cookie};
use crate::service::{FILE, NEAR, Pieces};

#[tokio::test]
async fn a_session_sees_the_request_and_not_our_cookie() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let request = with_cookie(
        get(&rig.host("web"), "/a/b?c=d&e"),
        &format!("theme=dark; {cookie}"),
    );
    let answer = rig
        .ask(with(request, "x-forwarded-host", "evil.example"))
        .await;
    let host = rig.host("web");
    let expected = format!(
        "web CodeServer: GET /a/b?c=d&e {{\"connection\": \"close\", \"cookie\": \"theme=dark\", \"host\": \"{host}\", \
         \"x-forwarded-host\": \"{host}\", \"x-forwarded-proto\": \"http\"}}"
    );
    assert_eq!(text(&answer), expected);
}

#[tokio::test]
async fn a_session_on_this_machine_packs_nothing_and_one_far_away_as_the_browser_likes() {
    let rig = Rig::new().await;
    let packing = [
        ("accept-encoding", "gzip, br"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    for (session, asked) in [
        (NEAR, r#"{"accept-encoding": "identity", "connection""#),
        ("web", r#"{"accept-encoding": "gzip, br", "connection""#),
    ] {
        let cookie = rig.log_in(session).await;
        let ask = with_cookie(get(&rig.host(session), "/"), &cookie);
        let ask = packing
            .iter()
            .fold(ask, |ask, (name, value)| with(ask, name, value));
        let answer = rig.ask(ask).await;
        let seen = text(&answer);
        assert!(seen.contains(asked), "{seen}");
        assert_eq!(
            seen.contains("permessage-deflate"),
            session != NEAR,
            "{seen}"
        );
    }
}

#[tokio::test]
async fn a_sessions_cookies_stay_at_its_own_host() {
    let rig = Rig::new().await;
    let answer = rig.get("web", "/cookies").await;
    let set: Vec<_> = answer
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .collect();
    assert_eq!(set, ["login=1; Path=/", "theme=dark; HttpOnly"]);
}

#[tokio::test]
async fn ranges_and_heads_pass() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let ask = |method| with_cookie(request(method, &rig.host("web"), "/file"), &cookie);

    let part = rig.ask(with(ask(Method::GET), "range", "bytes=2-4")).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[header::CONTENT_RANGE], "bytes 2-4/10");
    assert_eq!(part.body()[..], FILE[2..5]);

    let head = rig.ask(ask(Method::HEAD)).await;
    assert_eq!(head.headers()[header::CONTENT_LENGTH], "10");
    assert!(head.body().is_empty());
}

#[tokio::test]
async fn an_answer_passes_piece_by_piece_and_ends_with_its_reader() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let state = rig.sessions.state();
    let mut open = state.open.subscribe();

    let mut body = rig
        .open(with_cookie(get(&rig.host("web"), "/stream"), &cookie))
        .await
        .into_body();
    for number in 0..3 {
        state.pieces.add_permits(1);
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, format!("piece {number}\n"));
    }
    assert_eq!(*open.borrow_and_update(), 1);
    drop(body);
    open.wait_for(|open| *open == 0).await.unwrap();
}

#[tokio::test]
async fn an_upload_without_a_length_passes() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let pieces = Pieces(VecDeque::from(vec![Bytes::from(vec![7; 64 * 1024]); 64]));
    let host = rig.host("web");
    let request = Request::post("/upload")
        .header(header::HOST, &host)
        .header(header::ORIGIN, format!("http://{host}"))
        .header(header::COOKIE, cookie)
        .body(pieces)
        .unwrap();
    let (mut sender, driver) = http1::handshake(TokioIo::new(rig.connect().await))
        .await
        .unwrap();
    let (answer, _) = tokio::join!(
        // Owns the sender: the connection ends with it.
        async move {
            sender
                .send_request(request)
                .await
                .unwrap()
                .into_body()
                .collect()
                .await
                .unwrap()
        },
        async { driver.await.ok() },
    );
    assert_eq!(answer.to_bytes(), "4194304 bytes, Some(\"chunked\")");
}

#[tokio::test]
async fn fifty_at_once_each_get_their_own_answer() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let host = rig.host("web");
    let ask = |number: usize| with_cookie(get(&host, &format!("/number/{number}")), &cookie);
    let answers = join_all((0..50).map(|number| rig.ask(ask(number)))).await;
    for (number, answer) in answers.iter().enumerate() {
        let expected = format!("web CodeServer: GET /number/{number} ");
        assert!(text(answer).starts_with(&expected), "{}", text(answer));
    }
}

#[tokio::test]
async fn health_goes_the_browsers_way() {
    let rig = Rig::new().await;
    rig.gateway.healthy("web").await.unwrap();
    let stopped = rig.gateway.healthy("stopped").await.unwrap_err();
    assert_eq!(stopped.to_string(), "answered 503 Service Unavailable");
    let unknown = rig.gateway.healthy("no-such-session").await.unwrap_err();
    assert_eq!(unknown.to_string(), "answered 404 Not Found");
}

#[tokio::test]
async fn a_session_that_expects_a_browser_is_asked_for_its_page() {
    let rig = Rig::new().await;
    let mut pages = rig.sessions.state().pages.subscribe();
    rig.gateway.healthy("web").await.unwrap();
    assert_eq!(*pages.borrow(), 0, "a question about health loads nothing");
    rig.gateway.expect("web");
    let asked = pages.wait_for(|pages| *pages == 1);
    tokio::time::timeout(Duration::from_secs(60), asked)
        .await
        .unwrap()
        .unwrap();
}
