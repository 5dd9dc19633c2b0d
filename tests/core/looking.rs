//! Statistics flow while somebody looks, and only then.

use mizzen_core::view::Snapshot;
use mizzen_tests::rig::{Mizzen, find, until};

#[tokio::test]
async fn figures_come_with_a_look_and_go_with_it() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let client = mizzen.client().await;
    let memory = |snapshot: &Snapshot| find(snapshot, "p").unwrap().memory_bytes;
    assert_eq!(
        memory(&client.snapshot().await.unwrap()),
        None,
        "nobody looks yet"
    );

    let look = client.look("P").await.unwrap();
    let (seen, _) = until(&client, "figures", |snapshot| memory(snapshot).is_some()).await;
    assert!(find(&seen, "p").unwrap().cpu_percent.is_some());
    drop(look);
    until(&client, "no figures", |snapshot| memory(snapshot).is_none()).await;
}
