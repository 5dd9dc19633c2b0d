//! The window's page with 500 sessions that keep changing, in Chromium: how many frames it misses.

use std::convert::Infallible;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mizzen_tasks::Owner;
use mizzen_tests::chromium::{Chromium, Tab};
use mizzen_tests::figure::Figure;
use serde::Deserialize;
use tokio::net::TcpListener;

const WINDOWS: usize = 5;

/// Frames of two seconds that came a frame late or more (a screen shows 60 in a second), and for each
/// frame the time from its begin until the page was done with it.
const FRAMES: &str = "new Promise(done => {
    let late = 0, last = performance.now(), begin = last; const end = last + 2000;
    const work = [], drawn = new MessageChannel();
    drawn.port1.onmessage = () => work.push(performance.now() - begin);
    const look = now => {
        late += Math.max(0, Math.round((now - last) * 60 / 1000) - 1); last = begin = now;
        drawn.port2.postMessage(null);
        now < end ? requestAnimationFrame(look) : done({ late, work });
    };
    requestAnimationFrame(look);
})";

#[derive(Deserialize)]
struct Frames {
    late: f64,
    work: Vec<f64>,
}

pub(crate) async fn measure() {
    let owner = Owner::root("bench");
    let chromium = Chromium::start(&owner).await.unwrap();
    let address = serve_page(&owner).await;
    let tab = chromium.tab().await.unwrap();
    tab.go(&format!("{address}/nothing.html")).await.unwrap();
    tab.wait_for("document.readyState == 'complete'")
        .await
        .unwrap();
    look("an empty page, for comparison", "", &tab).await;
    for (changes, name) in [(0, "at rest"), (50, "50 changes a second")] {
        tab.go(&format!("{address}/?sessions=500&churn={changes}"))
            .await
            .unwrap();
        tab.wait_for("document.body.innerText.includes('All 500')")
            .await
            .unwrap();
        let name = format!("500 sessions in the window, {name}");
        look(&name, "0", &tab).await;
    }
}

/// What the machine itself makes late it makes late for an empty page too.
async fn look(name: &str, goal: &str, tab: &Tab) {
    let (mut late, mut work) = (Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        let frames: Frames = serde_json::from_value(tab.value(FRAMES).await.unwrap()).unwrap();
        late.push(frames.late);
        work.extend(frames.work);
    }
    let name = |what: &str| format!("{name}: {what}");
    Figure::new(&name("late frames of 120"), goal, &late, |frames| {
        format!("{frames:.0}")
    })
    .print();
    let goal = if goal.is_empty() { "" } else { "≤ 16.7 ms" };
    Figure::new(&name("time for a frame"), goal, &work, |millis| {
        format!("{millis:.1} ms")
    })
    .print();
}

/// Serves ui/dist; without the desktop program around it, the page plays a script of its own.
async fn serve_page(owner: &Owner) -> String {
    let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    let tasks = owner.clone();
    owner.spawn("page", async move {
        while let Ok((stream, _)) = socket.accept().await {
            tasks.spawn("page-request", async move {
                let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let file = file(request.uri().path());
    let kind = match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        _ => "application/octet-stream",
    };
    let content = std::fs::read(&file).unwrap_or_default();
    let response = Response::builder().header(header::CONTENT_TYPE, kind);
    response.body(Full::from(content)).unwrap()
}

fn file(path: &str) -> PathBuf {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist");
    let inner: PathBuf = Path::new(path)
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect();
    if inner.as_os_str().is_empty() {
        dist.join("index.html")
    } else {
        dist.join(inner)
    }
}
