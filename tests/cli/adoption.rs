//! A core that is killed and started anew finds its sessions as they are.

use mizzen_core::view::SessionState;
use mizzen_tests::rig::{Mizzen, find, until};

#[tokio::test]
async fn sessions_are_adopted_after_the_core_was_killed() {
    let mizzen = Mizzen::new();
    let (runs, rests) = (mizzen.project("runs"), mizzen.project("rests"));
    let up = mizzen.json(&["up", runs.to_str().unwrap()]);
    mizzen.json(&["up", rests.to_str().unwrap()]);
    mizzen.json(&["stop", "rests"]);
    let client = mizzen.client().await;
    mizzen.kill_core(&client).await;

    let client = mizzen.client().await;
    let (snapshot, _) = until(&client, "both are back", |snapshot| {
        let state = |name| find(snapshot, name).map(|view| view.state);
        state("runs") == Some(SessionState::Running)
            && state("rests") == Some(SessionState::Stopped)
    })
    .await;
    let id = up["session"]["container_id"].as_str();
    assert_eq!(find(&snapshot, "runs").unwrap().container_id.as_deref(), id);
    assert_eq!(snapshot.unmanaged, [], "none is a stranger");
    let said = mizzen.run(&["shell", "runs", "--", "true"]);
    assert_eq!(said.code, 0, "its wire stands again: {said:?}");
}

#[test]
fn another_home_on_the_same_engine_sees_nothing_of_it() {
    let (one, other) = (Mizzen::new(), Mizzen::new());
    let (mine, theirs) = (one.project("p"), other.project("p"));
    one.json(&["up", mine.to_str().unwrap()]);
    assert_eq!(other.json(&["list"]).as_array().unwrap().len(), 0);
    other.json(&["up", theirs.to_str().unwrap()]);
    other.json(&["rm", "-f", "p"]);
    assert_eq!(one.session("p")["state"], "running");
}
