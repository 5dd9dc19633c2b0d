//! Where an engine listens.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{SshAddress, Tls};

/// Address of an engine; `Display` and `FromStr` use the Docker CLI's form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A Unix socket: `unix:///var/run/docker.sock`.
    Unix(PathBuf),
    /// A Windows named pipe, with the slashes of the CLI's form: `npipe:////./pipe/docker_engine`.
    NamedPipe(String),
    /// A plain TCP port: `tcp://127.0.0.1:2375`.
    Tcp {
        /// Name or address, without the brackets of IPv6.
        host: String,
        /// Port.
        port: u16,
    },
    /// A TCP port that speaks TLS: written like a plain one, as what makes it TLS lies beside the address.
    Tls {
        /// Name or address, without the brackets of IPv6.
        host: String,
        /// Port.
        port: u16,
        /// Whom to believe and who we are.
        tls: Tls,
    },
    /// Another machine's engine, through its ssh server: `ssh://me@box`.
    Ssh(SshAddress),
}

/// Why a text is no usable address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The scheme is one that Mizzen does not speak.
    #[error("\"{0}\" is no way to an engine")]
    Scheme(String),
    /// The rest of the address makes no sense.
    #[error("\"{0}\" is not an engine address")]
    Malformed(String),
    /// An address of ssh's that is not used, and why.
    #[error("{0}")]
    Ssh(&'static str),
}

/// Port of an engine's plain API when the address names none.
const PLAIN_PORT: u16 = 2375;

/// Port of an engine's API over TLS when the address names none.
const TLS_PORT: u16 = 2376;

impl Endpoint {
    /// Where the platform's engine listens when nothing else is said.
    #[must_use]
    pub fn platform_default() -> Self {
        if cfg!(windows) {
            Self::NamedPipe("//./pipe/docker_engine".to_owned())
        } else {
            Self::Unix(PathBuf::from("/var/run/docker.sock"))
        }
    }

    /// Whether the engine sees this machine's files, so that folders can be mounted. One behind a forwarded socket does
    /// not, and only a person knows that.
    #[must_use]
    pub fn shares_files(&self) -> bool {
        match self {
            Self::Unix(_) | Self::NamedPipe(_) => true,
            Self::Tcp { .. } => !self.is_exposed(),
            Self::Tls { .. } | Self::Ssh(_) => false,
        }
    }

    /// Whether what is said to the engine can be read and changed on the way: plain TCP to another machine.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        match self {
            Self::Tcp { host, .. } => !is_loopback(host),
            Self::Unix(_) | Self::NamedPipe(_) | Self::Tls { .. } | Self::Ssh(_) => false,
        }
    }

    /// Reads an address beside which there is TLS: a TCP port gets it, and everything else is private
    /// as it is.
    pub fn with_tls(text: &str, tls: Tls) -> Result<Self, EndpointError> {
        match parse(text, TLS_PORT)? {
            Self::Tcp { host, port } => Ok(Self::Tls { host, port, tls }),
            other => Ok(other),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::NamedPipe(path) => write!(f, "npipe://{path}"),
            Self::Ssh(address) => address.fmt(f),
            Self::Tcp { host, port } | Self::Tls { host, port, .. } if host.contains(':') => {
                write!(f, "tcp://[{host}]:{port}")
            }
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => {
                write!(f, "tcp://{host}:{port}")
            }
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads an address as the CLI writes it in `DOCKER_HOST`; a bare `host:port` means TCP.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        parse(text, PLAIN_PORT)
    }
}

fn parse(text: &str, tcp_port: u16) -> Result<Endpoint, EndpointError> {
    let malformed = || EndpointError::Malformed(without_password(text));
    let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Endpoint::Unix(PathBuf::from(rest))),
        "npipe" if rest.len() > 1 => Ok(Endpoint::NamedPipe(rest.to_owned())),
        "ssh" => SshAddress::parse(rest)
            .map(Endpoint::Ssh)
            .map_err(EndpointError::Ssh),
        "tcp" => parse_tcp(rest, tcp_port).ok_or_else(malformed),
        "unix" | "npipe" => Err(malformed()),
        other => Err(EndpointError::Scheme(other.to_owned())),
    }
}

fn is_loopback(host: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

/// An address as it may be shown: one can hold a password, although none is ever used.
#[must_use]
pub fn without_password(address: &str) -> String {
    let start = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(start);
    match rest.rsplit_once('@') {
        Some((who, place)) if who.contains(':') => {
            let user = who.split(':').next().unwrap_or_default();
            format!("{scheme}{user}:***@{place}")
        }
        _ => address.to_owned(),
    }
}

fn parse_tcp(rest: &str, default_port: u16) -> Option<Endpoint> {
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || host.starts_with('-') || !host.chars().all(named) {
        return None;
    }
    let port = port.map_or(Some(default_port), |p| p.parse().ok().filter(|p| *p != 0))?;
    Some(Endpoint::Tcp {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip_in_the_form_of_the_cli() {
        for text in [
            "unix:///var/run/docker.sock",
            "unix:///run/user/1000/docker.sock",
            "npipe:////./pipe/docker_engine",
            "tcp://127.0.0.1:2375",
            "tcp://[::1]:2375",
            "ssh://me@box:22/run/docker.sock",
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn the_port_has_a_default_and_a_bare_host_means_tcp() {
        let plain = Endpoint::Tcp {
            host: "box".to_owned(),
            port: 2375,
        };
        for text in ["tcp://box", "tcp://box/", "box:2375", "box"] {
            assert_eq!(text.parse::<Endpoint>().as_ref(), Ok(&plain), "{text}");
        }
    }

    #[test]
    fn only_plain_tcp_to_another_machine_is_exposed() {
        for (text, is_exposed) in [
            ("tcp://box:2375", true),
            ("tcp://10.0.0.1:2375", true),
            ("tcp://localhost.evil.example:2375", true),
            ("tcp://localhost:2375", false),
            ("tcp://127.9.9.9:2375", false),
            ("tcp://[::1]:2375", false),
            ("ssh://box", false),
            ("unix:///var/run/docker.sock", false),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.is_exposed(), is_exposed, "{text}");
            let is_here = !is_exposed && !text.starts_with("ssh");
            assert_eq!(endpoint.shares_files(), is_here, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "unix://",
            "unix://relative",
            "npipe://",
            "tcp://",
            "tcp://:2375",
            "tcp://a:0",
            "tcp://a:99999",
            "tcp://-oProxyCommand=x:1",
            "tcp://[::1",
            "tcp://a b:1",
            "tcp://u@h:1",
        ] {
            let refused = text.parse::<Endpoint>();
            assert!(
                matches!(refused, Err(EndpointError::Malformed(_))),
                "{text}: {refused:?}"
            );
        }
        assert_eq!(
            "foo://h".parse::<Endpoint>(),
            Err(EndpointError::Scheme("foo".to_owned()))
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        for (address, shown) in [
            ("tcp://u:secret@h:1", "tcp://u:***@h:1"),
            ("ssh://u:se@cret@h", "ssh://u:***@h"),
            ("ssh://u@h:22", "ssh://u@h:22"),
            ("tcp://h:1", "tcp://h:1"),
        ] {
            assert_eq!(without_password(address), shown);
        }
        let error = "tcp://u:secret@h:1"
            .parse::<Endpoint>()
            .expect_err("refused");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
