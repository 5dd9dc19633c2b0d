//! `kill -9` of the core during `up`, at changes that a client can see.

use std::pin::pin;

use mizzen_core::verb::{UpParams, Verb};
use mizzen_tests::rig::{Mizzen, within};

/// More changes than an `up` on a warm image makes.
const CHANGES_MAX: usize = 60;

#[tokio::test]
async fn an_up_that_was_cut_anywhere_is_completed_by_the_next() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let dir = folder.to_str().unwrap();
    let mut points = 0;
    // Every third change keeps it short; the first and the last are among them.
    for changes in (0..CHANGES_MAX).step_by(3) {
        let was_cut = cut_after(&mizzen, dir, changes).await;
        let up = mizzen.json(&["up", dir]);
        assert_eq!(
            up["session"]["state"], "running",
            "cut after {changes} changes"
        );
        let containers = mizzen.leftovers(&["ps", "-aq"]);
        assert_eq!(
            containers.len(),
            1,
            "cut after {changes} changes: {containers:?}"
        );
        mizzen.json(&["rm", "--force", "--volumes", "p"]);
        assert_eq!(
            mizzen.leftovers(&["network", "ls", "-q"]),
            Vec::<String>::new()
        );
        if !was_cut {
            break;
        }
        points += 1;
    }
    assert!(points >= 4, "only {points} points were tried");
}

/// Kills the core after so many changes of an `up`; `false` when it was over before.
async fn cut_after(mizzen: &Mizzen, dir: &str, changes: usize) -> bool {
    let client = mizzen.client().await;
    let (_, mut events) = client.follow().await.expect("a core");
    let params = UpParams {
        dir: dir.to_owned(),
        ..UpParams::default()
    };
    let mut up = pin!(client.run(Verb::Up(params)));
    for _ in 0..changes {
        tokio::select! {
            event = within("a change", events.next()) => {
                event.expect("a core");
            }
            done = &mut up => {
                done.expect("an up that is not cut");
                return false;
            }
        }
    }
    mizzen.kill_core(&client).await;
    // It may have been over just before the kill.
    within("the call ends with the core", up).await.is_err()
}
