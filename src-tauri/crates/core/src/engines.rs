//! Which engine sessions live on, and the supervisor that goes into their containers.

use mizzen_contexts::{SelectError, SelectionEnv};
use mizzen_docker::{Engine, EngineEvent, EngineOptions, Link};
use mizzen_sessions::SupervisorFiles;
use mizzen_tasks::Owner;
use tokio::sync::{mpsc, watch};

use crate::translate::EngineIdentity;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{EngineState, EngineView};
use crate::world::CoreConfig;

/// The selected engine with its task, or why there is none.
pub(crate) enum Selection {
    Engine {
        identity: EngineIdentity,
        engine: Engine,
        events: mpsc::Receiver<EngineEvent>,
    },
    None {
        view: EngineView,
    },
}

/// What is to be shown of engines.
pub(crate) enum EngineSource {
    Link(EngineIdentity, watch::Receiver<Link>),
    /// There is none to follow.
    Fixed(EngineView),
}

/// An engine with what it tells, as sessions take it over.
pub(crate) type EngineParts = (Engine, mpsc::Receiver<EngineEvent>);

/// Selects an engine as the Docker CLI would, and starts its task. It sees containers with `label`.
pub(crate) fn select(config: &CoreConfig, owner: &Owner, label: (String, String)) -> Selection {
    match selected(config) {
        Ok(identity) => {
            let (engine, events) = spawn(owner, &identity, label);
            Selection::Engine {
                identity,
                engine,
                events,
            }
        }
        Err(error) => Selection::None {
            view: unselected(&error, (config.clock)()),
        },
    }
}

impl Selection {
    /// The engine or why there is none, what to show of it, and what sessions take over.
    pub(crate) fn parts(self) -> (Result<Engine, ApiError>, EngineSource, Vec<EngineParts>) {
        match self {
            Self::Engine {
                identity,
                engine,
                events,
            } => {
                let shown = EngineSource::Link(identity, engine.link());
                (Ok(engine.clone()), shown, vec![(engine, events)])
            }
            Self::None { view } => {
                let message = view.reason.as_deref().unwrap_or_default();
                let hint = view.hint.as_deref().unwrap_or_default();
                let error = ApiError::new(ErrorCode::EngineUnreachable, message, hint);
                (Err(error), EngineSource::Fixed(view), Vec::new())
            }
        }
    }
}

pub(crate) fn selected(config: &CoreConfig) -> Result<EngineIdentity, SelectError> {
    let home = config.home.clone().unwrap_or_default();
    let env = SelectionEnv::read(home, |name| config.var(name));
    let selected = mizzen_contexts::select(&env)?;
    Ok(EngineIdentity {
        name: selected.name,
        endpoint: selected.endpoint,
        selected_by: selected.selected_by.to_string(),
    })
}

pub(crate) fn spawn(
    owner: &Owner,
    identity: &EngineIdentity,
    label: (String, String),
) -> EngineParts {
    let options = EngineOptions {
        label,
        now: jiff::Timestamp::now,
    };
    Engine::spawn(owner, &identity.name, identity.endpoint.clone(), options)
}

/// What clients see where no engine could be selected.
fn unselected(error: &SelectError, now: jiff::Timestamp) -> EngineView {
    EngineView {
        name: "none".to_owned(),
        endpoint: String::new(),
        selected_by: String::new(),
        state: EngineState::Offline,
        since: now.to_string(),
        version: None,
        reason: Some(error.to_string()),
        hint: Some(error.hint().to_owned()),
        cpus: None,
        memory_bytes: None,
    }
}

/// Where the static supervisors should lie: what `MIZZEN_SUPERVISOR` names, else beside this program.
pub(crate) fn supervisors(config: &CoreConfig) -> SupervisorFiles {
    let beside_us = || config.program_dir.clone().unwrap_or_else(|| ".".into());
    let named = config.var("MIZZEN_SUPERVISOR");
    named.map_or_else(
        || SupervisorFiles::Folder(beside_us()),
        |file| SupervisorFiles::One(file.into()),
    )
}
