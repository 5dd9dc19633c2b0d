//! What the gateway needs of whoever owns the sessions.

use std::future::Future;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::address::Target;

/// A future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A byte stream to a service in a session.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// A stream into a session.
pub struct Dialled {
    /// Its bytes.
    pub io: Box<dyn Io>,
    /// Whether they stay on this machine, where to pack and unpack them costs more than it saves.
    pub near: bool,
}

/// The sessions behind the gateway.
pub trait Upstream: Send + Sync + 'static {
    /// Finds the session whose [`crate::host_label`] is `label`; `label` is in lower case.
    fn resolve(&self, label: &str) -> Option<String>;

    /// Opens a stream to a service in a session; the gateway puts the deadline.
    fn dial<'a>(
        &'a self,
        session: &'a str,
        target: Target,
    ) -> BoxFuture<'a, Result<Dialled, DialError>>;
}

/// Why there is no stream to a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The session went away since it was resolved.
    #[error("no such session")]
    NoSession,
    /// The session does not run; `state` is its state in one word.
    #[error("the session is {state}")]
    NotRunning {
        /// E.g. `stopped` or `paused`.
        state: String,
    },
    /// Nothing in the session listens there.
    #[error("nothing listens there: {reason}")]
    Refused {
        /// In words, from the container: untrusted.
        reason: String,
    },
    /// The session, or its engine, does not answer.
    #[error("the session cannot be reached: {reason}")]
    Unreachable {
        /// In words.
        reason: String,
    },
}
