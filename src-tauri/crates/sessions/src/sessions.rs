//! The door to all sessions.

mod engines;
mod exec;
mod forget;
mod history;
mod up;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use mizzen_docker::{DockerError, Engine, LogLine, LogOptions, StatsSample};
use mizzen_tasks::Owner;
use mizzen_wire::Wire;
use tokio::sync::{Mutex, Notify, broadcast, oneshot, watch};
use tokio::time::Instant;

use crate::actor::{Actor, Asked, Changes, Handle, Told};
use crate::engines::{EngineSource, Engines};
use crate::error::{ErrorKind, SessionError};
use crate::fact::{Done, Facts, Notice, OnProgress, SessionFact, Unmanaged};
use crate::identity::Identity;
use crate::image::Recipe;
use crate::limits::SessionSettings;
use crate::machine::{State, Wish};
use crate::record::Record;
use crate::registry::{Registry, RegistryError};
use crate::reports::Lookout;
use crate::slots::Slots;
use crate::supervisor::SupervisorFiles;
use crate::wiring::Line;
use crate::words;
use crate::workspace::{Syncing, WorkspaceKind};
use crate::world::World;

/// Notices that wait for a slow reader.
const NOTICES: usize = 256;
/// How long a wire that is being made again is waited for.
const WIRE_DEADLINE: Duration = Duration::from_secs(5);

/// What sessions need from the world.
pub struct SessionsDeps {
    /// Whose containers are ours.
    pub identity: Identity,
    /// Which engines there may be; they are put to use as they are needed.
    pub engines: EngineSource,
    /// Where the registry lives.
    pub state_dir: PathBuf,
    /// The user's home: never a project folder, nor in one.
    pub home: Option<PathBuf>,
    /// The static supervisors for containers.
    pub supervisors: SupervisorFiles,
    /// Certificates the host trusts beyond the system's own, for the image: [`crate::image::host_authorities`].
    pub extra_ca: Vec<PathBuf>,
    /// Who keeps synced workspaces in step.
    pub syncing: Arc<dyn Syncing>,
    /// The user's settings.
    pub settings: watch::Receiver<SessionSettings>,
    /// Wall clock.
    pub clock: Clock,
    /// Called at each point where a crash must be survived; tests crash there.
    pub at_step: Option<StepHook>,
}

/// A wall clock.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// Hears the names of steps.
pub type StepHook = Arc<dyn Fn(&str) + Send + Sync>;

/// Asks for a session of a folder: made when there is none, started when it rests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpRequest {
    /// Project folder; absolute.
    pub dir: PathBuf,
    /// Session name; derived from the folder's when empty.
    pub name: Option<String>,
    /// Engine; the selected one when empty.
    pub engine: Option<String>,
    /// How the workspace reaches the container; [`WorkspaceKind::NEW`] when empty.
    pub workspace: Option<WorkspaceKind>,
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
    inner: Arc<Inner>,
}

struct Inner {
    world: Arc<World>,
    owner: Owner,
    handles: Mutex<Handles>,
    unmanaged: watch::Sender<Arc<Vec<Unmanaged>>>,
    /// An engine that could not be found may be there by now.
    may_be_found: Notify,
}

/// Actors by session key; none for a session that is being forgotten, whose name nobody takes meanwhile.
type Handles = BTreeMap<String, Option<Handle>>;

impl Sessions {
    /// Takes over what the registry remembers and follows the engines until the owner stops.
    pub fn spawn(owner: &Owner, deps: SessionsDeps) -> Result<Self, RegistryError> {
        let stamp = (deps.clock)().strftime("%Y%m%dT%H%M%SZ").to_string();
        let (registry, records) = Registry::open(&deps.state_dir, &stamp)?;
        let engines = Engines::new(owner, deps.identity.label(), deps.engines);
        let world = World {
            identity: deps.identity,
            registry,
            engines,
            settings: deps.settings,
            supervisors: deps.supervisors,
            syncing: deps.syncing,
            user_tables: std::sync::Mutex::default(),
            per_engine: std::sync::Mutex::default(),
            authorities: deps.extra_ca,
            home: deps.home,
            state_dir: deps.state_dir,
            lookout: Arc::new(Lookout::new(deps.clock.clone())),
            clock: deps.clock,
            began: Instant::now(),
            at_step: deps.at_step,
            slots: Slots::default(),
            facts: watch::Sender::new(Arc::default()),
            notices: broadcast::Sender::new(NOTICES),
            listing: Mutex::default(),
        };
        let sessions = Self {
            inner: Arc::new(Inner {
                world: Arc::new(world),
                owner: owner.child("sessions"),
                handles: Mutex::default(),
                unmanaged: watch::Sender::new(Arc::default()),
                may_be_found: Notify::new(),
            }),
        };
        sessions.take_over(&records);
        Ok(sessions)
    }

    /// Runs an actor, and forgets its handle when it is over.
    fn host(&self, key: String, handle: &Handle, run: impl Future<Output = ()> + Send + 'static) {
        let (sessions, handle) = (self.clone(), handle.clone());
        self.inner.owner.spawn(&format!("actor:{key}"), async move {
            run.await;
            let mut handles = sessions.inner.handles.lock().await;
            let known = handles.get(&key).and_then(Option::as_ref);
            if known.is_some_and(|other| other.tell.same_channel(&handle.tell)) {
                handles.remove(&key);
            }
        });
    }

    /// Takes a session over that the registry did not know; `false` when the name is taken.
    pub(crate) async fn adopt(&self, record: Record, engine: &Engine) -> bool {
        let key = record.name.key();
        let mut handles = self.inner.handles.lock().await;
        if handles.contains_key(&key) || self.world().registry.put(record.clone()).await.is_err() {
            return false;
        }
        let (actor, handle) = Actor::of(
            self.inner.world.clone(),
            &self.inner.owner,
            engine.clone(),
            record,
        );
        actor.publish();
        self.host(key.clone(), &handle, actor.run());
        handles.insert(key, Some(handle));
        true
    }

    /// Every session, now and as they change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Facts>> {
        self.world().facts.subscribe()
    }

    /// Containers that wear our labels and are not ours to touch.
    #[must_use]
    pub fn unmanaged(&self) -> watch::Receiver<Arc<Vec<Unmanaged>>> {
        self.inner.unmanaged.subscribe()
    }

    /// What a person should hear about, from now on.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.world().notices.subscribe()
    }

    /// Takes a wish to a session; the name is compared without case.
    ///
    /// The work goes on when the caller drops the future; the same wish again joins it.
    pub async fn wish(
        &self,
        name: &str,
        wish: Wish,
        on_progress: OnProgress,
    ) -> Result<Done, SessionError> {
        let key = name.to_ascii_lowercase();
        if matches!(wish, Wish::Remove { force: true, .. })
            && let Some(done) = self.forget(&key).await?
        {
            return Ok(done);
        }
        let handle = self.handle(&key).await?;
        let answer = ask(&handle, wish, None, on_progress).await;
        answer.ok_or_else(|| SessionError::no_such_session(name))?
    }

    /// The wire to a session's supervisor; one that is being made again is waited for.
    pub async fn wire(&self, name: &str) -> Result<Wire, SessionError> {
        let fact = self.fact(name)?;
        if fact.state != State::Running && fact.state != State::Starting {
            let message = format!(
                "Session `{}` is {}.",
                fact.name,
                words::state_word(fact.state)
            );
            return Err(SessionError::new(
                ErrorKind::State,
                message,
                format!("Start it: mizzen start {}", fact.name),
            ));
        }
        let mut line = self.handle(&fact.name.key()).await?.line.line.subscribe();
        let up = line.wait_for(|line| matches!(line, Line::Up(_)));
        match tokio::time::timeout(WIRE_DEADLINE, up)
            .await
            .map(|up| up.map(|line| line.clone()))
        {
            Ok(Ok(Line::Up(wire))) => Ok(wire),
            _ => {
                let message = format!("The supervisor of session `{}` does not answer.", fact.name);
                let hint = format!(
                    "Look at its log (mizzen logs {0}), or restart it: mizzen restart {0}",
                    fact.name
                );
                Err(SessionError::new(ErrorKind::Failed, message, hint))
            }
        }
    }

    /// What a session's container writes.
    pub async fn logs(
        &self,
        name: &str,
        options: LogOptions,
    ) -> Result<impl Stream<Item = Result<LogLine, DockerError>> + Send + use<>, SessionError> {
        let (engine, id) = self.container(name)?;
        Ok(engine.logs(&id, options).await?)
    }

    /// What a session's container uses; sampled as long as the stream is held.
    pub async fn stats(
        &self,
        name: &str,
    ) -> Result<impl Stream<Item = Result<StatsSample, DockerError>> + Send + use<>, SessionError>
    {
        let (engine, id) = self.container(name)?;
        Ok(engine.stats(&id).await?)
    }

    /// The recipe of Mizzen's own image on an engine: for building, listing and pruning it.
    pub async fn recipe(&self, engine: &Engine) -> Result<Recipe, SessionError> {
        self.world().recipe(engine).await
    }

    /// Held by whoever builds an image on an engine: one at a time, and others find its result.
    #[must_use]
    pub fn building(&self, engine: &Engine) -> Arc<Mutex<()>> {
        self.world().shared(engine).building.clone()
    }

    fn container(&self, name: &str) -> Result<(Engine, String), SessionError> {
        let fact = self.fact(name)?;
        let id = fact.container_id.clone().ok_or_else(|| {
            let message = format!("Session `{}` has no container.", fact.name);
            SessionError::new(
                ErrorKind::State,
                message,
                format!("Start it: mizzen start {}", fact.name),
            )
        })?;
        Ok((self.engine_of(&fact)?, id))
    }

    fn engine_of(&self, fact: &SessionFact) -> Result<Engine, SessionError> {
        let engine = self.engine_in_use(&fact.engine);
        engine.ok_or_else(|| words::engine_is_unknown(fact))
    }

    fn fact(&self, name: &str) -> Result<Arc<SessionFact>, SessionError> {
        let facts = self.world().facts.borrow();
        facts
            .get(&name.to_ascii_lowercase())
            .cloned()
            .ok_or_else(|| SessionError::no_such_session(name))
    }

    async fn handle(&self, key: &str) -> Result<Handle, SessionError> {
        if let Some(served) = self.inner.handles.lock().await.get(key).cloned() {
            return served.ok_or_else(|| SessionError::being_forgotten(key));
        }
        // Known here: nobody serves it. It may still be remembered, on an engine that was not to be found before.
        let fact = self.fact(key)?;
        let engine = self.engine(Some(&fact.engine)).await;
        engine.map_err(|error| words::no_engine(&error, &fact.name, &fact.engine))?;
        let handles = self.inner.handles.lock().await;
        let found = handles.get(key).cloned();
        found
            .flatten()
            .ok_or_else(|| SessionError::no_such_session(key))
    }

    /// Tells an actor, if there is one.
    pub(crate) async fn tell(&self, key: &str, told: Told) {
        let handle = self.inner.handles.lock().await.get(key).cloned();
        if let Some(handle) = handle.flatten() {
            // An actor that has just ended needs to know nothing.
            let _ = handle.tell.send(told).await;
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.inner.world
    }

    pub(crate) fn unmanaged_sender(&self) -> &watch::Sender<Arc<Vec<Unmanaged>>> {
        &self.inner.unmanaged
    }
}

/// Asks an actor; none when it ended before it answered.
async fn ask(
    handle: &Handle,
    wish: Wish,
    changes: Option<Changes>,
    on_progress: OnProgress,
) -> Option<Result<Done, SessionError>> {
    let (reply, answer) = oneshot::channel();
    let asked = Asked {
        wish,
        changes,
        on_progress,
        reply,
    };
    handle.tell.send(Told::Wish(Box::new(asked))).await.ok()?;
    answer.await.ok()
}
