//! Who is not let in: row 60 of the bad inputs, a hostile page and a hostile neighbour.

use std::sync::atomic::Ordering;

use http::{Method, StatusCode, header};

use crate::rig::{Rig, get, request, text, with, with_cookie};

/// Sends a request and demands a page of the gateway's own; nothing may have reached the session.
async fn refused(
    rig: &Rig,
    request: http::Request<http_body_util::Full<bytes::Bytes>>,
    title: &str,
) {
    let before = rig.sessions.state().dialled.load(Ordering::SeqCst);
    let answer = rig.ask(request).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{title}");
    assert!(text(&answer).contains(title), "{}", text(&answer));
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    assert_eq!(
        rig.sessions.state().dialled.load(Ordering::SeqCst),
        before,
        "reached the session"
    );
}

#[tokio::test]
async fn a_foreign_host_is_refused_even_with_the_cookie() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let port = rig.gateway.port();
    for host in [
        format!("evil.example:{port}"),
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("a.web.localhost:{port}"),
        "web.localhost".to_owned(),
        "web.localhost:1".to_owned(),
        String::new(),
    ] {
        refused(
            &rig,
            with_cookie(get(&host, "/"), &cookie),
            "not the address of a session",
        )
        .await;
    }
}

#[tokio::test]
async fn a_browser_without_our_cookie_is_refused() {
    let rig = Rig::new().await;
    for session in ["web", "stopped", "no-such-session"] {
        refused(
            &rig,
            get(&rig.host(session), "/"),
            "not logged in to this session",
        )
        .await;
    }
}

#[tokio::test]
async fn a_cookie_opens_neither_another_session_nor_another_port() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    for host in ["api", "3000--web", "team.docs"] {
        let title = if host.contains('.') {
            "not the address"
        } else {
            "not logged in"
        };
        refused(&rig, with_cookie(get(&rig.host(host), "/"), &cookie), title).await;
    }
}

#[tokio::test]
async fn a_foreign_page_is_refused() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let host = rig.host("web");
    for method in [Method::GET, Method::POST, Method::DELETE] {
        for origin in [
            "http://evil.example".to_owned(),
            format!("http://{}", rig.host("api")),
        ] {
            let request = with(request(method.clone(), &host, "/"), "origin", &origin);
            refused(&rig, with_cookie(request, &cookie), "Another site asked").await;
        }
    }
    let silent = with_cookie(request(Method::POST, &host, "/"), &cookie);
    refused(&rig, silent, "Another site asked").await;
}

#[tokio::test]
async fn a_page_repeats_nothing_of_the_request() {
    let rig = Rig::new().await;
    let answer = rig
        .ask(get("<script>x</script>", "/?mizzen-launch=%3Cscript"))
        .await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!text(&answer).contains("<script"));
    let answer = rig
        .ask(get(&rig.host("web"), "/marker?mizzen-launch=marker"))
        .await;
    assert!(!text(&answer).contains("marker"));
}
