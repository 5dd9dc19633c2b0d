//! The handle to one engine, and the task behind it.

mod about;
mod backoff;
mod events;
mod known;
mod link;
mod socket;
mod task;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::Docker;
use jiff::Timestamp;
use mizzen_tasks::Owner;
use tokio::sync::{Notify, mpsc, watch};

pub use link::{EngineEvent, EngineInfo, Link, Offline};

use crate::dial::{Dialer, Masters, SshClient};
use crate::transport::Transport;
use crate::{Endpoint, NoPlace, Place};

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
    /// Where it is to be found from now on; none when it never moves.
    pub place: Option<Place>,
    /// How ssh is run, while the engine is behind it.
    pub ssh: SshClient,
}

impl EngineOptions {
    /// Sees containers with this label, and takes times from the system's clock.
    #[must_use]
    pub fn new(label: (String, String)) -> Self {
        Self {
            label,
            now: Timestamp::now,
            place: None,
            ssh: SshClient::default(),
        }
    }

    /// The same for an engine that may move.
    #[must_use]
    pub fn found_at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// A handle to one engine; cheap to clone, and calls go out even while the link is down.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    owner: Owner,
    options: EngineOptions,
    masters: Arc<Masters>,
    /// A std lock: held to read or replace it, never across an await.
    reach: Mutex<Reach>,
    link: watch::Sender<Link>,
    retry: Notify,
}

/// How an engine is reached; replaced when it moves.
struct Reach {
    endpoint: Endpoint,
    docker: Docker,
    transport: Transport,
}

impl Reach {
    fn new(owner: &Owner, dialer: Dialer) -> Self {
        let endpoint = dialer.endpoint().clone();
        let transport = Transport::new(owner, dialer);
        Self {
            endpoint,
            docker: transport.bollard(),
            transport,
        }
    }
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
        let masters = Masters::of(&owner, name, options.ssh.clone());
        let reach = Mutex::new(Reach::new(&owner, Dialer::new(&masters, endpoint)));
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let engine = Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                owner: owner.clone(),
                options,
                masters,
                reach,
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

    /// Address of the engine, as it was last dialled.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.reach().endpoint.clone()
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

    pub(crate) fn docker(&self) -> Docker {
        self.reach().docker.clone()
    }

    pub(crate) fn transport(&self) -> Transport {
        self.reach().transport.clone()
    }

    /// Whether the engine is to be found elsewhere by now, or nowhere.
    fn has_moved(&self) -> bool {
        let place = self.shared.options.place.as_ref();
        place.is_some_and(|place| place.look().as_ref() != Ok(&self.endpoint()))
    }

    /// Goes to where the engine is to be found: from here on calls are dialled there, and none goes over a connection from
    /// before. One that broke without a word looks open.
    fn go_there(&self) -> Result<(), NoPlace> {
        let place = self.shared.options.place.as_ref();
        let endpoint = place.map_or_else(|| Ok(self.endpoint()), Place::look)?;
        let mut reach = self.reach();
        if reach.endpoint != endpoint {
            tracing::info!(engine = self.name(), %endpoint, "the engine has moved");
            // Who asks there before it has said who it is must not take it for the one before.
            self.shared.link.send_if_modified(|link| {
                let was_online = matches!(link, Link::Online(_));
                if was_online {
                    *link = Link::Connecting;
                }
                was_online
            });
        }
        let dialer = Dialer::new(&self.shared.masters, endpoint);
        *reach = Reach::new(&self.shared.owner, dialer);
        Ok(())
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        let reach = self.shared.reach.lock();
        reach.unwrap_or_else(PoisonError::into_inner)
    }

    /// The label in the form of the engine's filters.
    pub(crate) fn label_filter(&self) -> String {
        let (key, value) = &self.shared.options.label;
        format!("{key}={value}")
    }
}

#[cfg(unix)]
#[cfg(test)]
mod moving;
#[cfg(unix)]
#[cfg(test)]
mod tests;
