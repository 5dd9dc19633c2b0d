//! The engines in use: the selected one, each that a remembered session lives on, and each that somebody named.
//!
//! One task each, begun when it is first needed and never twice. Nobody waits here for an engine to answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mizzen_docker::{
    Endpoint, Engine, EngineEvent, EngineOptions, Link, NoPlace, Place, SshClient,
};
use mizzen_tasks::Owner;
use tokio::sync::{mpsc, watch};

use crate::error::SessionError;

/// Says where the engine of a name listens now, or why it cannot be used. It must be quick.
pub type FindEngine = Arc<dyn Fn(&str) -> Result<Endpoint, SessionError> + Send + Sync>;

/// Says which engine serves now what names none, or why there is none that could. It must be quick.
pub type SelectEngine = Arc<dyn Fn() -> Result<String, SessionError> + Send + Sync>;

/// Which engines there may be.
pub struct EngineSource {
    /// Asked each time: a person may select another one meanwhile.
    pub selected: SelectEngine,
    /// Finds all of them, the selected one too.
    pub find: FindEngine,
    /// How ssh is run, for those behind it.
    pub ssh: SshClient,
}

/// An engine in use.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineFact {
    /// Where it was last looked for.
    pub endpoint: Endpoint,
    /// Whether it answers.
    pub link: Link,
}

/// All engines in use by name.
pub type EngineFacts = BTreeMap<String, EngineFact>;

/// What an engine tells.
pub(crate) type Events = mpsc::Receiver<EngineEvent>;

/// The one owner of the engines in use.
pub(crate) struct Engines {
    owner: Owner,
    label: (String, String),
    source: EngineSource,
    /// A std lock: held for a map operation and the start of a task, never across an await.
    in_use: Mutex<BTreeMap<String, Engine>>,
    facts: Arc<watch::Sender<Arc<EngineFacts>>>,
}

impl Engines {
    /// Uses none yet. All of them see containers with `label`.
    pub(crate) fn new(owner: &Owner, label: (String, String), source: EngineSource) -> Self {
        Self {
            owner: owner.child("engines"),
            label,
            source,
            in_use: Mutex::default(),
            facts: Arc::new(watch::Sender::new(Arc::default())),
        }
    }

    /// The name that is meant: the selected engine's when none is given.
    pub(crate) fn meant(&self, name: Option<&str>) -> Result<String, SessionError> {
        name.map_or_else(|| (self.source.selected)(), |name| Ok(name.to_owned()))
    }

    /// Where the engine of this name listens now, or why it cannot be used.
    pub(crate) fn find(&self, name: &str) -> Result<Endpoint, SessionError> {
        (self.source.find)(name)
    }

    /// The engine of this name, if it is in use.
    pub(crate) fn in_use(&self, name: &str) -> Option<Engine> {
        self.lock().get(name).cloned()
    }

    /// The engine of this name, put to use where it was not: then with what it tells, for the caller to follow.
    pub(crate) fn engage(&self, name: &str) -> Result<(Engine, Option<Events>), SessionError> {
        let mut in_use = self.lock();
        if let Some(engine) = in_use.get(name) {
            return Ok((engine.clone(), None));
        }
        let endpoint = self.find(name)?;
        let mut options = EngineOptions::new(self.label.clone()).found_at(self.place(name));
        options.ssh = self.source.ssh.clone();
        let (engine, events) = Engine::spawn(&self.owner, name, endpoint, options);
        self.publish(&engine);
        in_use.insert(name.to_owned(), engine.clone());
        Ok((engine, Some(events)))
    }

    /// Every engine in use, now and as they change.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<EngineFacts>> {
        self.facts.subscribe()
    }

    fn place(&self, name: &str) -> Place {
        let (find, name) = (self.source.find.clone(), name.to_owned());
        Place::new(move || {
            find(&name).map_err(|error| NoPlace {
                message: error.message,
                hint: error.hint,
            })
        })
    }

    /// Publishes how an engine stands for as long as it is in use.
    fn publish(&self, engine: &Engine) {
        let (facts, engine) = (self.facts.clone(), engine.clone());
        let mut link = engine.link();
        note(&facts, &engine, link.borrow_and_update().clone());
        self.owner
            .spawn(&format!("link:{}", engine.name()), async move {
                while link.changed().await.is_ok() {
                    let now = link.borrow_and_update().clone();
                    note(&facts, &engine, now);
                }
            });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Engine>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(facts: &watch::Sender<Arc<EngineFacts>>, engine: &Engine, link: Link) {
    let fact = EngineFact {
        endpoint: engine.endpoint(),
        link,
    };
    facts.send_modify(|facts| {
        Arc::make_mut(facts).insert(engine.name().to_owned(), fact);
    });
}
