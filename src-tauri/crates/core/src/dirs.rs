//! Where a user's Mizzen keeps things.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use sha2::{Digest, Sha256};

/// Directories of one user's Mizzen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    /// `settings.toml`.
    pub config: PathBuf,
    /// What must survive: registry, intents, logs, the gateway's secret.
    pub state: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
    /// Control socket; private to the user, gone after a reboot.
    pub runtime: PathBuf,
}

/// Why the directories cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirsError {
    /// The platform names no home for the user.
    #[error("the user has no home directory; set MIZZEN_HOME to a folder of yours")]
    NoHome,
    /// `MIZZEN_HOME` is relative.
    #[error("MIZZEN_HOME is `{0}`, which is not absolute; set it to a full path")]
    Relative(PathBuf),
    /// A directory cannot be made, read or protected.
    #[error("{path}: {source}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A private directory belongs to somebody else or is open to them.
    #[error("{path} {problem}; remove it, or set MIZZEN_HOME to a folder of yours")]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// `sun_path` holds 104 bytes on macOS and 108 on Linux, the final zero included.
const SOCKET_PATH_MAX: usize = 103;
const SOCKET_NAME: &str = "control.sock";

impl Dirs {
    /// Reads `MIZZEN_HOME`, else the platform's conventions, through `get`.
    ///
    /// # Errors
    /// When no home is known or `MIZZEN_HOME` is relative.
    pub fn from_env(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, DirsError> {
        let set = |name: &str| {
            get(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(root) = set("MIZZEN_HOME") {
            return Self::under(root);
        }
        let project = ProjectDirs::from("dev", "Mizzen", "mizzen").ok_or(DirsError::NoHome)?;
        let state = project
            .state_dir()
            .unwrap_or_else(|| project.data_local_dir())
            .to_owned();
        let shared = set("XDG_RUNTIME_DIR").filter(|dir| dir.is_absolute() && dir.is_dir());
        let runtime = shared.map_or_else(|| private_temp(&state), |dir| dir.join("mizzen"));
        Ok(Self {
            config: project.config_dir().to_owned(),
            cache: project.cache_dir().to_owned(),
            state,
            runtime,
        })
    }

    /// Everything under one root, as `MIZZEN_HOME` asks.
    ///
    /// # Errors
    /// When the root is relative.
    pub fn under(root: PathBuf) -> Result<Self, DirsError> {
        if !root.is_absolute() {
            return Err(DirsError::Relative(root));
        }
        let state = root.join("state");
        let near = root.join("run");
        let fits = near.join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_MAX;
        let runtime = if fits { near } else { private_temp(&state) };
        Ok(Self {
            config: root.join("config"),
            cache: root.join("cache"),
            state,
            runtime,
        })
    }

    /// Makes the directories, readable by their user only.
    ///
    /// # Errors
    /// When one cannot be made, or the runtime directory is not private.
    pub fn prepare(&self) -> Result<(), DirsError> {
        for dir in [&self.config, &self.state, &self.cache] {
            make_private(dir).map_err(|source| DirsError::Io {
                path: dir.clone(),
                source,
            })?;
        }
        let runtime = &self.runtime;
        make_private(runtime).map_err(|source| DirsError::Io {
            path: runtime.clone(),
            source,
        })?;
        check_private(runtime)
    }

    /// The user's settings.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.toml")
    }

    /// Held by the one running core.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("core.lock")
    }

    /// The control socket.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.runtime.join(SOCKET_NAME)
    }

    /// The core's log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.state.join("mizzen.log")
    }
}

/// A runtime directory where the platform offers none, or only one too deep for a socket's path:
/// named after the state directory, so that two roots never meet.
fn private_temp(state: &Path) -> PathBuf {
    let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
    let short: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    std::env::temp_dir().join(format!("mizzen-{short}"))
}

#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

#[cfg(not(unix))]
fn make_private(dir: &Path) -> io::Result<()> {
    // The profile's directories inherit an access list that names their user only.
    fs::create_dir_all(dir)
}

#[cfg(unix)]
fn check_private(dir: &Path) -> Result<(), DirsError> {
    use std::os::unix::fs::MetadataExt;
    let refused = |problem| DirsError::NotPrivate {
        path: dir.to_owned(),
        problem,
    };
    // Not `metadata`: in a shared temp directory somebody may have put a link in our way.
    let meta = fs::symlink_metadata(dir).map_err(|source| DirsError::Io {
        path: dir.to_owned(),
        source,
    })?;
    if !meta.is_dir() {
        return Err(refused("is not a directory"));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("belongs to another user"));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(refused("is open to other users"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_dir: &Path) -> Result<(), DirsError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The top of this system's files.
    const TOP: &str = if cfg!(windows) { "C:/" } else { "/" };

    #[test]
    fn mizzen_home_moves_everything() {
        let home = Path::new(TOP).join("m");
        let dirs = Dirs::from_env(|name| (name == "MIZZEN_HOME").then(|| home.clone().into()));
        let dirs = dirs.unwrap();
        assert_eq!(dirs.settings_file(), home.join("config/settings.toml"));
        assert_eq!(dirs.lock_file(), home.join("state/core.lock"));
        assert_eq!(dirs.control_socket(), home.join("run/control.sock"));
    }

    #[test]
    fn a_relative_home_is_refused() {
        let refused = Dirs::from_env(|name| (name == "MIZZEN_HOME").then(|| "m".into()));
        assert!(matches!(refused, Err(DirsError::Relative(_))));
    }

    #[test]
    fn a_root_too_deep_for_a_socket_gets_a_short_runtime_directory() {
        let deep = Dirs::under(Path::new(TOP).join("d".repeat(120))).unwrap();
        let other = Dirs::under(Path::new(TOP).join("e".repeat(120))).unwrap();
        assert!(deep.control_socket().as_os_str().len() <= SOCKET_PATH_MAX);
        assert_ne!(deep.runtime, other.runtime);
    }

    #[cfg(unix)]
    #[test]
    fn a_runtime_directory_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(root.path().to_owned()).unwrap();
        dirs.prepare().unwrap();
        fs::set_permissions(&dirs.runtime, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(dirs.prepare(), Err(DirsError::NotPrivate { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_runtime_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(root.path().to_owned()).unwrap();
        let elsewhere = root.path().join("elsewhere");
        make_private(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &dirs.runtime).unwrap();
        assert!(matches!(dirs.prepare(), Err(DirsError::NotPrivate { .. })));
    }
}
