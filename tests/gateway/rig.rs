//! A gateway on a real port, and a browser's side of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mizzen_gateway::{Gateway, GatewayConfig, Limits, Target};
use mizzen_tasks::Owner;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::service::Sessions;

/// Where the search for a free port begins; every test takes the next.
pub(crate) const FIRST_PORT: u16 = 28_743;

pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) state_dir: TempDir,
    owner: Owner,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let state_dir = tempfile::tempdir().unwrap();
        let owner = Owner::root("test");
        let sessions = Arc::new(Sessions::new(&owner));
        let gateway = bind(&owner, state_dir.path(), FIRST_PORT, limits, &sessions).await;
        Self {
            gateway,
            sessions,
            state_dir,
            owner,
        }
    }

    /// Ends the gateway as a core does, and starts the next one on the same state directory.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            gateway,
            sessions,
            state_dir,
            owner,
        } = self;
        gateway.close(Duration::from_secs(60)).await;
        drop(gateway);
        assert_eq!(
            owner.shut_down(Duration::from_secs(60)).await,
            Vec::<String>::new()
        );
        drop(sessions);
        let owner = Owner::root("test");
        let sessions = Arc::new(Sessions::new(&owner));
        let gateway = bind(
            &owner,
            state_dir.path(),
            FIRST_PORT,
            Limits::default(),
            &sessions,
        )
        .await;
        Self {
            gateway,
            sessions,
            state_dir,
            owner,
        }
    }

    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}.localhost:{}", self.gateway.port())
    }

    /// Follows a launch URL; answers with the cookie that the browser now keeps.
    pub(crate) async fn log_in(&self, session: &str) -> String {
        self.log_in_to(session, Target::CodeServer).await
    }

    pub(crate) async fn log_in_to(&self, session: &str, target: Target) -> String {
        let url = self.gateway.launch_url(session, target);
        let (host, path) = url
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap();
        let answer = self.ask(get(host, &format!("/{path}"))).await;
        assert_eq!(answer.status(), StatusCode::FOUND);
        let set = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    /// A GET of a logged-in browser.
    pub(crate) async fn get(&self, session: &str, path: &str) -> Response<Bytes> {
        let cookie = self.log_in(session).await;
        self.ask(with_cookie(get(&self.host(session), path), &cookie))
            .await
    }

    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        self.ask_at(self.gateway.port(), request).await
    }

    pub(crate) async fn ask_at(&self, port: u16, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let (head, body) = self.open_at(port, request).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Response::from_parts(head, body)
    }

    /// Sends a request on a connection of its own, and leaves the answer's body to be read.
    pub(crate) async fn open(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.open_at(self.gateway.port(), request).await
    }

    async fn open_at(&self, port: u16, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        self.owner.spawn("browser", async move {
            let _ = driver.await;
        });
        sender.send_request(request).await.expect("an answer")
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.gateway.port()))
            .await
            .unwrap()
    }
}

pub(crate) async fn bind(
    owner: &Owner,
    state_dir: &Path,
    preferred_port: u16,
    limits: Limits,
    sessions: &Arc<Sessions>,
) -> Gateway {
    let config = GatewayConfig {
        preferred_port,
        state_dir: state_dir.to_owned(),
        clock: Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
        limits,
    };
    Gateway::bind(owner, config, sessions.clone())
        .await
        .unwrap()
}

pub(crate) fn request(method: Method, host: &str, path: &str) -> Request<Full<Bytes>> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host);
    request.body(Full::default()).unwrap()
}

pub(crate) fn get(host: &str, path: &str) -> Request<Full<Bytes>> {
    request(Method::GET, host, path)
}

pub(crate) fn with(
    mut request: Request<Full<Bytes>>,
    name: &'static str,
    value: &str,
) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

pub(crate) fn with_cookie(request: Request<Full<Bytes>>, cookie: &str) -> Request<Full<Bytes>> {
    with(request, "cookie", cookie)
}

pub(crate) fn text(answer: &Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).unwrap()
}
