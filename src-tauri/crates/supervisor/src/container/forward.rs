//! Streams to what listens in the container.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use mizzen_wire::{Request, Target};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::identity::Identity;
use super::places;

/// How long a connection within the container may take: only a full backlog makes it slow.
const DEADLINE: Duration = Duration::from_secs(5);
const BUFFER: usize = 64 * 1024;

/// Connects, answers the core, and carries bytes until both directions have ended.
pub(crate) async fn serve(
    request: Request,
    target: &Target,
    identity: &Identity,
) -> io::Result<()> {
    match target {
        Target::CodeServer => match places::runtime_dir(identity.uid) {
            Some(dir) => unix(request, target, &places::code_server_socket(&dir)).await,
            None => {
                request
                    .refuse("code-server has no place for its socket")
                    .await
            }
        },
        Target::Unix(path) => unix(request, target, path).await,
        Target::Tcp(port) => carry(request, target, loopback(*port)).await,
    }
}

async fn unix(request: Request, target: &Target, path: &Path) -> io::Result<()> {
    carry(request, target, UnixStream::connect(path)).await
}

/// Development servers listen on either address of `localhost`, and often on one only.
pub(crate) async fn loopback(port: u16) -> io::Result<TcpStream> {
    let stream = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(stream) => stream,
        Err(first) => TcpStream::connect((Ipv6Addr::LOCALHOST, port))
            .await
            .map_err(|_| first)?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    request: Request,
    target: &Target,
    connect: impl Future<Output = io::Result<S>>,
) -> io::Result<()> {
    let mut inside = match timeout(DEADLINE, connect).await {
        Ok(Ok(inside)) => inside,
        Ok(Err(error)) => return request.refuse(refusal(target, &error)).await,
        Err(_) => {
            return request
                .refuse(format!("{target} does not take connections"))
                .await;
        }
    };
    let mut stream = request.accept().await?;
    copy_bidirectional_with_sizes(&mut stream, &mut inside, BUFFER, BUFFER)
        .await
        .map(drop)
}

fn refusal(target: &Target, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            format!("nothing listens on {target}")
        }
        _ => format!("{target} cannot be reached: {error}"),
    }
}
