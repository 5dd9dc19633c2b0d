//! The running core: takes the lock, starts everything in order and ends it in order.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use mizzen_fsx::PathError;
use mizzen_gateway::{Gateway, GatewayConfig, Target};
use mizzen_sessions::image::host_authorities;
use mizzen_sessions::{Identity, RegistryError, SessionSettings, Sessions, SessionsDeps};
use mizzen_tasks::{Owner, Wakes};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::alerts::Alerts;
use crate::contexts::Contexts;
use crate::control;
use crate::desk::{Desk, Looks};
use crate::dirs::DirsError;
use crate::engines;
use crate::lock::{CoreLock, LockError};
use crate::publisher::{Publisher, Sources, Usages};
use crate::settings::{self, SettingsError};
use crate::store::Store;
use crate::sync::Links;
use crate::upstream::SessionsUpstream;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{ContextsView, CoreView, Settings, Snapshot};
use crate::world::CoreConfig;

/// Why the core did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A directory cannot be used.
    #[error(transparent)]
    Dirs(#[from] DirsError),
    /// Another core runs, or the lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The settings are not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The state directory's own id cannot be read or written.
    #[error(transparent)]
    Identity(#[from] PathError),
    /// The registry of sessions cannot be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The control socket cannot be made.
    #[error("{path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// Whether another core of this user runs: then be its client.
    #[must_use]
    pub fn is_already_running(&self) -> bool {
        matches!(self, Self::Lock(LockError::Held { .. }))
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        let hint = match &error {
            StartError::Dirs(_) | StartError::Socket { .. } => {
                "make the path yours and writable, or set MIZZEN_HOME to another folder"
            }
            StartError::Lock(LockError::Held { .. }) => "end it with `mizzen serve --stop`",
            StartError::Lock(LockError::Io(_)) | StartError::Identity(_) => {
                "make the path yours and writable"
            }
            StartError::Settings(_) => "correct the file, or move it away to start with defaults",
            StartError::Registry(_) => "move the file away: sessions are found by their containers",
        };
        Self::new(ErrorCode::CoreUnreachable, error.to_string(), hint)
    }
}

/// The core of one user. It ends by [`Core::shut_down`]; sessions go on running.
pub struct Core {
    /// Clients end first: nobody is told half of a shutdown.
    clients: Owner,
    owner: Owner,
    gateway: Option<Gateway>,
    stop: CancellationToken,
    _lock: CoreLock,
}

/// Answers of the gateway that are under way may finish in this time.
const GATEWAY_DEADLINE: Duration = Duration::from_secs(1);
/// All tasks must end in this time; what is left is named in the log and dropped.
const TASKS_DEADLINE: Duration = Duration::from_secs(3);
/// Questions that wait for the publisher.
const ASKS_MAX: usize = 64;

impl Core {
    /// Starts the core: lock, settings, engine, sessions, gateway, and last the control socket.
    ///
    /// # Errors
    /// When another core runs, or what it needs cannot be had. An engine that does not answer and
    /// a gateway that cannot listen are no errors: they are shown.
    pub async fn start(config: CoreConfig) -> Result<Self, StartError> {
        let (core, _) = Self::compose(config, mizzen_tasks::wakes).await?;
        Ok(core)
    }

    /// The same on a machine whose wakes are told by this; and where requests arrive.
    async fn compose(
        config: CoreConfig,
        wakes: impl FnOnce(&Owner) -> Wakes,
    ) -> Result<(Self, Arc<Desk>), StartError> {
        config.dirs.prepare()?;
        let lock = CoreLock::take(&config.dirs.lock_file())?;
        let settings = settings::load(&config.dirs.settings_file())?;
        let owner = Owner::root("core");
        let identity = Identity::load(&config.dirs.state)?;
        let settings = watch::Sender::new(settings);
        let links = Links::new(
            &owner,
            config.dirs.state.join("sync"),
            ignore::gitignore::gitconfig_excludes_path(),
            config.clock.clone(),
        );
        let sessions = start_sessions(&config, &owner, identity, &links, &settings)?;
        // A borrow of the channel must not live across the await: the future would not be `Send`.
        let at_start = settings.borrow().clone();
        let gateway = start_gateway(&config, &owner, &sessions, &at_start).await;

        let stop = CancellationToken::new();
        let clients = owner.child("control");
        let store = Arc::new(Store::new(
            first_snapshot(&config, &settings, &gateway),
            config.clock.clone(),
        ));
        let wakes = wakes(&owner);
        let (contexts, news) =
            Contexts::start(&owner, &config, settings.subscribe(), wakes.clone());
        owner.spawn(
            "look-again",
            look_again(wakes, sessions.clone(), links.clone()),
        );
        let (publisher, asks) = mpsc::channel(ASKS_MAX);
        let usages = watch::Sender::new(Usages::new());
        let sources = Sources {
            sessions: sessions.clone(),
            usages: usages.subscribe(),
            syncs: links.views(),
            contexts: contexts.views(),
            context_moves: contexts.moves(),
            news,
            settings: settings.subscribe(),
            asks,
        };
        start_publisher(&owner, &config, &store, &gateway, sources);
        let desk = Arc::new(Desk {
            looks: Looks::new(&owner, sessions.clone(), usages),
            verbs: owner.child("verbs"),
            next_verb_id: AtomicU64::new(1),
            stop: stop.clone(),
            gateway: gateway.clone(),
            config: config.clone(),
            store,
            settings,
            sessions,
            links,
            contexts,
            publisher,
        });
        control::serve(&clients, &config.dirs, desk.clone()).map_err(|source| {
            StartError::Socket {
                path: config.dirs.control_socket(),
                source,
            }
        })?;
        tracing::info!(pid = std::process::id(), "core started");
        let core = Self {
            clients,
            owner,
            gateway: gateway.ok(),
            stop,
            _lock: lock,
        };
        Ok((core, desk))
    }

    /// Resolves when a client asked the core to end: then call [`Core::shut_down`].
    pub async fn asked_to_stop(&self) {
        self.stop.cancelled().await;
    }

    /// Ends everything in order, within five seconds. Sessions go on running.
    pub async fn shut_down(self) {
        self.clients.stopping().cancel();
        if let Some(gateway) = &self.gateway {
            gateway.close(GATEWAY_DEADLINE).await;
        }
        let late = self.owner.shut_down(TASKS_DEADLINE).await;
        if late.is_empty() {
            tracing::info!("core ended");
        } else {
            tracing::warn!(?late, "core ended, some tasks did not");
        }
    }
}

fn start_sessions(
    config: &CoreConfig,
    owner: &Owner,
    identity: Identity,
    links: &Links,
    settings: &watch::Sender<Settings>,
) -> Result<Sessions, RegistryError> {
    let ours = settings.subscribe();
    let theirs = watch::Sender::new(session_settings(&ours.borrow()));
    let deps = SessionsDeps {
        syncing: Arc::new(links.clone()),
        identity,
        engines: engines::source(config),
        state_dir: config.dirs.state.clone(),
        home: config.home.clone(),
        supervisors: engines::supervisors(config),
        extra_ca: host_authorities(),
        settings: theirs.subscribe(),
        clock: config.clock.clone(),
        at_step: config.at_step.clone(),
    };
    owner.spawn("settings", pass_on_settings(ours, theirs));
    Sessions::spawn(owner, deps)
}

async fn pass_on_settings(
    mut ours: watch::Receiver<Settings>,
    theirs: watch::Sender<SessionSettings>,
) {
    while ours.changed().await.is_ok() {
        theirs.send_replace(session_settings(&ours.borrow_and_update()));
    }
}

fn session_settings(settings: &Settings) -> SessionSettings {
    SessionSettings {
        max_running: settings.max_running,
        memory_budget_bytes: settings.memory_budget_bytes,
        remote_engines: settings.remote_engines.clone(),
        image: settings.image.clone(),
        memory_bytes: settings.memory_bytes,
        cpus: settings.cpus,
    }
}

/// What was far away before the machine slept may be gone, and what was near may have changed.
async fn look_again(mut wakes: Wakes, sessions: Sessions, links: Links) {
    while wakes.changed().await.is_ok() {
        tracing::info!("the machine slept: engines and workspaces are looked at again");
        sessions.woke().await;
        links.look_again();
    }
}

/// The gateway, or why there is none, in a sentence.
async fn start_gateway(
    config: &CoreConfig,
    owner: &Owner,
    sessions: &Sessions,
    settings: &Settings,
) -> Result<Gateway, String> {
    let gateway = GatewayConfig {
        preferred_port: settings.gateway_port,
        state_dir: config.dirs.state.clone(),
        clock: Arc::new(|| jiff::Timestamp::now().into()),
        limits: mizzen_gateway::Limits::default(),
    };
    let upstream = Arc::new(SessionsUpstream {
        sessions: sessions.clone(),
    });
    Gateway::bind(owner, gateway, upstream)
        .await
        .map_err(|error| format!("The gateway cannot start: {error}."))
}

fn first_snapshot(
    config: &CoreConfig,
    settings: &watch::Sender<Settings>,
    gateway: &Result<Gateway, String>,
) -> Snapshot {
    Snapshot {
        revision: 0,
        core: CoreView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: (config.clock)().to_string(),
            gateway_port: gateway.as_ref().ok().map(Gateway::port),
            gateway_problem: gateway.as_ref().err().cloned(),
        },
        engines: Vec::new(),
        sessions: Vec::new(),
        alerts: Vec::new(),
        unmanaged: Vec::new(),
        contexts: ContextsView::default(),
        settings: settings.borrow().clone(),
    }
}

fn start_publisher(
    owner: &Owner,
    config: &CoreConfig,
    store: &Arc<Store>,
    gateway: &Result<Gateway, String>,
    sources: Sources,
) {
    let mut alerts = Alerts::default();
    if let Err(problem) = gateway {
        store.publish(alerts.on_gateway(problem, (config.clock)(), Instant::now()));
    }
    let gateway = gateway.as_ref().ok().cloned();
    let settings = sources.settings.clone();
    let url = move |session: &str| {
        let gateway = gateway.as_ref()?;
        if settings.borrow().gateway_names {
            return Some(gateway.url(session, Target::CodeServer));
        }
        let found = gateway.url_by_address(session, Target::CodeServer);
        found
            .inspect_err(|error| tracing::warn!(session, %error, "no address"))
            .ok()
    };
    let (store, clock) = (store.clone(), config.clock.clone());
    let choose = engines::choose(config);
    let sessions = sources.sessions.clone();
    let mut publisher = Publisher::new(sessions, store, clock, alerts, choose, Box::new(url));
    // Before the first client: what is remembered is in the first snapshot.
    publisher.catch_up(&sources);
    owner.spawn("publisher", publisher.run(sources));
}

#[cfg(test)]
mod tests;
