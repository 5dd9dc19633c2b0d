use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::git::GitTask;

/// What a stream is for; says what bytes flow on it once it is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// Questions and answers about the supervisor itself: [`crate::control`].
    Control,
    /// Raw bytes to and from something that listens in the container.
    Forward(Target),
    /// A folder to be kept in step, as `mizzen-sync` speaks of it.
    Sync,
    /// History of the workspace: [`crate::git`].
    Git(GitTask),
    /// A status directory that is not mounted: [`crate::write_part`] both ways, as `mizzen-status` speaks of them.
    Status,
    /// A terminal: [`crate::pty`] frames.
    Shell(ShellSpec),
    /// Raw bytes that measure the wire itself.
    Probe(Probe),
}

/// What listens in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// code-server, wherever the supervisor put its socket.
    CodeServer,
    /// A Unix socket.
    Unix(PathBuf),
    /// A port on the container's loopback, over IPv4 or else IPv6.
    Tcp(u16),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CodeServer => f.write_str("code-server"),
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(port) => write!(f, "port {port}"),
        }
    }
}

/// A command in a terminal of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellSpec {
    /// The command; empty for the user's shell.
    pub argv: Vec<String>,
    /// Width in characters.
    pub cols: u16,
    /// Height in lines.
    pub rows: u16,
    /// Variables added to the container's.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// What a measuring stream does with its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// Sends back what it gets.
    Echo,
    /// Takes all, and after the end sends one byte.
    Sink,
    /// Sends zeros until the stream is closed.
    Source,
}
