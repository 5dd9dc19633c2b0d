//! Finds a free loopback port: the remembered one, else the preferred one or one of its successors.

use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// How many ports are tried, counted from the preferred one.
const TRIES: u16 = 100;

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Other programs hold every port tried.
    #[error("ports {first} to {last} are all taken")]
    AllTaken {
        /// The preferred port.
        first: u16,
        /// The last one tried.
        last: u16,
    },
    /// The system refuses to listen, for another reason than a taken port.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port tried.
        port: u16,
        /// The system's answer.
        source: io::Error,
    },
    /// The gateway's file in the state directory cannot be written.
    #[error("cannot keep the gateway's key")]
    Keep(#[from] mizzen_fsx::PathError),
}

/// The sockets of one port: IPv4, and IPv6 where the machine has it.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) port: u16,
    pub(crate) sockets: Vec<TcpListener>,
}

/// Listens on the first free port of [`candidates`].
pub(crate) async fn listen(
    preferred: u16,
    remembered: Option<u16>,
) -> Result<Listeners, GatewayError> {
    for port in candidates(preferred, remembered) {
        if let Some(sockets) = listen_on(port).await? {
            return Ok(Listeners { port, sockets });
        }
    }
    Err(all_taken(preferred))
}

/// Listens for one service alone, on `wanted` or the next free port.
///
/// Its URL names `127.0.0.1`, so nobody will look for it elsewhere.
pub(crate) fn listen_alone(wanted: u16) -> Result<Listeners, GatewayError> {
    for port in candidates(wanted, None) {
        match bind_now(port) {
            Ok(socket) => {
                let sockets = vec![socket];
                return Ok(Listeners { port, sockets });
            }
            Err(cause) if is_taken(&cause) => {}
            Err(source) => return Err(GatewayError::Listen { port, source }),
        }
    }
    Err(all_taken(wanted))
}

/// Without waiting: there is no name to look up.
fn bind_now(port: u16) -> io::Result<TcpListener> {
    let socket = net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

fn all_taken(first: u16) -> GatewayError {
    GatewayError::AllTaken {
        first,
        last: first.saturating_add(TRIES - 1),
    }
}

fn candidates(preferred: u16, remembered: Option<u16>) -> impl Iterator<Item = u16> {
    // Port 0 would be a different port on each address.
    let others = preferred.max(1)..=preferred.saturating_add(TRIES - 1);
    remembered
        .into_iter()
        .chain(others.filter(move |port| Some(*port) != remembered))
}

/// Listens on both loopback addresses; none when either is taken.
///
/// A browser may try `[::1]` first: a stranger listening there would be handed our tokens, so such a port is taken.
async fn listen_on(port: u16) -> Result<Option<Vec<TcpListener>>, GatewayError> {
    let v4 = match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
        Ok(socket) => socket,
        Err(cause) if is_taken(&cause) => return Ok(None),
        Err(source) => return Err(GatewayError::Listen { port, source }),
    };
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
        Ok(v6) => Ok(Some(vec![v4, v6])),
        Err(cause) if is_taken(&cause) => Ok(None),
        // Known here: the machine has no IPv6 loopback, so nobody can listen there.
        Err(_) => Ok(Some(vec![v4])),
    }
}

/// Taken by another program, or reserved by the system, as Windows does with whole ranges and Unix below 1024.
fn is_taken(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(preferred: u16, remembered: Option<u16>) -> Vec<u16> {
        candidates(preferred, remembered).collect()
    }

    #[test]
    fn remembered_port_comes_first_and_once() {
        assert_eq!(tried(8743, None)[..2], [8743, 8744]);
        assert_eq!(tried(8743, Some(8745))[..4], [8745, 8743, 8744, 8746]);
        assert_eq!(tried(8743, Some(8745)).len(), usize::from(TRIES));
        assert_eq!(tried(65_534, None), [65_534, 65_535]);
        assert_eq!(tried(0, None)[0], 1);
    }

    #[tokio::test]
    async fn moves_on_when_either_loopback_address_is_taken() {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let taken = v4.local_addr().unwrap().port();
        assert_ne!(listen(taken, None).await.unwrap().port, taken);

        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
        let taken = v6.local_addr().unwrap().port();
        assert_ne!(listen(taken, Some(taken)).await.unwrap().port, taken);
    }

    #[tokio::test]
    async fn says_when_there_is_no_port_left() {
        let last = listen(65_535, None).await;
        let again = listen(65_535, None)
            .await
            .expect_err("taken by the line above, or by another program");
        assert_eq!(again.to_string(), "ports 65535 to 65535 are all taken");
        drop(last);
    }
}
