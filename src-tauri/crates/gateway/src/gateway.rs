//! The handle that the core holds.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use mizzen_tasks::Owner;

use crate::address::{Address, Target};
use crate::bind::{GatewayError, listen, listen_alone};
use crate::door::{Door, own_port};
use crate::guard::Guard;
use crate::health::{self, HealthError};
use crate::serve::{self, Shared};
use crate::state::{Key, State};
use crate::upstream::Upstream;

/// File in the state directory that keeps key and port.
const STATE_FILE: &str = "gateway.json";

/// A wall clock.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What the gateway takes from its surroundings.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Port to try first; a port once found is remembered as long as this stays the same.
    pub preferred_port: u16,
    /// The core's state directory; exists.
    pub state_dir: PathBuf,
    /// The wall clock, for the expiry of cookies.
    pub clock: Clock,
    /// Bounds on time and memory.
    pub limits: Limits,
}

/// Bounds that keep slow, silent and greedy peers from hurting others.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Browser connections at once, over all sessions; more wait.
    pub connections: usize,
    /// Streams into one session at once; more are refused.
    pub streams_per_session: usize,
    /// A request's head must arrive within this time; also ends idle connections.
    pub request_head: Duration,
    /// A stream into the session must open within this time.
    pub dial: Duration,
    /// The session must begin to answer within this time after the request last moved.
    pub response_head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            streams_per_session: 256,
            request_head: Duration::from_secs(30),
            dial: Duration::from_secs(10),
            response_head: Duration::from_secs(60),
        }
    }
}

/// A listening gateway; cheap to clone. It ends with the owner that it was bound under.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    /// Behind it, hosts tell the sessions apart.
    front: Arc<Guard>,
    /// Ports of one service each, opened when first asked for. A std lock: never held across an await.
    own: Arc<Mutex<HashMap<Address, Arc<Guard>>>>,
    key: Key,
}

impl Gateway {
    /// Listens, and serves until `owner` stops.
    ///
    /// # Errors
    /// No free port, or the state directory cannot be written.
    pub async fn bind(
        owner: &Owner,
        config: GatewayConfig,
        upstream: Arc<dyn Upstream>,
    ) -> Result<Self, GatewayError> {
        let path = config.state_dir.join(STATE_FILE);
        let old = State::load(&path);
        let key = old.as_ref().map_or_else(rand::random, |old| old.key);
        let remembered = old
            .as_ref()
            .filter(|old| old.preferred == config.preferred_port);
        let found = listen(config.preferred_port, remembered.map(|old| old.port)).await?;
        let state = State {
            preferred: config.preferred_port,
            port: found.port,
            key,
        };
        if old.as_ref() != Some(&state) {
            state.save(&path)?;
        }
        let owner = owner.child("gateway");

        let door = Door {
            port: found.port,
            only: None,
        };
        let front = Arc::new(Guard::new(key, door));
        let shared = Arc::new(Shared::new(owner, upstream, config.clock, config.limits));
        serve::start(&shared, &front, found.sockets);
        Ok(Self {
            shared,
            front,
            own: Arc::default(),
            key,
        })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.front.door().port
    }

    /// Where a session's service is found, for a browser that is logged in.
    #[must_use]
    pub fn url(&self, session: &str, target: Target) -> String {
        let address = Address::new(session, target);
        format!("{}/", self.front.door().origin(&address))
    }

    /// The same with a token that logs a browser in: good once, for one minute. A secret: neither log nor argv.
    #[must_use]
    pub fn launch_url(&self, session: &str, target: Target) -> String {
        self.front.launch_url(Address::new(session, target))
    }

    /// The same at `127.0.0.1` and a port of the service's own, for a browser that does not resolve `*.localhost`.
    ///
    /// The port stays open as long as the gateway.
    ///
    /// # Errors
    /// No free port.
    pub fn launch_url_by_address(
        &self,
        session: &str,
        target: Target,
    ) -> Result<String, GatewayError> {
        let address = Address::new(session, target);
        Ok(self.own_guard(&address)?.launch_url(address))
    }

    /// The same for a browser that is logged in.
    ///
    /// # Errors
    /// No free port.
    pub fn url_by_address(&self, session: &str, target: Target) -> Result<String, GatewayError> {
        let address = Address::new(session, target);
        let origin = self.own_guard(&address)?.door().origin(&address);
        Ok(format!("{origin}/"))
    }

    /// Who guards the service's own port; opened when nobody does yet.
    fn own_guard(&self, address: &Address) -> Result<Arc<Guard>, GatewayError> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = own.get(address) {
            return Ok(guard.clone());
        }
        let found = listen_alone(own_port(address))?;
        let door = Door {
            port: found.port,
            only: Some(address.clone()),
        };
        let guard = Arc::new(Guard::new(self.key, door));
        serve::start(&self.shared, &guard, found.sockets);
        own.insert(address.clone(), guard.clone());
        Ok(guard)
    }

    /// Asks code-server's `/healthz` once, by the way that a browser will take.
    ///
    /// # Errors
    /// No answer, or not the one that code-server gives.
    pub async fn healthy(&self, session: &str) -> Result<(), HealthError> {
        health::ask(&self.shared, &self.front, session).await
    }

    /// Tells code-server that a browser is about to come. With its first page it loads the editor's own server, which
    /// takes a third of a second: by the time that the browser has started, that is done.
    pub fn expect(&self, session: &str) {
        health::ask_for_a_page(&self.shared, &self.front, session);
    }

    /// Stops listening, lets answers under way finish, and ends what is left after `deadline`.
    pub async fn close(&self, deadline: Duration) {
        serve::close(&self.shared, deadline).await;
    }
}
