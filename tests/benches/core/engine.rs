//! Sessions on a real engine: how fast `up` is, and how fast the snapshot follows what others do.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mizzen_core::EventStream;
use mizzen_core::verb::{RemoveParams, SessionRef, Verb};
use mizzen_core::view::{Change, SessionState, SessionView};
use mizzen_tasks::Owner;
use mizzen_tests::chromium::{Chromium, Tab};
use mizzen_tests::figure::Figure;
use mizzen_tests::own_core::{OwnCore, USER, docker, full_image, tiny_image};

use crate::plain::Plain;

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

/// Times of one way to a workbench.
#[derive(Default)]
struct Way {
    /// Until code-server answers.
    running: Vec<Duration>,
    /// Until all parts of the workbench are drawn.
    drawn: Vec<Duration>,
    /// Until the project's files are in its explorer.
    filled: Vec<Duration>,
}

/// From the verb to a running session, and on to the project's files in the editor; in turn with the same workbench
/// without Mizzen, so that both have the same machine.
pub(crate) async fn ups() {
    let owner = Owner::root("bench");
    let image = full_image().unwrap();
    let rig = OwnCore::start(&image).await.unwrap();
    let project = rig.project("warm", &[("README.md", "# Warm\n")]).unwrap();
    let chromium = Chromium::start(&owner).await.unwrap();
    let (mut ours, mut floor) = (Way::default(), Way::default());
    // The first ones warm the engine's and the browser's caches and do not count.
    for run in 0..=UPS {
        up(&rig, &project, &chromium.tab().await.unwrap(), &mut ours).await;
        plain_up(&image, &project, &chromium.tab().await.unwrap(), &mut floor).await;
        if run == 0 {
            (ours, floor) = (Way::default(), Way::default());
        }
    }
    let ratios: Vec<f64> = std::iter::zip(&ours.filled, &floor.filled)
        .map(|(ours, floor)| ours.as_secs_f64() / floor.as_secs_f64())
        .collect();
    for (name, goal, times) in [
        (
            "`up` on a warm image to a running session",
            "≤ 1.5 s",
            &ours.running,
        ),
        ("`docker run` of the same to an answer", "", &floor.running),
        (
            "`up` on a warm image to a rendered workbench",
            "≤ 4 s",
            &ours.drawn,
        ),
        (
            "`docker run` of the same to a rendered workbench",
            "",
            &floor.drawn,
        ),
        (
            "`up` on a warm image to the project's files in it",
            "",
            &ours.filled,
        ),
        (
            "`docker run` of the same to the project's files in it",
            "",
            &floor.filled,
        ),
    ] {
        Figure::of_times(name, goal, times).print();
    }
    let name = "the project's files, `up` / `docker run`";
    Figure::new(name, "", &ratios, |ratio| format!("{ratio:.2}")).print();
    rig.end().await;
}

async fn up(rig: &OwnCore, project: &Path, tab: &Tab, way: &mut Way) {
    let (_, mut events) = rig.client.follow().await.unwrap();
    let start = Instant::now();
    let up = rig.up(project, "warm");
    let seen = until(&mut events, "warm", |view| {
        view.state == SessionState::Running
    });
    let (up, running) = tokio::join!(up, async {
        seen.await;
        start.elapsed()
    });
    up.unwrap();
    let url = rig.client.launch_url("warm", None).await.unwrap();
    way.running.push(running);
    draw(tab, &url, start, way).await;
    tab.go("about:blank").await.unwrap();
    let remove = RemoveParams {
        session: "warm".to_owned(),
        force: true,
        volumes: true,
    };
    rig.client.run(Verb::Remove(remove)).await.unwrap();
}

async fn plain_up(image: &str, project: &Path, tab: &Tab, way: &mut Way) {
    let (image, project) = (image.to_owned(), project.to_owned());
    let start = Instant::now();
    let plain = tokio::task::spawn_blocking(move || Plain::start(&image, &project, USER));
    let plain = plain.await.unwrap();
    way.running.push(start.elapsed());
    draw(tab, &Plain::url(), start, way).await;
    tab.go("about:blank").await.unwrap();
    tokio::task::spawn_blocking(move || drop(plain))
        .await
        .unwrap();
}

/// Goes to a workbench and waits for its parts, and then for the project's files in it.
async fn draw(tab: &Tab, url: &str, start: Instant, way: &mut Way) {
    tab.go(url).await.unwrap();
    let parts = "['activitybar', 'sidebar', 'editor', 'statusbar']
        .every(part => document.querySelector(`.part.${part}`)?.clientHeight > 0)";
    tab.wait_for(parts).await.unwrap();
    way.drawn.push(start.elapsed());
    let files = "document.querySelector('.explorer-folders-view')?.innerText.includes('README.md')";
    tab.wait_for(files).await.unwrap();
    way.filled.push(start.elapsed());
}
