//! Where a project says that its own health can be asked for: `[health]` in its `mizzen.toml`.
//!
//! Whoever writes the file decides what is asked: so it is a port of the container's own loopback and nothing else.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use mizzen_fsx::{PathError, SafeDir, UnsafeFile, UnsafeReason};
use serde::{Deserialize, Serialize, Serializer};

/// Name of a project's settings, in its root.
const PROJECT_FILE: &str = "mizzen.toml";
/// Larger ones are a mistake.
const PROJECT_FILE_MAX: u64 = 1024 * 1024;
/// Longest address.
const LENGTH_MAX: usize = 200;
/// The names of the container's own loopback.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// An address whose answer says whether a project's own service is well, such as `http://localhost:3000/health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthEndpoint {
    host: &'static str,
    port: u16,
    path: String,
}

/// Why an address is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// Another scheme.
    #[error("only http:// is asked")]
    Scheme,
    /// Another machine, or a user's name.
    #[error("only localhost, 127.0.0.1 and [::1] are asked")]
    Host,
    /// No port is called so.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// Not a path as it stands in a request.
    #[error("its path is not plain ASCII without spaces and #")]
    Path,
    /// Too long.
    #[error("longer than {LENGTH_MAX} characters")]
    Length,
}

impl HealthEndpoint {
    /// Port of the container's loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The request that asks.
    #[must_use]
    pub fn request(&self) -> String {
        let Self { host, port, path } = self;
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: mizzen\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
    }
}

impl FromStr for HealthEndpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        if text.len() > LENGTH_MAX {
            return Err(BadEndpoint::Length);
        }
        let rest = text.strip_prefix("http://").ok_or(BadEndpoint::Scheme)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = LOOPBACK.iter().find(|host| authority.starts_with(**host));
        let host = *host.ok_or(BadEndpoint::Host)?;
        let port = match authority[host.len()..].strip_prefix(':') {
            Some(port) => number(port).ok_or(BadEndpoint::Port)?,
            None if authority.len() == host.len() => 80,
            None => return Err(BadEndpoint::Host),
        };
        if !path.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
            return Err(BadEndpoint::Path);
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            host,
            port,
            path: format!("{slash}{path}"),
        })
    }
}

/// Digits alone: others would read `+80` otherwise.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

impl fmt::Display for HealthEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Serialize for HealthEndpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a project's `[health]` does not count.
#[derive(Debug, thiserror::Error)]
pub enum HealthSettingsError {
    /// The folder cannot be opened.
    #[error(transparent)]
    Folder(#[from] PathError),
    /// The file is not read.
    #[error(transparent)]
    File(#[from] UnsafeFile),
    /// It is not what it should be.
    #[error("{PROJECT_FILE}: {0}")]
    Malformed(String),
    /// It names an address that is not asked.
    #[error("{PROJECT_FILE}: [health] endpoint {address:?}: {source}")]
    Endpoint {
        /// The address.
        address: String,
        /// What is wrong with it.
        source: BadEndpoint,
    },
}

/// Other tables of the file are others' concern.
#[derive(Deserialize)]
struct ProjectFile {
    #[serde(default)]
    health: Table,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    endpoint: Option<String>,
}

/// Reads where a project's health can be asked for; none when its `mizzen.toml` does not say.
///
/// # Errors
/// The file cannot be read, or what it says of health makes no sense.
pub fn project_health_endpoint(
    project: &Path,
) -> Result<Option<HealthEndpoint>, HealthSettingsError> {
    let text = match SafeDir::open(project)?.read_regular(PROJECT_FILE, PROJECT_FILE_MAX, None) {
        Ok(text) => text,
        Err(UnsafeFile {
            reason: UnsafeReason::Missing,
            ..
        }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let malformed = |why: &str| HealthSettingsError::Malformed(why.to_owned());
    let text = str::from_utf8(&text).map_err(|_| malformed("it is not UTF-8"))?;
    let file: ProjectFile = toml::from_str(text).map_err(|e| malformed(e.message()))?;
    let Some(address) = file.health.endpoint else {
        return Ok(None);
    };
    match address.parse() {
        Ok(endpoint) => Ok(Some(endpoint)),
        Err(source) => Err(HealthSettingsError::Endpoint { address, source }),
    }
}

#[cfg(test)]
mod tests {
    use mizzen_fsx::write_atomic;

    use super::*;

    fn read(text: &str) -> Result<Option<String>, String> {
        let project = tempfile::tempdir().unwrap();
        write_atomic(project.path().join(PROJECT_FILE), text.as_bytes()).unwrap();
        let read = project_health_endpoint(project.path());
        read.map(|endpoint| endpoint.map(|it| it.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn row_25_only_the_loopback_is_asked() {
        use BadEndpoint::{Host, Length, Path, Port, Scheme};
        let long = format!("http://localhost/{}", "x".repeat(LENGTH_MAX));
        for (text, expected) in [
            (
                "http://localhost:3000/health",
                Ok("http://localhost:3000/health"),
            ),
            ("http://127.0.0.1/up", Ok("http://127.0.0.1:80/up")),
            ("http://[::1]:80", Ok("http://[::1]:80/")),
            (
                "http://localhost:8?deep=1",
                Ok("http://localhost:8/?deep=1"),
            ),
            ("http://169.254.169.254/latest", Err(Host)),
            ("http://localhost.evil.example/", Err(Host)),
            ("http://localhost:80@evil.example/", Err(Port)),
            ("http://user@localhost/", Err(Host)),
            ("https://localhost/", Err(Scheme)),
            ("file:///etc/passwd", Err(Scheme)),
            ("javascript:alert(1)", Err(Scheme)),
            ("", Err(Scheme)),
            ("http://", Err(Host)),
            ("http://localhost:0/", Err(Port)),
            ("http://localhost:+80/", Err(Port)),
            ("http://localhost:65536/", Err(Port)),
            ("http://localhost/a b", Err(Path)),
            ("http://localhost/a\r\nHost: evil", Err(Path)),
            ("http://localhost/ä", Err(Path)),
            ("http://localhost/#there", Err(Path)),
            (&long, Err(Length)),
        ] {
            let parsed = text.parse::<HealthEndpoint>().map(|it| it.to_string());
            assert_eq!(parsed, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_request_names_the_host_and_ends_the_connection() {
        let endpoint: HealthEndpoint = "http://localhost:3000/up?all".parse().unwrap();
        let request = endpoint.request();
        assert!(request.starts_with("GET /up?all HTTP/1.1\r\nHost: localhost:3000\r\n"));
        assert!(request.ends_with("Connection: close\r\n\r\n"));
        assert_eq!(endpoint.port(), 3000);
    }

    #[test]
    fn a_project_says_it_in_its_settings_or_not_at_all() {
        assert_eq!(read("[sync]\nignore = [\"x\"]\n"), Ok(None));
        assert_eq!(read("[health]\n"), Ok(None));
        let said = read("[health]\nendpoint = \"http://localhost:3000/\"\n");
        assert_eq!(said, Ok(Some("http://localhost:3000/".to_owned())));
        let nowhere = tempfile::tempdir().unwrap();
        assert_eq!(project_health_endpoint(nowhere.path()).unwrap(), None);
    }

    #[test]
    fn what_makes_no_sense_names_the_file_and_the_reason() {
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(
            refused("[health]\nendpoint = \"http://db/\"\n"),
            "mizzen.toml: [health] endpoint \"http://db/\": only localhost, 127.0.0.1 and [::1] are asked"
        );
        assert!(refused("[health]\nendpoints = []\n").contains("unknown field `endpoints`"));
        assert!(refused("[health").starts_with("mizzen.toml: "));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let project = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", project.path().join(PROJECT_FILE)).unwrap();
        let error = project_health_endpoint(project.path()).unwrap_err();
        assert!(
            error.to_string().ends_with("a link, not a regular file"),
            "{error}"
        );
    }
}
