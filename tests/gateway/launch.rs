//! Logging a browser in, and keeping it logged in.

use http::{StatusCode, header};
use mizzen_gateway::Target;

use crate::rig::{Rig, get, text, with_cookie};

fn place(url: &str) -> (&str, String) {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    (host, format!("/{path}"))
}

#[tokio::test]
async fn a_launch_logs_in_once_and_leaves_no_trace() {
    let rig = Rig::new().await;
    let url = rig.gateway.launch_url("web", Target::CodeServer);
    let (host, path) = place(&url);

    let first = rig.ask(get(host, &path)).await;
    assert_eq!(first.status(), StatusCode::FOUND);
    assert_eq!(
        first.headers()[header::LOCATION],
        rig.gateway.url("web", Target::CodeServer)
    );
    assert_eq!(first.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(first.headers()[header::CACHE_CONTROL], "no-store");
    let set = first.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(
        set.ends_with("; HttpOnly; SameSite=Strict") && !set.contains("Domain"),
        "{set}"
    );

    let second = rig.ask(get(host, &path)).await;
    assert_eq!(second.status(), StatusCode::FORBIDDEN);
    assert!(text(&second).contains("This link was used already"));
}

#[tokio::test]
async fn each_service_has_its_own_login() {
    let rig = Rig::new().await;
    let port = Target::Port(3000.try_into().unwrap());
    for (session, target, seen) in [
        ("web", Target::CodeServer, "web CodeServer: GET /"),
        ("web", port, "web Port(3000): GET /"),
        (
            "Team.Docs",
            Target::CodeServer,
            "Team.Docs CodeServer: GET /",
        ),
        ("Team.Docs", port, "Team.Docs Port(3000): GET /"),
    ] {
        let cookie = rig.log_in_to(session, target).await;
        let url = rig.gateway.url(session, target);
        let answer = rig.ask(with_cookie(get(place(&url).0, "/"), &cookie)).await;
        assert!(text(&answer).starts_with(seen), "{}", text(&answer));
    }
}

#[tokio::test]
async fn a_login_survives_a_restart_of_the_core() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    let (port, unused) = (
        rig.gateway.port(),
        rig.gateway.launch_url("web", Target::CodeServer),
    );

    let rig = rig.restart().await;
    assert_eq!(rig.gateway.port(), port);
    let answer = rig
        .ask(with_cookie(get(&rig.host("web"), "/"), &cookie))
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let (host, path) = place(&unused);
    assert_eq!(
        rig.ask(get(host, &path)).await.status(),
        StatusCode::FORBIDDEN,
        "tokens do not"
    );
}

#[tokio::test]
async fn a_new_key_ends_every_login() {
    let rig = Rig::new().await;
    let cookie = rig.log_in("web").await;
    std::fs::remove_file(rig.state_dir.path().join("gateway.json")).unwrap();
    let rig = rig.restart().await;
    let answer = rig
        .ask(with_cookie(get(&rig.host("web"), "/"), &cookie))
        .await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}
