//! What others do on the engine, behind our back.

use mizzen_core::view::{AlertKind, AttentionState, SessionState, Snapshot};
use mizzen_tests::rig::{Mizzen, find, until};

#[tokio::test]
async fn an_outside_stop_is_seen_by_events() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let up = mizzen.json(&["up", folder.to_str().unwrap()]);
    let id = up["session"]["container_id"].as_str().unwrap().to_owned();
    let client = mizzen.client().await;
    let (_, mut events) = client.follow().await.unwrap();
    let stopped = mizzen.docker(&["stop", &id]);
    assert_eq!(stopped.code, 0, "{stopped:?}");

    let event = events.next().await.unwrap();
    assert!(
        serde_json::to_string(&event).unwrap().contains(r#""p""#),
        "{event:?}"
    );
    let (snapshot, _) = until(&client, "the stop is seen", |snapshot| {
        find(snapshot, "p").is_some_and(|view| view.state != SessionState::Running)
    })
    .await;
    let view = find(&snapshot, "p").unwrap();
    assert!(
        view.reason.is_some(),
        "nobody asked Mizzen for it: {view:?}"
    );

    mizzen.json(&["start", "p"]);
    let healed = |snapshot: &Snapshot| snapshot.alerts.is_empty();
    let (snapshot, _) = until(&client, "its alerts are over", healed).await;
    assert_eq!(
        find(&snapshot, "p").unwrap().attention.state,
        AttentionState::Idle
    );
}

#[tokio::test]
async fn an_outside_removal_is_an_alert_and_start_makes_it_anew() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let up = mizzen.json(&["up", folder.to_str().unwrap()]);
    let id = up["session"]["container_id"].as_str().unwrap();
    let client = mizzen.client().await;
    mizzen.docker(&["rm", "-f", id]);
    until(&client, "the alert", |snapshot| {
        snapshot
            .alerts
            .iter()
            .any(|alert| alert.kind == AlertKind::ContainerGone)
    })
    .await;
    let again = mizzen.json(&["start", "p"]);
    assert_eq!(again["session"]["state"], "running", "{again}");
    assert_ne!(again["session"]["container_id"], id);
}
