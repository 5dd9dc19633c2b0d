//! What a container is asked to be: only what differs between containers can be said.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that differs between containers; the safe rest is added by the one function that
/// makes the request, and has no switch here.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerSpec {
    /// Image, by tag or id.
    pub image: String,
    /// Name of the container.
    pub name: String,
    /// Whom its processes run as.
    pub user: User,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Environment; never a secret, since anyone who may inspect the container reads it.
    pub env: BTreeMap<String, String>,
    /// Replaces the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Replaces the image's working directory.
    pub working_dir: Option<String>,
    /// Host name inside.
    pub hostname: Option<String>,
    /// Folders and volumes.
    pub mounts: Vec<Mount>,
    /// Writable memory file systems.
    pub tmpfs: Vec<Tmpfs>,
    /// Network to join; none means no network at all.
    pub network: Option<String>,
    /// What it may use.
    pub limits: Limits,
    /// How long the engine waits after its stop signal before it kills.
    pub stop_timeout: Option<Duration>,
    /// Whether the image's files are read-only.
    pub read_only_root: bool,
}

impl ContainerSpec {
    /// Starts from an image, a name and a user, with default limits and without a network.
    #[must_use]
    pub fn new(image: impl Into<String>, name: impl Into<String>, user: User) -> Self {
        Self {
            image: image.into(),
            name: name.into(),
            user,
            labels: BTreeMap::new(),
            env: BTreeMap::new(),
            entrypoint: None,
            command: None,
            working_dir: None,
            hostname: None,
            mounts: Vec::new(),
            tmpfs: Vec::new(),
            network: None,
            limits: Limits::default(),
            stop_timeout: None,
            read_only_root: false,
        }
    }
}

/// A user of the container, who is never root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Names a user by number; user 0 is refused.
    pub fn new(uid: u32, gid: u32) -> Result<Self, SpecError> {
        if uid == 0 {
            Err(SpecError::Root)
        } else {
            Ok(Self { uid, gid })
        }
    }

    /// User id, never 0.
    #[must_use]
    pub fn uid(self) -> u32 {
        self.uid
    }

    /// Group id.
    #[must_use]
    pub fn gid(self) -> u32 {
        self.gid
    }
}

/// Something of the engine's machine, or memory, at a path in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mount {
    /// A folder or file of the engine's machine; it must exist.
    Bind {
        /// Absolute path there.
        source: PathBuf,
        /// Absolute path in the container.
        target: String,
        /// Whether the container may not write.
        read_only: bool,
    },
    /// A named volume; made when it does not exist.
    Volume {
        /// Name.
        name: String,
        /// Absolute path in the container.
        target: String,
        /// Labels for a volume that is made.
        labels: BTreeMap<String, String>,
        /// Whether one that is made is empty, whatever the image holds at that path.
        empty: bool,
    },
    /// An empty folder that hides what is at the path; writable only below other mounts when it is
    /// read-only.
    Tmpfs {
        /// Absolute path in the container.
        target: String,
        /// Whether the container may not write.
        read_only: bool,
        /// Size limit.
        size_bytes: u64,
        /// Permission bits.
        mode: u32,
    },
}

impl Mount {
    /// Where it appears in the container.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::Bind { target, .. }
            | Self::Volume { target, .. }
            | Self::Tmpfs { target, .. } => target,
        }
    }
}

/// A writable memory file system with an owner; programs on it cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tmpfs {
    /// Absolute path in the container.
    pub target: String,
    /// Size limit.
    pub size_bytes: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner; root when none is named.
    pub owner: Option<User>,
}

/// What a container may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Memory; swap adds nothing to it.
    pub memory_bytes: u64,
    /// Processors, e.g. 1.5.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            cpus: 2.0,
            pids: 512,
        }
    }
}

/// Why a container cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Root is never a user of a container.
    #[error("a container never runs as root (user 0)")]
    Root,
    /// A path that must be absolute, and is not.
    #[error("\"{0}\" is not an absolute path")]
    RelativePath(String),
    /// A path that the engine's protocol cannot carry.
    #[error("\"{0}\" is not valid UTF-8")]
    NotUnicode(PathBuf),
    /// A name that is no environment variable.
    #[error("\"{0}\" is not a name of an environment variable")]
    EnvName(String),
    /// Limits outside what an engine accepts.
    #[error("the {0} limit is out of range")]
    Limit(&'static str),
}
