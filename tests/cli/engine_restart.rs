//! An engine that restarts while sessions run: a private one, so that nobody else notices.

use std::process::{Command, Stdio};

use anyhow::Result;
use mizzen_core::view::{AlertKind, SessionState, Snapshot};
use mizzen_tests::engine::{PrivateEngine, Rig};
use mizzen_tests::own_core::tiny_image;
use mizzen_tests::rig::{Mizzen, find, until};

/// Copies the tiny image from the machine's own engine.
fn copy_image(to: &str) {
    let mut save = Command::new("docker")
        .args(["save", &tiny_image().expect("an image")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the Docker CLI");
    let image = save.stdout.take().expect("the Docker CLI");
    let load = Command::new("docker")
        .args(["--host", to, "load"])
        .stdin(image)
        .output()
        .expect("the Docker CLI");
    assert!(load.status.success(), "{load:?}");
    assert!(save.wait().expect("the Docker CLI").success());
}

fn is_offline(snapshot: &Snapshot) -> bool {
    let told = |alert: &mizzen_core::view::AlertView| alert.kind == AlertKind::EngineOffline;
    snapshot.alerts.iter().any(told)
        && find(snapshot, "p").is_some_and(|view| view.state == SessionState::Lost)
}

/// A Mizzen on a private engine that has the tiny image.
async fn on_private_engine() -> Result<(PrivateEngine, Rig, Mizzen)> {
    let mut engine = PrivateEngine::new()?;
    let mut rig = Rig::unconnected(engine.endpoint())?;
    engine.start(&mut rig).await?;
    copy_image(&rig.host);
    let mizzen = Mizzen::on(rig.host.clone());
    Ok((engine, rig, mizzen))
}

#[tokio::test]
async fn a_session_is_lost_while_its_engine_is_away_and_starts_again_after() {
    let (mut engine, mut rig, mizzen) = on_private_engine().await.unwrap();
    let folder = mizzen.project("p");
    let up = mizzen.json(&["up", folder.to_str().unwrap()]);
    let client = mizzen.client().await;

    engine.stop().await.unwrap();
    until(&client, "the session is lost", is_offline).await;
    let refused = mizzen.run(&["restart", "p", "--json"]);
    assert_eq!(refused.code, 4, "{refused:?}");

    engine.start(&mut rig).await.unwrap();
    let (snapshot, _) = until(&client, "the engine is back", |snapshot| {
        let back = find(snapshot, "p").is_some_and(|view| view.state != SessionState::Lost);
        let offline = |alert: &mizzen_core::view::AlertView| alert.kind == AlertKind::EngineOffline;
        back && !snapshot.alerts.iter().any(offline)
    })
    .await;
    let view = find(&snapshot, "p").unwrap();
    assert!(
        matches!(view.state, SessionState::Stopped | SessionState::Failed),
        "the engine ended its container: {view:?}"
    );
    let again = mizzen.json(&["start", "p"]);
    assert_eq!(again["session"]["state"], "running", "{again}");
    assert_eq!(
        again["session"]["container_id"],
        up["session"]["container_id"]
    );
}

/// The private engine has addresses for two networks.
#[tokio::test]
async fn sessions_that_are_down_leave_an_engines_addresses_to_others() {
    let (_engine, _rig, mizzen) = on_private_engine().await.unwrap();
    let start = |name| mizzen.json(&["start", name]);
    for name in ["a", "b", "c"] {
        let up = mizzen.json(&["up", mizzen.project(name).to_str().unwrap()]);
        assert_eq!(up["session"]["state"], "running", "{up}");
        mizzen.json(&["stop", name]);
    }
    for network in ["one", "two"] {
        let made = mizzen.docker(&["network", "create", network]);
        assert_eq!(made.code, 0, "a person's own network: {made:?}");
    }
    let refused = mizzen.run(&["start", "c", "--json"]).error();
    let hint = refused["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("network prune"), "{refused}");
    assert_eq!(mizzen.docker(&["network", "rm", "one", "two"]).code, 0);

    // Stopped by somebody else, who may start them again: they keep theirs until it is needed.
    for name in ["a", "b"] {
        let started = start(name);
        let id = started["session"]["container_id"].as_str().unwrap();
        assert_eq!(mizzen.docker(&["stop", id]).code, 0);
    }
    assert_eq!(mizzen.leftovers("network").len(), 2);
    let started = start("c");
    assert_eq!(started["session"]["state"], "running", "{started}");
}
