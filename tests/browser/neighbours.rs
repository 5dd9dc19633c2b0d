//! Two sessions and a stranger, each with a web server in this process.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mizzen_gateway::{
    BoxFuture, DialError, Dialled, Gateway, GatewayConfig, Io, Limits, Target, Upstream, host_label,
};
use mizzen_tasks::Owner;
use mizzen_tests::chromium::Chromium;
use tempfile::TempDir;
use tokio::net::TcpListener;

const NAMES: [&str; 2] = ["web", "api"];

/// A request that reached a session: session, method, path, cookies.
pub(crate) type Seen = (String, String, String, String);

/// Serves pages for every session, and writes down who asked for what.
#[derive(Clone)]
pub(crate) struct Pages {
    owner: Owner,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Pages {
    async fn serve(self, session: String, io: impl Io) {
        let service = service_fn(|request: Request<Incoming>| {
            let answer = self.answer(&session, &request);
            async move { Ok::<_, Infallible>(answer) }
        });
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(io), service)
            .await;
    }

    fn answer(&self, session: &str, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let cookies = request
            .headers()
            .get(header::COOKIE)
            .map_or(&b""[..], HeaderValue::as_bytes);
        let cookies = String::from_utf8_lossy(cookies).into_owned();
        let (method, path) = (
            request.method().to_string(),
            request.uri().path().to_owned(),
        );
        let page = format!("<!doctype html><title>{session}</title><h1>{session}</h1>");
        self.seen
            .lock()
            .unwrap()
            .push((session.to_owned(), method, path, cookies));
        let mut response = Response::new(Full::from(page));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        for cookie in ["mine=1; Path=/", "theirs=1; Domain=localhost; Path=/"] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        response
    }
}

impl Upstream for Pages {
    fn resolve(&self, label: &str) -> Option<String> {
        NAMES
            .into_iter()
            .find(|name| host_label(name) == label)
            .map(str::to_owned)
    }

    fn dial<'a>(
        &'a self,
        session: &'a str,
        _: Target,
    ) -> BoxFuture<'a, Result<Dialled, DialError>> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        self.owner
            .spawn("pages", self.clone().serve(session.to_owned(), far));
        Box::pin(async {
            Ok(Dialled {
                io: Box::new(near),
                near: true,
            })
        })
    }
}

pub(crate) struct Neighbours {
    pub(crate) chromium: Chromium,
    pub(crate) gateway: Gateway,
    pages: Pages,
    _owner: Owner,
    _state_dir: TempDir,
}

impl Neighbours {
    #[expect(
        clippy::disallowed_methods,
        reason = "the browser has no other clock either"
    )]
    pub(crate) async fn new() -> Self {
        let owner = Owner::root("browser");
        let state_dir = tempfile::tempdir().unwrap();
        let pages = Pages {
            owner: owner.child("pages"),
            seen: Arc::default(),
        };
        let config = GatewayConfig {
            preferred_port: 28_943,
            state_dir: state_dir.path().to_owned(),
            // A browser drops cookies whose age it counts from now.
            clock: Arc::new(SystemTime::now),
            limits: Limits {
                response_head: Duration::from_secs(30),
                ..Limits::default()
            },
        };
        let gateway = Gateway::bind(&owner, config, Arc::new(pages.clone()))
            .await
            .unwrap();
        let chromium = Chromium::start(&owner).await.unwrap();
        Self {
            chromium,
            gateway,
            pages,
            _owner: owner,
            _state_dir: state_dir,
        }
    }

    pub(crate) fn launch_url(&self, session: &str) -> String {
        self.gateway.launch_url(session, Target::CodeServer)
    }

    pub(crate) fn launch_url_by_address(&self, session: &str) -> String {
        self.gateway
            .launch_url_by_address(session, Target::CodeServer)
            .unwrap()
    }

    pub(crate) fn url(&self, session: &str) -> String {
        self.gateway.url(session, Target::CodeServer)
    }

    /// What reached a session since the last look, but for a browser's own wish for an icon.
    pub(crate) fn seen(&self, session: &str) -> Vec<Seen> {
        let mut seen = self.pages.seen.lock().unwrap();
        let (theirs, others) = seen.drain(..).partition(|request| request.0 == session);
        *seen = others;
        let theirs: Vec<Seen> = theirs;
        theirs
            .into_iter()
            .filter(|request| request.2 != "/favicon.ico")
            .collect()
    }

    /// The origin of a site that has nothing to do with us.
    pub(crate) async fn stranger(&self) -> String {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!(
            "http://evil.localhost:{}",
            socket.local_addr().unwrap().port()
        );
        let pages = Pages {
            owner: self.pages.owner.clone(),
            seen: Arc::default(),
        };
        self.pages.owner.spawn("stranger", async move {
            while let Ok((stream, _)) = socket.accept().await {
                pages.owner.spawn(
                    "stranger's page",
                    pages.clone().serve("evil".to_owned(), stream),
                );
            }
        });
        origin
    }
}
