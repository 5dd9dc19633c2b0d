//! Opens byte streams to an engine, for hyper's pool and for streams of our own.
//!
//! Invariant: every dial has a deadline, and one that fails says why in words.

mod failure;
mod proof;
mod ssh;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

pub(crate) use failure::DialFailure;
pub(crate) use ssh::Masters;
pub use ssh::SshClient;

use crate::tls::{Tls, handshake_failed};
use crate::{DockerErrorKind, Endpoint};

/// Any byte stream to an engine.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One open connection.
pub(crate) type Conn = Box<dyn Io>;

/// Opens connections to one endpoint.
#[derive(Clone)]
pub(crate) struct Dialer {
    endpoint: Arc<Endpoint>,
    masters: Arc<Masters>,
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Conn>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Conn>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Dials the endpoint; the address in the URI is a placeholder that HTTP needs.
    fn call(&mut self, _: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { Ok(TokioIo::new(dialer.open().await?)) })
    }
}

impl Dialer {
    pub(crate) fn new(masters: &Arc<Masters>, endpoint: Endpoint) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            masters: masters.clone(),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How long a dial may take: what is on this machine answers at once or not at all.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(match &*self.endpoint {
            Endpoint::Unix(_) | Endpoint::NamedPipe(_) => 4,
            Endpoint::Tcp { .. } | Endpoint::Tls { .. } => 10,
            Endpoint::Ssh(_) => 20,
        })
    }

    /// Opens a connection, or says within its deadline why there is none.
    async fn open(&self) -> io::Result<Conn> {
        let limit = self.deadline();
        match tokio::time::timeout(limit, self.dial()).await {
            Ok(opened) => opened,
            Err(_) => {
                // A shared connection that hangs would let the next dial hang as well.
                self.masters.end();
                Err(too_late(limit).into())
            }
        }
    }

    async fn dial(&self) -> io::Result<Conn> {
        match &*self.endpoint {
            Endpoint::Unix(path) => open_unix(path).await,
            Endpoint::NamedPipe(path) => open_pipe(path),
            Endpoint::Tcp { host, port } => Ok(Box::new(open_tcp(host, *port).await?)),
            Endpoint::Ssh(address) => ssh::open(&self.masters, address).await,
            Endpoint::Tls { host, port, tls } => {
                let place = format!("{host}:{port}");
                let opened = open_tls(host, *port, tls).await;
                opened.map_err(|error| match DialFailure::of(&error) {
                    Some(_) => error,
                    None => handshake_failed(&place, &error).into(),
                })
            }
        }
    }
}

fn too_late(limit: Duration) -> DialFailure {
    DialFailure::new(
        DockerErrorKind::TimedOut,
        format!(
            "no engine has answered a new connection within {} s",
            limit.as_secs()
        ),
        "look whether the engine and what lies on the way to it are overloaded or hang",
    )
}

async fn open_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let opened = TcpStream::connect((host, port)).await;
    let stream = opened.map_err(|error| tcp_failed(host, port, &error))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn tcp_failed(host: &str, port: u16, cause: &io::Error) -> DialFailure {
    let (why, hint) = match cause.kind() {
        io::ErrorKind::ConnectionRefused => (
            format!("nothing listens on port {port} of {host}"),
            "start the engine there, and check that it listens on this port",
        ),
        _ => (
            format!("{host}:{port} cannot be reached: {cause}"),
            "check the name, the network, and that the machine is up",
        ),
    };
    DialFailure::new(DockerErrorKind::Unreachable, why, hint)
}

async fn open_tls(host: &str, port: u16, tls: &Tls) -> io::Result<Conn> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let plain = open_tcp(host, port).await?;
    let mut stream = TlsConnector::from(tls.config())
        .connect(name, plain)
        .await?;
    proof::prove(&mut stream).await?;
    Ok(Box::new(stream))
}

#[cfg(unix)]
async fn open_unix(path: &std::path::Path) -> io::Result<Conn> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn open_unix(_: &std::path::Path) -> io::Result<Conn> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "Unix sockets need a Unix host",
    ))
}

#[cfg(windows)]
fn open_pipe(path: &str) -> io::Result<Conn> {
    let path = path.replace('/', r"\");
    Ok(Box::new(
        tokio::net::windows::named_pipe::ClientOptions::new().open(path)?,
    ))
}

#[cfg(not(windows))]
fn open_pipe(_: &str) -> io::Result<Conn> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "named pipes need Windows",
    ))
}

impl Connection for Conn {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
