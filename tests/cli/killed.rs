//! `kill -9` of the core during `up`, at changes that a client can see.

use std::fs::File;
use std::pin::pin;

use mizzen_core::verb::{UpParams, Verb};
use mizzen_tests::rig::{Mizzen, within};

/// Points that are tried; spread over all changes that an `up` makes.
const POINTS: usize = 6;

#[tokio::test]
async fn an_up_that_was_cut_anywhere_is_completed_by_the_next() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let dir = folder.to_str().unwrap();
    let all = changes_until(&mizzen, dir, usize::MAX).await;
    mizzen.json(&["rm", "--force", "--volumes", "p"]);

    let mut cuts = 0;
    for point in 0..POINTS {
        let changes = point * all / POINTS;
        let made = changes_until(&mizzen, dir, changes).await;
        cuts += usize::from(made == changes);
        let up = mizzen.json(&["up", dir]);
        assert_eq!(
            up["session"]["state"], "running",
            "cut after {changes} of {all} changes"
        );
        let containers = mizzen.leftovers("container");
        assert_eq!(
            containers.len(),
            1,
            "cut after {changes} of {all} changes: {containers:?}"
        );
        mizzen.json(&["rm", "--force", "--volumes", "p"]);
        assert_eq!(mizzen.leftovers("network"), Vec::<String>::new());
    }
    // One `up` makes a few changes more or less than another.
    assert!(cuts >= 4, "only {cuts} of {POINTS} were cut");
}

/// A core that was killed holds its lock a moment longer than its socket.
#[test]
fn a_lock_alone_is_no_running_core() {
    let mizzen = Mizzen::new();
    let lock = File::create(mizzen.dirs().lock_file()).unwrap();
    lock.lock().unwrap();
    let said = mizzen.run(&["serve", "--json"]);
    assert_eq!(said.error()["code"], "core_unreachable", "{said:?}");
    drop(lock);
    assert_eq!(mizzen.run(&["serve"]).code, 0);
}

/// Kills the core after so many changes of an `up`, unless that is over before; answers how many it made.
async fn changes_until(mizzen: &Mizzen, dir: &str, most: usize) -> usize {
    let client = mizzen.client().await;
    let (_, mut events) = client.follow().await.expect("a core");
    let params = UpParams {
        dir: dir.to_owned(),
        ..UpParams::default()
    };
    let mut up = pin!(client.run(Verb::Up(params)));
    for made in 0..most {
        tokio::select! {
            event = within("a change", events.next()) => {
                event.expect("a core");
            }
            done = &mut up => {
                done.expect("an up that is not cut");
                return made;
            }
        }
    }
    mizzen.kill_core(&client).await;
    // It may have been over just before the kill.
    let _ = within("the call ends with the core", up).await;
    most
}
