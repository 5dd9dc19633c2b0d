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
    let seen = find(&seen, "p").unwrap();
    assert!(seen.cpu_percent.is_some() && seen.pids.is_some_and(|pids| pids > 0));
    // The container says it every five seconds, and is believed once it has said it while we look.
    let disk = |snapshot: &Snapshot| {
        let view = find(snapshot, "p").unwrap();
        view.disk_bytes.zip(view.disk_free_bytes)
    };
    let (seen, _) = until(&client, "the disk", |snapshot| disk(snapshot).is_some()).await;
    assert!(disk(&seen).is_some_and(|(used, _)| used > 0));
    drop(look);
    let nothing = |snapshot: &Snapshot| memory(snapshot).is_none() && disk(snapshot).is_none();
    until(&client, "no figures", nothing).await;
}
