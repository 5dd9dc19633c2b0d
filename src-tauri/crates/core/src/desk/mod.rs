//! Where requests arrive: the one door through which clients reach everything.

mod commands;
mod door;
mod engines;
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
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::contexts::Contexts;
use crate::doctor::{self, DoctorReport};
use crate::publisher::Ask;
use crate::store::Store;
use crate::sync::Links;
use crate::translate;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{ContextsAnswer, ContextsQuestion, Event, Settings, Snapshot};
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
    pub(crate) contexts: Contexts,
    /// The gateway, or why there is none.
    pub(crate) gateway: Result<Gateway, String>,
    pub(crate) publisher: mpsc::Sender<Ask>,
    pub(crate) looks: Looks,
    /// Verbs run here: they outlive the client that asked.
    pub(crate) verbs: Owner,
    pub(crate) next_verb_id: AtomicU64,
    pub(crate) stop: CancellationToken,
}

impl Desk {
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.store.snapshot()
    }

    pub(crate) fn follow(&self) -> (Snapshot, broadcast::Receiver<Arc<Event>>) {
        self.store.follow()
    }

    /// Asks the mirror of Docker contexts, or tells it a wish; what comes of it is in the snapshot by then.
    pub(crate) async fn ask_contexts(
        &self,
        question: ContextsQuestion,
    ) -> Result<ContextsAnswer, ApiError> {
        let answered = self.contexts.ask(question).await;
        self.catch_up().await;
        answered
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
        let engines = self.sessions.engines().borrow().clone();
        let in_use = |name: &String| self.sessions.engine_in_use(name);
        let engines = engines.keys().filter_map(in_use).collect();
        doctor::examine_live(&self.config, &doctor::Live { engines, gateway }).await
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

    /// The engine of this name, the selected one without; put to use where it was not.
    async fn engine(&self, name: Option<&str>) -> Result<Engine, ApiError> {
        let engine = self.sessions.engine(name).await;
        engine.map_err(|error| translate::error(&error))
    }
}
