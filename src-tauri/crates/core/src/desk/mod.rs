//! Where requests arrive: the one door through which clients reach everything.

mod commands;
mod door;
mod images;
mod look;
mod run;
mod sync;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use mizzen_docker::Engine;
use mizzen_gateway::Gateway;
use mizzen_sessions::{SessionFact, Sessions};
use mizzen_tasks::Owner;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::doctor::{self, DoctorReport};
use crate::publisher::Ask;
use crate::store::Store;
use crate::sync::Links;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{Event, Settings, Snapshot};
use crate::world::CoreConfig;

pub(crate) use commands::Said;
pub(crate) use look::Looks;

/// Answers every request; shared by all clients.
pub(crate) struct Desk {
    pub(crate) config: CoreConfig,
    pub(crate) store: Arc<Store>,
    pub(crate) settings: watch::Sender<Settings>,
    pub(crate) sessions: Sessions,
    pub(crate) links: Links,
    /// The selected engine, or why there is none.
    pub(crate) engine: Result<Engine, ApiError>,
    /// The gateway, or why there is none.
    pub(crate) gateway: Result<Gateway, String>,
    pub(crate) publisher: mpsc::Sender<Ask>,
    pub(crate) looks: Looks,
    /// Verbs run here: they outlive the client that asked.
    pub(crate) verbs: Owner,
    pub(crate) next_verb_id: AtomicU64,
    /// One image build at a time.
    pub(crate) building: Arc<Mutex<()>>,
    pub(crate) stop: CancellationToken,
}

impl Desk {
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    pub(crate) fn follow(&self) -> (Snapshot, broadcast::Receiver<Arc<Event>>) {
        self.store.follow()
    }

    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn doctor(&self) -> DoctorReport {
        let gateway = self
            .gateway
            .as_ref()
            .map(Gateway::port)
            .map_err(Clone::clone);
        let engine = self.engine.as_ref().ok().cloned();
        doctor::examine_live(&self.config, &doctor::Live { engine, gateway }).await
    }

    /// Waits until everything known now is in the snapshot.
    async fn catch_up(&self) {
        let (done, caught_up) = oneshot::channel();
        if self.publisher.send(Ask::CatchUp(done)).await.is_ok() {
            // An error means that the core ends, and with it the snapshot.
            let _ended = caught_up.await;
        }
    }

    fn fact(&self, session: &str) -> Result<Arc<SessionFact>, ApiError> {
        let facts = self.sessions.watch();
        let facts = facts.borrow();
        facts
            .get(&session.to_ascii_lowercase())
            .cloned()
            .ok_or_else(|| {
                let shown: String = session
                    .chars()
                    .take(80)
                    .flat_map(char::escape_debug)
                    .collect();
                let message = format!("there is no session `{shown}`");
                ApiError::new(ErrorCode::NotFound, message, "see `mizzen list`")
            })
    }

    fn engine(&self, name: Option<&str>) -> Result<&Engine, ApiError> {
        let engine = self.engine.as_ref().map_err(Clone::clone)?;
        if name.is_some_and(|name| name != engine.name()) {
            let message = format!("the engine `{}` is not in use", name.unwrap_or_default());
            let hint = format!("leave --engine out to use `{}`", engine.name());
            return Err(ApiError::new(ErrorCode::NotFound, message, hint));
        }
        Ok(engine)
    }
}
