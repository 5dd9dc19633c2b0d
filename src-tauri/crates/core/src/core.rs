//! The running core: takes the lock, starts everything in order and ends it in order.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mizzen_tasks::Owner;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::control;
use crate::desk::Desk;
use crate::dirs::DirsError;
use crate::lock::{CoreLock, LockError};
use crate::settings::{self, SettingsError};
use crate::store::Store;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{CoreView, Snapshot};
use crate::world::CoreConfig;

/// Why the core did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A directory cannot be used.
    #[error(transparent)]
    Dirs(#[from] DirsError),
    /// Another core runs, or the lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The settings are not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The control socket cannot be made.
    #[error("{path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// Whether another core of this user runs: then be its client.
    #[must_use]
    pub fn is_already_running(&self) -> bool {
        matches!(self, Self::Lock(LockError::Held { .. }))
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        let hint = match &error {
            StartError::Dirs(_) | StartError::Socket { .. } => {
                "make the path yours and writable, or set MIZZEN_HOME to another folder"
            }
            StartError::Lock(LockError::Held { .. }) => "end it with `mizzen serve --stop`",
            StartError::Lock(LockError::Io { .. }) => "make the path yours and writable",
            StartError::Settings(_) => "correct the file, or move it away to start with defaults",
        };
        Self::new(ErrorCode::CoreUnreachable, error.to_string(), hint)
    }
}

/// The core of one user. It ends by [`Core::shut_down`]; sessions go on running.
pub struct Core {
    owner: Owner,
    stop: CancellationToken,
    _lock: CoreLock,
}

/// All tasks must end in this time; what is left is named in the log and dropped.
const SHUT_DOWN_DEADLINE: Duration = Duration::from_secs(4);

impl Core {
    /// Starts the core: lock, settings, engines, sessions, gateway, and last the control socket.
    ///
    /// # Errors
    /// When another core runs, or what it needs cannot be had. An engine that does not answer is
    /// no error: it is shown, and tried again.
    #[expect(clippy::unused_async, reason = "starting sessions will wait")]
    pub async fn start(config: CoreConfig) -> Result<Self, StartError> {
        let CoreConfig { dirs, clock, .. } = config.clone();
        dirs.prepare()?;
        let lock = CoreLock::take(&dirs.lock_file())?;
        let settings = settings::load(&dirs.settings_file())?;
        let owner = Owner::root("core");
        let stop = CancellationToken::new();
        let snapshot = Snapshot {
            revision: 0,
            core: CoreView {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                started_at: clock().to_string(),
                gateway_port: None,
                gateway_problem: None,
            },
            engines: Vec::new(),
            sessions: Vec::new(),
            alerts: Vec::new(),
            unmanaged: Vec::new(),
            settings: settings.clone(),
        };
        let desk = Arc::new(Desk {
            config,
            store: Arc::new(Store::new(snapshot, clock)),
            settings: watch::Sender::new(settings),
            stop: stop.clone(),
        });
        control::serve(&owner, &dirs, desk).map_err(|source| StartError::Socket {
            path: dirs.control_socket(),
            source,
        })?;
        tracing::info!(pid = std::process::id(), "core started");
        Ok(Self {
            owner,
            stop,
            _lock: lock,
        })
    }

    /// Resolves when a client asked the core to end: then call [`Core::shut_down`].
    pub async fn asked_to_stop(&self) {
        self.stop.cancelled().await;
    }

    /// Ends everything in order, within five seconds. Sessions go on running.
    pub async fn shut_down(self) {
        let late = self.owner.shut_down(SHUT_DOWN_DEADLINE).await;
        if late.is_empty() {
            tracing::info!("core ended");
        } else {
            tracing::warn!(?late, "core ended, some tasks did not");
        }
    }
}

#[cfg(test)]
mod tests;
