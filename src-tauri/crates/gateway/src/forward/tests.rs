use expect_test::{Expect, expect};
use http::Request;

use super::*;

fn host() -> Host {
    Host {
        authority: "web.localhost:8743".to_owned(),
        cookie_prefix: None,
    }
}

/// Where all sessions are called `127.0.0.1`.
fn shared_host() -> Host {
    Host {
        authority: "127.0.0.1:20001".to_owned(),
        cookie_prefix: Some("mizzen-00c0ffee-".to_owned()),
    }
}

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
    to_session(&mut head, &host());
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
    check_cookie_on(&host(), set, expect);
}

fn check_cookie_on(host: &Host, set: &str, expect: Expect) {
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, HeaderValue::from_str(set).unwrap());
    to_browser(&mut headers, host, false);
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
fn on_a_shared_host_a_session_sees_and_sets_its_own_cookies_only() {
    let request = Request::get("/").header(
        "cookie",
        "theme=dark; mizzen-00c0ffee=1.2; mizzen-00c0ffee-a=b; mizzen-deadbeef-a=c; flag; mizzen-00c0ffee-=d",
    );
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    to_session(&mut head, &shared_host());
    assert_eq!(head.headers[COOKIE], "a=b; d");
    assert_eq!(head.headers[HOST], "127.0.0.1:20001");

    let check = |set, expect| check_cookie_on(&shared_host(), set, expect);
    check(
        "a=b; Domain=127.0.0.1; Path=/; httponly",
        expect![[r#"
            set-cookie: mizzen-00c0ffee-a=b; Path=/; HttpOnly
        "#]],
    );
    check("mizzen-00c0ffee=x", expect![[""]]);
    check(
        " = mizzen-deadbeef-a=x",
        expect![[r#"
            set-cookie: mizzen-00c0ffee-mizzen-deadbeef-a=x; HttpOnly
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
    to_browser(&mut headers, &host(), false);
    assert_eq!(lines(&headers), "content-range: bytes 0-1/9\n");
}
