use std::future::pending;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Owner;

const SOON: Duration = Duration::from_secs(5);

/// A task that never ends by itself, and a receiver that errs once the task is gone.
fn endless() -> (
    impl Future<Output = ()> + Send + 'static,
    oneshot::Receiver<()>,
) {
    let (held, gone) = oneshot::channel::<()>();
    let task = async move {
        let _held = held;
        pending::<()>().await;
    };
    (task, gone)
}

#[tokio::test]
async fn a_dropped_handle_is_a_stopped_task() {
    let owner = Owner::root("core");
    let (task, gone) = endless();
    drop(owner.spawn_held("endless", task));
    assert!(
        gone.await.is_err(),
        "the task must be dropped with its handle"
    );
}

#[tokio::test]
async fn a_dropped_owner_stops_its_tasks() {
    let owner = Owner::root("core");
    let (task, gone) = endless();
    owner.spawn("endless", task);
    drop(owner);
    assert!(
        gone.await.is_err(),
        "the task must be dropped with its owner"
    );
}

#[tokio::test]
async fn a_child_stops_with_its_parent_and_not_the_other_way_round() {
    let parent = Owner::root("core");
    let child = parent.child("session:web");
    let (task, gone) = endless();
    child.spawn("wire", task);
    let (kept, mut still) = endless();
    parent.spawn("kept", kept);
    child.shut_down(Duration::ZERO).await;
    assert!(gone.await.is_err(), "the child's task must end");
    assert!(
        still
            .try_recv()
            .is_err_and(|e| e == oneshot::error::TryRecvError::Empty)
    );
    assert!(
        parent.shut_down(SOON).await.is_empty(),
        "the parent must end in time"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_names_the_tasks_that_do_not_end_in_time() {
    let owner = Owner::root("core");
    let (entered, running) = oneshot::channel();
    let (release, held) = std::sync::mpsc::channel::<()>();
    owner.spawn("stubborn", async move {
        let _ = entered.send(());
        // Blocks inside one poll, so that no cancellation can reach it.
        let _ = held.recv();
    });
    running.await.expect("the task runs");
    let stragglers = owner.shut_down(Duration::from_millis(1)).await;
    drop(release);
    assert_eq!(stragglers, ["core/stubborn"]);
}
