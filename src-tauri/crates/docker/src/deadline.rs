//! How long each kind of call may take.

use std::future::Future;
use std::time::Duration;

use crate::DockerError;

/// Asks that the engine answers from memory.
pub(crate) const QUICK: Duration = Duration::from_secs(5);
/// Lists, which grow with the engine.
pub(crate) const LIST: Duration = Duration::from_secs(10);
/// Changes that wait for the kernel or the disk.
pub(crate) const CHANGE: Duration = Duration::from_secs(60);
/// Silence within a build: one step may compile for long without a word.
pub(crate) const BUILD_SILENCE: Duration = Duration::from_secs(30 * 60);

/// Runs a call and gives up after the limit.
pub(crate) async fn within<T>(
    op: &'static str,
    limit: Duration,
    call: impl Future<Output = Result<T, DockerError>>,
) -> Result<T, DockerError> {
    match tokio::time::timeout(limit, call).await {
        Ok(done) => done,
        Err(_) => Err(DockerError::timed_out(op, limit)),
    }
}

/// Makes a call through bollard, with a deadline.
pub(crate) async fn call<T>(
    op: &'static str,
    limit: Duration,
    call: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, DockerError> {
    within(op, limit, async {
        call.await.map_err(|e| DockerError::from_bollard(op, &e))
    })
    .await
}
