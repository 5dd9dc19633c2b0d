//! Sessions on a real engine: how fast `up` is, and how fast the snapshot follows what others do.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mizzen_core::EventStream;
use mizzen_core::verb::{RemoveParams, SessionRef, Verb};
use mizzen_core::view::{Change, SessionState, SessionView};
use mizzen_tasks::Owner;
use mizzen_tests::chromium::Chromium;
use mizzen_tests::figure::Figure;
use mizzen_tests::own_core::{OwnCore, docker, full_image, tiny_image};

const STOPS: usize = 20;
const UPS: usize = 5;

/// Reads events until the session's view is as wanted.
async fn until(
    events: &mut EventStream,
    name: &str,
    wanted: impl Fn(&SessionView) -> bool,
) -> SessionView {
    loop {
        if let Change::Session { session } = events.next().await.unwrap().change
            && session.name == name
            && wanted(&session)
        {
            return *session;
        }
    }
}

/// From the engine's own time of the container's end to a client that holds the changed snapshot: one machine, one clock.
pub(crate) async fn outside_stops() {
    let rig = OwnCore::start(&tiny_image().unwrap()).await.unwrap();
    let project = rig.project("outside", &[("a.txt", "a\n")]).unwrap();
    let id = rig
        .up(&project, "outside")
        .await
        .unwrap()
        .container_id
        .unwrap();
    let mut delays = Vec::new();
    for _ in 0..STOPS {
        let (_, mut events) = rig.client.follow().await.unwrap();
        let stop = tokio::task::spawn_blocking({
            let id = id.clone();
            move || docker(&["stop", &id])
        });
        until(&mut events, "outside", |view| {
            view.state == SessionState::Stopped
        })
        .await;
        let seen = Timestamp::now();
        stop.await.unwrap().unwrap();
        let ended: Timestamp = docker(&["inspect", "--format", "{{.State.FinishedAt}}", &id])
            .unwrap()
            .parse()
            .unwrap();
        delays.push(Duration::try_from(seen.duration_since(ended)).unwrap_or_default());
        let session = "outside".to_owned();
        rig.client
            .run(Verb::Start(SessionRef { session }))
            .await
            .unwrap();
    }
    Figure::of_times(
        "an outside `docker stop` in a client's snapshot",
        "p95 < 100 ms",
        &delays,
    )
    .print();
    rig.end().await;
}

/// From the verb to a running session, and on to the project's files in the editor.
pub(crate) async fn ups() {
    let owner = Owner::root("bench");
    let rig = OwnCore::start(&full_image().unwrap()).await.unwrap();
    let project = rig.project("warm", &[("README.md", "# Warm\n")]).unwrap();
    let chromium = Chromium::start(&owner).await.unwrap();
    let (mut running, mut drawn) = (Vec::new(), Vec::new());
    // The first one warms the engine's and the browser's caches and does not count.
    for run in 0..=UPS {
        let tab = chromium.tab().await.unwrap();
        let (_, mut events) = rig.client.follow().await.unwrap();
        let start = Instant::now();
        let up = rig.up(&project, "warm");
        let seen = until(&mut events, "warm", |view| {
            view.state == SessionState::Running
        });
        let (up, _) = tokio::join!(up, async {
            seen.await;
            running.push(start.elapsed());
        });
        up.unwrap();
        tab.go(&rig.client.launch_url("warm", None).await.unwrap())
            .await
            .unwrap();
        tab.wait_for(
            "document.querySelector('.explorer-folders-view')?.innerText.includes('README.md')",
        )
        .await
        .unwrap();
        drawn.push(start.elapsed());
        tab.go("about:blank").await.unwrap();
        let remove = RemoveParams {
            session: "warm".to_owned(),
            force: true,
            volumes: true,
        };
        rig.client.run(Verb::Remove(remove)).await.unwrap();
        if run == 0 {
            running.clear();
            drawn.clear();
        }
    }
    Figure::of_times(
        "`up` on a warm image to a running session",
        "≤ 1.5 s",
        &running,
    )
    .print();
    Figure::of_times(
        "`up` on a warm image to a rendered workbench",
        "≤ 4 s",
        &drawn,
    )
    .print();
    rig.end().await;
}
