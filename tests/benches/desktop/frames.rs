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
use mizzen_tests::chromium::Chromium;
use mizzen_tests::figure::Figure;
use tokio::net::TcpListener;

const WINDOWS: usize = 5;

/// Frames of two seconds that came a frame late or more; a screen shows 60 in a second.
const LATE_FRAMES: &str = "new Promise(done => {
    let late = 0, last = performance.now(); const end = last + 2000;
    const look = now => {
        late += Math.max(0, Math.round((now - last) * 60 / 1000) - 1); last = now;
        now < end ? requestAnimationFrame(look) : done(late);
    };
    requestAnimationFrame(look);
})";

pub(crate) async fn measure() {
    let owner = Owner::root("bench");
    let chromium = Chromium::start(&owner).await.unwrap();
    let tab = chromium.tab().await.unwrap();
    let address = serve_page(&owner).await;
    for (changes, name) in [(0, "at rest"), (50, "50 changes a second")] {
        tab.go(&format!("{address}/?sessions=500&churn={changes}"))
            .await
            .unwrap();
        tab.wait_for("document.body.innerText.includes('All 500')")
            .await
            .unwrap();
        let mut late = Vec::new();
        for _ in 0..WINDOWS {
            late.push(tab.value(LATE_FRAMES).await.unwrap().as_f64().unwrap());
        }
        let name = format!("500 sessions in the window, {name}: late frames of 120");
        Figure::new(&name, "0", &late, |frames| format!("{frames:.0}")).print();
    }
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
