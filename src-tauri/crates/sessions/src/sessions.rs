//! The door to all sessions.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::error::SessionError;
use crate::fact::{Done, Facts, Notice, OnProgress, Unmanaged};
use crate::limits::SessionSettings;
use crate::machine::Wish;

/// What sessions need from the world.
pub struct SessionsDeps {
    /// Where the registry lives.
    pub state_dir: PathBuf,
    /// The user's home: never a project folder, nor above one.
    pub home: Option<PathBuf>,
    /// The static supervisor for containers.
    pub supervisor: PathBuf,
    /// Certificates the host trusts beyond the system's own, for the image build.
    pub extra_ca: Vec<PathBuf>,
    /// The user's settings.
    pub settings: watch::Receiver<SessionSettings>,
    /// Wall clock.
    pub clock: Clock,
}

/// A wall clock.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// Asks for a session of a folder: made when there is none, started when it rests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpRequest {
    /// Project folder; absolute.
    pub dir: PathBuf,
    /// Session name; derived from the folder's when empty.
    pub name: Option<String>,
    /// Engine; the first one when empty.
    pub engine: Option<String>,
    /// Image reference; the settings' when empty.
    pub image: Option<String>,
    /// Memory limit; the settings' when empty.
    pub memory_bytes: Option<u64>,
    /// Processors; the settings' when empty.
    pub cpus: Option<f64>,
}

/// All sessions of one user; cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    facts: watch::Sender<Arc<Facts>>,
    unmanaged: watch::Sender<Arc<Vec<Unmanaged>>>,
    notices: broadcast::Sender<Notice>,
}

impl Sessions {
    /// Every session, now and as they change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Facts>> {
        self.facts.subscribe()
    }

    /// Containers that wear our labels and are not ours to touch.
    #[must_use]
    pub fn unmanaged(&self) -> watch::Receiver<Arc<Vec<Unmanaged>>> {
        self.unmanaged.subscribe()
    }

    /// What a person should hear about, from now on.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Brings a folder's session up, made when there is none.
    ///
    /// The work goes on when the caller drops the future; a second call joins it.
    pub async fn up(
        &self,
        request: UpRequest,
        on_progress: OnProgress,
    ) -> Result<Done, SessionError> {
        let (_, _) = (request, on_progress);
        Err(SessionError::shutting_down())
    }

    /// Takes a wish to a session; the name is compared without case.
    pub async fn wish(
        &self,
        name: &str,
        wish: Wish,
        on_progress: OnProgress,
    ) -> Result<Done, SessionError> {
        let (_, _) = (wish, on_progress);
        Err(SessionError::no_such_session(name))
    }
}
