//! Connections of ssh that several streams share. Windows' ssh has none, and makes one per stream.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mizzen_tasks::Owner;
use tokio::sync::OwnedMutexGuard;

use super::SshClient;
use super::command::end_arguments;
use crate::SshAddress;

/// Longest path of a socket, less what ssh adds to it while it makes one.
const PATH_CAP: usize = 85;

/// Between two looks whether a connection is made.
const LOOK: Duration = Duration::from_millis(10);

/// The shared connections of one engine.
pub(crate) struct Masters {
    client: SshClient,
    /// Engines do not share, nor do programs: one that ends must not take another's streams along.
    engine: String,
    used: Mutex<BTreeMap<PathBuf, SshAddress>>,
    opening: Arc<tokio::sync::Mutex<()>>,
}

impl Masters {
    /// Those of the engine called `name`; they end with its owner, whoever else still holds this.
    pub(crate) fn of(owner: &Owner, name: &str, client: SshClient) -> Arc<Self> {
        let masters = Arc::new(Self {
            client,
            engine: name.to_owned(),
            used: Mutex::default(),
            opening: Arc::default(),
        });
        let ending = EndsWith(masters.clone());
        owner.spawn("ssh", async move {
            let _ending = ending;
            std::future::pending().await
        });
        masters
    }

    pub(super) fn program(&self) -> &Path {
        &self.client.program
    }

    /// Socket of the connection to an address, where connections can be shared.
    pub(super) fn control(&self, address: &SshAddress) -> Option<PathBuf> {
        let path = self.socket(address)?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(path.clone(), address.clone());
        Some(path)
    }

    fn socket(&self, address: &SshAddress) -> Option<PathBuf> {
        if cfg!(windows) {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (std::process::id(), &self.engine, address).hash(&mut hasher);
        let name = format!("ssh-{:016x}", hasher.finish());
        let path = self.client.control_folder.as_ref()?.join(name);
        (path.as_os_str().len() <= PATH_CAP).then_some(path)
    }

    /// Lets one dial at a time make the connection, so that the others find it.
    pub(super) async fn first_alone(&self, address: &SshAddress) -> Option<OwnedMutexGuard<()>> {
        let path = self.socket(address)?;
        if path.exists() {
            return None;
        }
        Some(self.opening.clone().lock_owned().await)
    }

    /// Once the connection is made, the others need not wait for the far program that its first stream is to start.
    pub(super) async fn let_others_in(
        &self,
        address: &SshAddress,
        alone: Option<OwnedMutexGuard<()>>,
    ) -> Infallible {
        if let Some((alone, path)) = alone.zip(self.socket(address)) {
            // ssh tells of it by this alone.
            while !path.exists() {
                tokio::time::sleep(LOOK).await;
            }
            drop(alone);
        }
        std::future::pending().await
    }

    /// Ends the connections. One that hangs must not hold up who asks.
    pub(in crate::dial) fn end(&self) {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        for (path, address) in used.into_iter().filter(|(path, _)| path.exists()) {
            let mut ssh = std::process::Command::new(&self.client.program);
            ssh.args(end_arguments(&address, &path))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            match ssh.spawn() {
                Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
                Err(error) => tracing::warn!(%error, "ssh's connection is left to end by itself"),
            }
        }
    }
}

/// Ends them when the task that holds this does.
struct EndsWith(Arc<Masters>);

impl Drop for EndsWith {
    fn drop(&mut self) {
        self.0.end();
    }
}
