//! The handle to one engine, and the task behind it.

mod backoff;
mod events;
mod link;
mod task;

use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use jiff::Timestamp;
use mizzen_tasks::Owner;
use tokio::sync::{Notify, mpsc, watch};

pub use link::{EngineEvent, EngineInfo, Link, Offline};

use crate::Endpoint;
use crate::transport::Transport;

/// Events that wait for their reader before the engine task stops reading more.
const EVENT_QUEUE: usize = 256;

/// Time between lists: the safety net under the event stream, and the ping that notices a
/// connection half open.
const RELIST: Duration = Duration::from_secs(30);

/// What an engine is used for.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Label that a container must carry to be seen, as key and value.
    pub label: (String, String),
    /// The wall clock, for how long an engine has been away; engine times never come from it.
    pub now: fn() -> Timestamp,
}

impl EngineOptions {
    /// Sees containers with this label, and takes times from the system's clock.
    #[must_use]
    pub fn new(label: (String, String)) -> Self {
        Self {
            label,
            now: Timestamp::now,
        }
    }
}

/// A handle to one engine; cheap to clone, and calls go out even while the link is down.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    endpoint: Endpoint,
    options: EngineOptions,
    docker: Docker,
    transport: Transport,
    link: watch::Sender<Link>,
    retry: Notify,
}

impl Engine {
    /// Starts the task of an engine: it connects, subscribes, lists, and reconnects until its owner
    /// stops or the receiver is dropped.
    pub fn spawn(
        owner: &Owner,
        name: &str,
        endpoint: Endpoint,
        options: EngineOptions,
    ) -> (Self, mpsc::Receiver<EngineEvent>) {
        Self::spawn_with(owner, name, endpoint, options, RELIST)
    }

    fn spawn_with(
        owner: &Owner,
        name: &str,
        endpoint: Endpoint,
        options: EngineOptions,
        relist: Duration,
    ) -> (Self, mpsc::Receiver<EngineEvent>) {
        let owner = owner.child(&format!("engine:{name}"));
        let transport = Transport::new(&owner, endpoint.clone());
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let engine = Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                endpoint,
                options,
                docker: transport.bollard(),
                transport,
                link: watch::Sender::new(Link::Connecting),
                retry: Notify::new(),
            }),
        };
        owner.spawn("events", task::run(engine.clone(), events, relist));
        (engine, receiver)
    }

    /// Name of the engine: its context.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Address of the engine.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Follows whether the engine answers.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    /// Ends the wait for the next attempt to connect.
    pub fn retry_now(&self) {
        self.shared.retry.notify_one();
    }

    pub(crate) fn docker(&self) -> &Docker {
        &self.shared.docker
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    /// The label in the form of the engine's filters.
    pub(crate) fn label_filter(&self) -> String {
        let (key, value) = &self.shared.options.label;
        format!("{key}={value}")
    }
}

#[cfg(all(test, unix))]
mod tests;
