//! Notices that the socket of an engine on this machine is back, long before the next attempt is due.

use std::path::PathBuf;
use std::time::Duration;

use crate::Endpoint;

/// Time between looks: one look costs a microsecond, and looks are taken only while an engine is away.
const LOOK: Duration = Duration::from_millis(500);

/// What was at an engine's address.
pub(super) struct Socket {
    path: Option<PathBuf>,
    trace: Option<Trace>,
}

/// Inode and time of the last change of its owner, mode or place.
type Trace = (u64, i64, i64);

impl Socket {
    /// Looks at an address; only a socket of this machine leaves anything to look at.
    pub(super) fn at(endpoint: &Endpoint) -> Self {
        let path = match endpoint {
            Endpoint::Unix(path) => Some(path.clone()),
            _ => None,
        };
        let trace = path.as_deref().and_then(trace);
        Self { path, trace }
    }

    /// Resolves when a socket is there that was not there at the first look, or may be opened by others now.
    pub(super) async fn returned(&self) {
        let Some(path) = &self.path else {
            return std::future::pending().await;
        };
        loop {
            let now = trace(path);
            if now.is_some() && now != self.trace {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(unix)]
fn trace(path: &std::path::Path) -> Option<Trace> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = path.metadata().ok()?;
    Some((meta.ino(), meta.ctime(), meta.ctime_nsec()))
}

#[cfg(not(unix))]
fn trace(_: &std::path::Path) -> Option<Trace> {
    None
}
