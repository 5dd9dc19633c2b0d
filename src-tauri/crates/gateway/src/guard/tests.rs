use std::time::Duration;

use http::Request;

use super::*;
use crate::address::Target;

const OWN: &str = "web.localhost:8743";
const ORIGIN: &str = "http://web.localhost:8743";

fn guard() -> Guard {
    let only = None;
    Guard::new([7; 32], Door { port: 8743, only })
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn web() -> Address {
    Address::new("web", Target::CodeServer)
}

fn cookie() -> String {
    guard().cookies.pair(&web(), now())
}

fn judge(guard: &Guard, method: &str, uri: &str, headers: &[(&str, &str)]) -> Verdict {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    guard.judge(&request.body(()).unwrap().into_parts().0, now())
}

/// Judges a request that carries a good cookie.
fn check(
    reason: &str,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    refusal: Option<Refusal>,
) {
    let cookie = cookie();
    let headers: Vec<_> = headers
        .iter()
        .copied()
        .chain([("cookie", cookie.as_str())])
        .collect();
    let expected = refusal.map_or_else(|| Verdict::Forward(web()), Verdict::Refuse);
    assert_eq!(judge(&guard(), method, uri, &headers), expected, "{reason}");
}

#[test]
fn only_our_own_hosts_pass() {
    let foreign = Some(Refusal::UnknownHost);
    check("our own", "GET", "/", &[("host", OWN)], None);
    check("no host", "GET", "/", &[], foreign.clone());
    check(
        "rebound name",
        "GET",
        "/",
        &[("host", "evil.example:8743")],
        foreign.clone(),
    );
    check(
        "bare address",
        "GET",
        "/",
        &[("host", "127.0.0.1:8743")],
        foreign.clone(),
    );
    check(
        "bare name",
        "GET",
        "/",
        &[("host", "localhost:8743")],
        foreign.clone(),
    );
    check(
        "another port",
        "GET",
        "/",
        &[("host", "web.localhost:8744")],
        foreign.clone(),
    );
    check(
        "two hosts",
        "GET",
        "/",
        &[("host", OWN), ("host", OWN)],
        foreign.clone(),
    );
    check(
        "not text",
        "GET",
        "/",
        &[("host", "wéb.localhost:8743")],
        foreign.clone(),
    );
    check(
        "proxy form",
        "GET",
        "http://web.localhost:8743/",
        &[("host", OWN)],
        None,
    );
    check(
        "proxy form for another",
        "GET",
        "http://evil.example/",
        &[("host", OWN)],
        foreign.clone(),
    );
    check(
        "another scheme",
        "GET",
        "https://web.localhost:8743/",
        &[("host", OWN)],
        foreign.clone(),
    );
    check("tunnel", "CONNECT", OWN, &[("host", OWN)], foreign);
}

#[test]
fn only_our_own_pages_may_ask() {
    let foreign = Some(Refusal::ForeignOrigin);
    let host = ("host", OWN);
    check("typed in", "GET", "/", &[host], None);
    check("own page", "POST", "/", &[host, ("origin", ORIGIN)], None);
    for method in ["GET", "POST", "HEAD", "DELETE"] {
        for origin in [
            "http://evil.example",
            "http://api.localhost:8743",
            "http://3000--web.localhost:8743",
            "http://web.localhost",
            "http://web.localhost:8744",
            "https://web.localhost:8743",
            "http://web.localhost:8743/",
            "",
        ] {
            check(
                origin,
                method,
                "/",
                &[host, ("origin", origin)],
                foreign.clone(),
            );
        }
    }
    check(
        "two origins",
        "GET",
        "/",
        &[host, ("origin", ORIGIN), ("origin", ORIGIN)],
        foreign,
    );
}

#[test]
fn a_change_needs_to_say_where_it_comes_from() {
    let foreign = Some(Refusal::ForeignOrigin);
    let host = ("host", OWN);
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        check("no origin", method, "/", &[host], foreign.clone());
        check(
            "hidden",
            method,
            "/",
            &[host, ("origin", "null")],
            foreign.clone(),
        );
        let site = |site| [host, ("origin", "null"), ("sec-fetch-site", site)];
        check("hidden by policy", method, "/", &site("same-origin"), None);
        check(
            "hidden, same site",
            method,
            "/",
            &site("same-site"),
            foreign.clone(),
        );
        check(
            "hidden, typed in",
            method,
            "/",
            &site("none"),
            foreign.clone(),
        );
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        check("reading", method, "/", &[host, ("origin", "null")], None);
    }
}

#[test]
fn a_websocket_names_our_origin() {
    let upgrade = [
        ("host", OWN),
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&upgrade[..], more].concat();
    check("own page", "GET", "/", &with(&[("origin", ORIGIN)]), None);
    for (reason, more) in [
        ("none", &[][..]),
        ("null", &[("origin", "null")][..]),
        (
            "null from here",
            &[("origin", "null"), ("sec-fetch-site", "same-origin")][..],
        ),
        ("foreign", &[("origin", "http://evil.example")][..]),
    ] {
        check(
            reason,
            "GET",
            "/",
            &with(more),
            Some(Refusal::ForeignOrigin),
        );
    }
}

#[test]
fn without_a_good_cookie_nobody_passes() {
    let guard = guard();
    let api = guard
        .cookies
        .pair(&Address::new("api", Target::CodeServer), now());
    for cookies in [
        vec![],
        vec![("cookie", api.as_str())],
        vec![("cookie", "mizzen-00000000=9.x")],
    ] {
        let headers = [&[("host", OWN)][..], &cookies[..]].concat();
        assert_eq!(
            judge(&guard, "GET", "/", &headers),
            Verdict::Refuse(Refusal::NoCookie)
        );
    }
}

#[test]
fn whether_a_session_exists_is_told_to_nobody_without_a_cookie() {
    let host = [("host", "no-such-session.localhost:8743")];
    assert_eq!(
        judge(&guard(), "GET", "/", &host),
        Verdict::Refuse(Refusal::NoCookie)
    );
}

fn launch(guard: &Guard) -> String {
    guard
        .launch_url(web())
        .strip_prefix(ORIGIN)
        .unwrap()
        .to_owned()
}

#[test]
fn a_launch_gives_a_cookie_and_drops_the_token() {
    let guard = guard();
    let uri = launch(&guard);
    let Verdict::Redirect {
        location,
        cookie: Some(set),
    } = judge(&guard, "GET", &uri, &[("host", OWN)])
    else {
        panic!("not launched");
    };
    assert_eq!(location, "http://web.localhost:8743/");
    assert!(set.starts_with(cookie().split('=').next().unwrap()));
    assert_eq!(
        judge(&guard, "GET", &uri, &[("host", OWN)]),
        Verdict::Refuse(Refusal::StaleLink)
    );
    // From the history of a browser that is logged in.
    let cookie = cookie();
    let again = judge(&guard, "GET", &uri, &[("host", OWN), ("cookie", &cookie)]);
    assert_eq!(
        again,
        Verdict::Redirect {
            location,
            cookie: None
        }
    );
}

#[test]
fn a_launch_keeps_path_and_query_and_stays_on_its_host() {
    for (place, expected) in [
        ("//evil.example/?a=b&", "//evil.example/?a=b"),
        ("/x?", "/x"),
        ("/%0d%0a?q&", "/%0d%0a?q"),
    ] {
        let guard = guard();
        let token = launch(&guard).split_once('?').unwrap().1.to_owned();
        let Verdict::Redirect { location, .. } =
            judge(&guard, "GET", &format!("{place}{token}"), &[("host", OWN)])
        else {
            panic!("not launched: {place}");
        };
        assert_eq!(location, format!("{ORIGIN}{expected}"));
    }
}

#[test]
fn a_token_opens_nothing_but_its_own_page() {
    let guard = guard();
    let stale = Verdict::Refuse(Refusal::StaleLink);
    assert_eq!(
        judge(
            &guard,
            "GET",
            &launch(&guard),
            &[("host", "api.localhost:8743")]
        ),
        stale
    );
    assert_eq!(
        judge(&guard, "GET", "/?mizzen-launch=", &[("host", OWN)]),
        stale
    );
    let posted = judge(
        &guard,
        "POST",
        &launch(&guard),
        &[("host", OWN), ("origin", ORIGIN)],
    );
    assert_eq!(
        posted,
        Verdict::Refuse(Refusal::NoCookie),
        "only a GET launches"
    );
    let foreign = judge(
        &guard,
        "GET",
        &launch(&guard),
        &[("host", OWN), ("origin", "http://evil.example")],
    );
    assert_eq!(foreign, Verdict::Refuse(Refusal::ForeignOrigin));
}

/// Where sessions share a host, browsers take a neighbour's page for one of the same site.
#[test]
fn at_an_own_port_the_browser_must_say_who_asks() {
    let guard = Guard::new(
        [7; 32],
        Door {
            port: 20_001,
            only: Some(web()),
        },
    );
    let cookie = guard.cookies.pair(&web(), now());
    let own = [("host", "127.0.0.1:20001"), ("cookie", cookie.as_str())];
    let ask = |method: &str, more: &[(&str, &str)]| {
        judge(&guard, method, "/", &[&own[..], more].concat())
    };
    let origin = ("origin", "http://127.0.0.1:20001");
    let neighbour = ("origin", "http://127.0.0.1:20002");
    let passes = Verdict::Forward(web());
    for good in [
        &[("sec-fetch-site", "none")][..],
        &[("sec-fetch-site", "same-origin")],
        &[origin, ("upgrade", "websocket")],
    ] {
        assert_eq!(ask("GET", good), passes, "{good:?}");
    }
    let post = [origin, ("sec-fetch-site", "same-origin")];
    assert_eq!(ask("POST", &post), passes);
    let refused = Verdict::Refuse(Refusal::ForeignOrigin);
    for bad in [
        &[][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ],
        &[neighbour, ("sec-fetch-site", "same-origin")],
        &[neighbour, ("upgrade", "websocket")],
        &[("upgrade", "websocket")],
    ] {
        assert_eq!(ask("GET", bad), refused, "{bad:?}");
    }
    let by_name = judge(&guard, "GET", "/", &[("host", OWN), own[1]]);
    assert_eq!(by_name, Verdict::Refuse(Refusal::UnknownHost));
}
