//! What all actors share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use mizzen_docker::{Engine, EngineInfo, Link};
use tokio::sync::{Mutex, OnceCell, broadcast, watch};
use tokio::time::Instant;

use crate::engines::Engines;
use crate::error::{ErrorKind, SessionError, advice, sentence};
use crate::fact::{Facts, Notice, SessionFact};
use crate::folder::OffLimits;
use crate::identity::Identity;
use crate::image::{Recipe, Supervisor};
use crate::limits::SessionSettings;
use crate::machine::Phase;
use crate::provision::UserTables;
use crate::registry::Registry;
use crate::reports::Lookout;
use crate::sessions::{Clock, StepHook};
use crate::slots::Slots;
use crate::supervisor::SupervisorFiles;
use crate::workspace::{Syncing, WorkspaceKind};

/// How long a first answer of an engine is waited for: the slowest dial, by ssh, may take 20 s.
const FIRST_ANSWER: std::time::Duration = std::time::Duration::from_secs(25);

pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) registry: Registry,
    pub(crate) engines: Engines,
    pub(crate) settings: watch::Receiver<SessionSettings>,
    pub(crate) supervisors: SupervisorFiles,
    pub(crate) syncing: Arc<dyn Syncing>,
    /// By the image's id, which stands for what is in it.
    pub(crate) user_tables: std::sync::Mutex<BTreeMap<String, Arc<UserTables>>>,
    /// By the engine's name. A std lock: held for one look-up, never across an await.
    pub(crate) per_engine: std::sync::Mutex<BTreeMap<String, Arc<PerEngine>>>,
    pub(crate) authorities: Vec<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) state_dir: PathBuf,
    pub(crate) clock: Clock,
    /// When it began, by our own clock.
    pub(crate) began: Instant,
    pub(crate) at_step: Option<StepHook>,
    pub(crate) slots: Slots,
    pub(crate) lookout: Arc<Lookout>,
    pub(crate) facts: watch::Sender<Arc<Facts>>,
    pub(crate) notices: broadcast::Sender<Notice>,
    /// One writer of a project's list of containers.
    pub(crate) listing: Mutex<()>,
}

/// What starts on one engine share: an engine that is slow holds nobody up on another.
#[derive(Default)]
pub(crate) struct PerEngine {
    /// Read once, since hashing it takes a while.
    supervisor: OnceCell<Supervisor>,
    /// One image build at a time: others wait for it and find its result.
    pub(crate) building: Arc<Mutex<()>>,
}

impl World {
    pub(crate) fn now(&self) -> jiff::Timestamp {
        (self.clock)()
    }

    pub(crate) fn off_limits(&self) -> OffLimits<'_> {
        OffLimits {
            home: self.home.as_deref(),
            state_dir: &self.state_dir,
        }
    }

    /// Marks a point where a crash must be survived; tests crash there.
    pub(crate) fn step(&self, name: &str) {
        if let Some(hook) = &self.at_step {
            hook(name);
        }
    }

    /// Whether an engine sees this machine's files, so that folders can be mounted.
    pub(crate) fn shares_files(&self, engine: &Engine) -> bool {
        let settings = self.settings.borrow();
        let is_remote = settings
            .remote_engines
            .iter()
            .any(|name| name == engine.name());
        !is_remote && engine.endpoint().shares_files()
    }

    /// Refuses a workspace that cannot be mounted.
    pub(crate) fn check_workspace(
        &self,
        engine: &Engine,
        kind: WorkspaceKind,
    ) -> Result<(), SessionError> {
        if kind == WorkspaceKind::Sync || self.shares_files(engine) {
            return Ok(());
        }
        let message = format!(
            "The engine `{}` does not see this machine's files, so it cannot mount a workspace of kind `{}`.",
            engine.name(),
            kind.word()
        );
        let hint = "Have a copy kept in step there: --workspace sync";
        Err(SessionError::new(ErrorKind::Policy, message, hint).in_phase(Phase::Check))
    }

    /// The recipe of Mizzen's own image on an engine.
    pub(crate) async fn recipe(&self, engine: &Engine) -> Result<Recipe, SessionError> {
        let supervisor = self.supervisor(engine).await;
        let recipe = supervisor.and_then(|it| Ok(Recipe::gather(it, &self.authorities)?));
        recipe.map_err(|error| error.in_phase(Phase::Image))
    }

    /// The supervisor that runs on an engine.
    pub(crate) async fn supervisor(&self, engine: &Engine) -> Result<Supervisor, SessionError> {
        let shared = self.shared(engine);
        let read = || self.supervisors.for_engine(engine);
        shared.supervisor.get_or_try_init(read).await.cloned()
    }

    pub(crate) fn shared(&self, engine: &Engine) -> Arc<PerEngine> {
        let mut per_engine = self
            .per_engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        per_engine
            .entry(engine.name().to_owned())
            .or_default()
            .clone()
    }

    /// Who lives in an image, when that was read before.
    pub(crate) fn user_tables(&self, image_id: &str) -> Option<Arc<UserTables>> {
        self.known_tables().get(image_id).cloned()
    }

    /// Keeps who lives in an image.
    pub(crate) fn remember_user_tables(
        &self,
        image_id: &str,
        tables: UserTables,
    ) -> Arc<UserTables> {
        let tables = Arc::new(tables);
        self.known_tables()
            .insert(image_id.to_owned(), tables.clone());
        tables
    }

    fn known_tables(&self) -> MutexGuard<'_, BTreeMap<String, Arc<UserTables>>> {
        self.user_tables
            .lock()
            .expect("BUG: a panic under the lock")
    }

    /// Whether that is what was published of a session last.
    pub(crate) fn shows(&self, key: &str, fact: &SessionFact) -> bool {
        let facts = self.facts.borrow();
        facts.get(key).is_some_and(|shown| **shown == *fact)
    }

    /// Publishes a session, or that there is none; readers are told only of changes.
    pub(crate) fn publish(&self, key: &str, fact: Option<Arc<SessionFact>>) {
        self.facts.send_if_modified(|facts| {
            if facts.get(key) == fact.as_ref() {
                return false;
            }
            let facts: &mut BTreeMap<_, _> = Arc::make_mut(facts);
            match fact {
                Some(fact) => facts.insert(key.to_owned(), fact),
                None => facts.remove(key),
            };
            true
        });
    }
}

/// Waits for an engine's first answer and refuses when it is offline.
pub(crate) async fn online(engine: &Engine) -> Result<EngineInfo, SessionError> {
    let mut link = engine.link();
    let settled = link.wait_for(|link| !matches!(link, Link::Connecting));
    let link = match tokio::time::timeout(FIRST_ANSWER, settled).await {
        Ok(Ok(link)) => link.clone(),
        _ => Link::Connecting,
    };
    match link {
        Link::Online(info) => Ok(info),
        Link::Offline(offline) => {
            let why = sentence(&offline.message);
            Err(unreachable(engine.name(), &why, &advice(&offline.hint)))
        }
        Link::Connecting => Err(unreachable(
            engine.name(),
            "It does not answer.",
            "Check that Docker runs: docker info",
        )),
    }
}

/// The engine cannot be reached.
pub(crate) fn unreachable(engine: &str, why: &str, hint: &str) -> SessionError {
    let message = format!("The engine `{engine}` cannot be reached. {why}");
    SessionError::new(ErrorKind::EngineUnreachable, message, hint)
}
