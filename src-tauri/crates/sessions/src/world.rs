//! What all actors share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use mizzen_docker::{Engine, EngineInfo, Link};
use tokio::sync::{Mutex, broadcast, watch};

use crate::error::{ErrorKind, SessionError, advice, sentence};
use crate::fact::{Facts, Notice, SessionFact};
use crate::folder::OffLimits;
use crate::identity::Identity;
use crate::image::{Recipe, Supervisor};
use crate::limits::SessionSettings;
use crate::machine::Phase;
use crate::registry::Registry;
use crate::sessions::{Clock, StepHook};
use crate::slots::Slots;

/// How long a first answer of an engine is waited for.
const FIRST_ANSWER: std::time::Duration = std::time::Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) registry: Registry,
    /// In order of preference: the first serves requests that name none.
    pub(crate) engines: Vec<Engine>,
    pub(crate) settings: watch::Receiver<SessionSettings>,
    pub(crate) supervisor_path: PathBuf,
    pub(crate) supervisor: OnceLock<Supervisor>,
    pub(crate) recipe: OnceLock<Recipe>,
    pub(crate) authorities: Vec<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) state_dir: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) at_step: Option<StepHook>,
    pub(crate) slots: Slots,
    pub(crate) facts: watch::Sender<Arc<Facts>>,
    pub(crate) notices: broadcast::Sender<Notice>,
    /// One image build at a time: others wait for it and find its result.
    pub(crate) building: Mutex<()>,
    /// One writer of a project's list of containers.
    pub(crate) listing: Mutex<()>,
}

impl World {
    /// The engine of this name, else the preferred one.
    pub(crate) fn engine(&self, name: Option<&str>) -> Result<&Engine, SessionError> {
        let found = match name {
            Some(name) => self.engines.iter().find(|engine| engine.name() == name),
            None => self.engines.first(),
        };
        found.ok_or_else(|| {
            let shown = name.unwrap_or("default");
            let message = format!("No engine `{shown}` is in use.");
            SessionError::new(ErrorKind::NotFound, message, "See `docker context ls`.")
        })
    }

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

    /// The recipe of Mizzen's own image; read once, since hashing it takes a while.
    pub(crate) fn recipe(&self) -> Result<Recipe, SessionError> {
        let gather = || Ok(Recipe::gather(self.supervisor()?, &self.authorities)?);
        let recipe = once(&self.recipe, gather);
        recipe.map_err(|error: SessionError| error.in_phase(Phase::Image))
    }

    /// The supervisor for containers; read once.
    pub(crate) fn supervisor(&self) -> Result<Supervisor, SessionError> {
        let read = || Supervisor::read(&self.supervisor_path);
        once(&self.supervisor, read).map_err(|error| {
            let message = format!("The supervisor for containers is missing: {error}.");
            let hint = "Reinstall Mizzen, or build it with `cargo xtask supervisor`";
            SessionError::new(ErrorKind::Failed, message, hint)
        })
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

/// The value, made at its first use; a failure is tried again at the next.
fn once<T: Clone, E>(kept: &OnceLock<T>, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    match kept.get() {
        Some(value) => Ok(value.clone()),
        None => Ok(kept
            .get_or_init({
                let value = make()?;
                || value
            })
            .clone()),
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
