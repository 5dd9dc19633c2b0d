use expect_test::{Expect, expect};
use http::Request;

use super::*;
use crate::address::Target;

/// Headers as lines `name: value`, in the order of their names.
fn lines(headers: &HeaderMap) -> String {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    lines.concat()
}

fn check_request(headers: &[(&str, &str)], expect: Expect) {
    let mut request = Request::get("http://web.localhost:8743/a?b=c");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    to_session(&mut head, &Address::new("web", Target::CodeServer), 8743);
    expect.assert_eq(&format!("{}\n{}", head.uri, lines(&head.headers)));
}

#[test]
fn a_session_is_told_the_browsers_own_host() {
    check_request(
        &[
            ("host", "WEB.localhost:8743"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "host=evil.example"),
            ("accept", "*/*"),
        ],
        expect![[r#"
            /a?b=c
            accept: */*
            connection: close
            host: web.localhost:8743
            x-forwarded-host: web.localhost:8743
            x-forwarded-proto: http
        "#]],
    );
}

#[test]
fn headers_of_one_connection_stay_there() {
    check_request(
        &[
            ("connection", "keep-alive, X-Secret, host, content-length"),
            ("keep-alive", "timeout=5"),
            ("x-secret", "1"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("expect", "100-continue"),
            ("content-length", "3"),
        ],
        expect![[r#"
            /a?b=c
            connection: close
            content-length: 3
            host: web.localhost:8743
            x-forwarded-host: web.localhost:8743
            x-forwarded-proto: http
        "#]],
    );
}

#[test]
fn a_length_beside_a_coding_goes() {
    check_request(
        &[("transfer-encoding", "chunked"), ("content-length", "3")],
        expect![[r#"
            /a?b=c
            connection: close
            host: web.localhost:8743
            x-forwarded-host: web.localhost:8743
            x-forwarded-proto: http
        "#]],
    );
}

#[test]
fn websockets_keep_their_upgrade() {
    check_request(
        &[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
        ],
        expect![[r#"
            /a?b=c
            connection: upgrade
            host: web.localhost:8743
            sec-websocket-version: 13
            upgrade: websocket
            x-forwarded-host: web.localhost:8743
            x-forwarded-proto: http
        "#]],
    );
}

#[test]
fn gateway_cookies_never_reach_a_session() {
    check_request(
        &[
            ("cookie", "theme=dark; mizzen-00c0ffee=1.2; flag; a=b=c"),
            ("cookie", "mizzen-deadbeef=3.4; MIZZEN-DEADBEEF=5.6"),
        ],
        expect![[r#"
            /a?b=c
            connection: close
            cookie: theme=dark; flag; a=b=c
            host: web.localhost:8743
            x-forwarded-host: web.localhost:8743
            x-forwarded-proto: http
        "#]],
    );
    check_request(
        &[("cookie", "mizzen-00c0ffee=1.2")],
        expect![[r#"
        /a?b=c
        connection: close
        host: web.localhost:8743
        x-forwarded-host: web.localhost:8743
        x-forwarded-proto: http
    "#]],
    );
}

fn check_cookie(set: &str, expect: Expect) {
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, HeaderValue::from_str(set).unwrap());
    to_browser(&mut headers, false);
    expect.assert_eq(&lines(&headers));
}

#[test]
fn a_sessions_cookies_are_for_its_own_host() {
    check_cookie(
        "a=b; Path=/; HttpOnly",
        expect![[r#"
        set-cookie: a=b; Path=/; HttpOnly
    "#]],
    );
    check_cookie(
        "a=b; Domain=localhost; Path=/",
        expect![[r#"
        set-cookie: a=b; Path=/
    "#]],
    );
    check_cookie(
        "a=b;DOMAIN = .localhost;domain;Secure",
        expect![[r#"
        set-cookie: a=b; Secure
    "#]],
    );
    check_cookie(
        "domain=x; domainx=y",
        expect![[r#"
        set-cookie: domain=x; domainx=y
    "#]],
    );
}

#[test]
fn a_session_sets_no_gateway_cookie() {
    for set in [
        "mizzen-00c0ffee=x",
        " MIZZEN-00C0FFEE=x; Path=/",
        "=mizzen-00c0ffee=x",
        " = =mizzen-00c0ffee=x",
    ] {
        check_cookie(set, expect![[""]]);
    }
    check_cookie(
        "mizzen-theme=dark",
        expect![[r#"
        set-cookie: mizzen-theme=dark
    "#]],
    );
}

#[test]
fn an_answer_leads_nowhere_else() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("alt-svc", "h3=\":443\""),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("content-range", "bytes 0-1/9"),
    ] {
        headers.append(name, HeaderValue::from_static(value));
    }
    to_browser(&mut headers, false);
    assert_eq!(lines(&headers), "content-range: bytes 0-1/9\n");
}
