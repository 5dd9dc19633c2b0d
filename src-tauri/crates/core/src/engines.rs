//! Which engines sessions live on, and the supervisor that goes into their containers.

use std::sync::Arc;

use mizzen_contexts::{SelectError, Selected, SelectionEnv};
use mizzen_docker::{Engine, EngineEvent, EngineOptions, SshClient};
use mizzen_sessions::{EngineSource, ErrorKind, SessionError, SupervisorFiles};
use mizzen_status::sanitise;
use mizzen_tasks::Owner;
use tokio::sync::mpsc;

use crate::settings;
use crate::translate::EngineIdentity;
use crate::view::{BeatenChoice, EngineChoice, EngineState, EngineView};
use crate::world::CoreConfig;

/// What stands in for an engine where none could be selected; it has no address.
pub(crate) const NONE: &str = "none";
/// Longest choice that is shown.
const CHOICE_CAP: usize = 256;

/// The engine that serves what names none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) name: String,
    /// What decided on it.
    pub(crate) selected_by: String,
    pub(crate) beats: Vec<BeatenChoice>,
}

/// That, or what to show instead.
pub(crate) type Chosen = Result<Choice, Box<EngineView>>;

/// Says so as it stands now: a person may choose another one at any time.
pub(crate) type Choose = Box<dyn Fn() -> Chosen + Send + Sync>;

/// Where the core finds engines, the selected one as the Docker CLI would select it.
pub(crate) fn source(config: &CoreConfig) -> EngineSource {
    let (finds, selects) = (config.clone(), config.clone());
    EngineSource {
        ssh: ssh(config),
        selected: Arc::new(move || {
            let selected = selected(&selects).map(|identity| identity.name);
            selected.map_err(|error| unusable(&error, ErrorKind::EngineUnreachable))
        }),
        find: Arc::new(move |name| {
            let found = named(&finds, Some(name)).map(|selected| selected.endpoint);
            found.map_err(|error| unusable(&error, ErrorKind::NotFound))
        }),
    }
}

/// What decides on the engine that serves what names none.
pub(crate) fn choose(config: &CoreConfig) -> Choose {
    let config = config.clone();
    Box::new(move || match named(&config, None) {
        Ok(selected) => Ok(choice(&config, selected)),
        Err(error) => Err(Box::new(unselected(&error, (config.clock)()))),
    })
}

fn choice(config: &CoreConfig, selected: Selected) -> Choice {
    let beaten = mizzen_contexts::beaten(&env(config, None), selected.selected_by);
    let beats = beaten.into_iter().map(|beaten| BeatenChoice {
        by: beaten.by.to_string(),
        says: sanitise(&beaten.says, CHOICE_CAP),
    });
    Choice {
        name: selected.name,
        selected_by: selected.selected_by.to_string(),
        beats: beats.collect(),
    }
}

pub(crate) fn selected(config: &CoreConfig) -> Result<EngineIdentity, SelectError> {
    let selected = named(config, None)?;
    Ok(EngineIdentity {
        name: selected.name,
        endpoint: selected.endpoint,
        selected_by: selected.selected_by.to_string(),
    })
}

/// Every context of the store and `default`, as they stand in the store.
pub(crate) fn choices(config: &CoreConfig) -> Result<Vec<EngineChoice>, SelectError> {
    let selected = named(config, None).ok();
    let selected = selected.map(|selected| choice(config, selected));
    let names = mizzen_contexts::context_names(&env(config, None))?;
    let choices = names.into_iter().map(|name| {
        let found = named(config, Some(&name));
        let problem = found.as_ref().err();
        let chosen = selected.as_ref().filter(|selected| selected.name == name);
        EngineChoice {
            endpoint: found.as_ref().ok().map(|found| found.endpoint.to_string()),
            exposed: exposed(&found),
            selected_by: chosen.map(|selected| selected.selected_by.clone()),
            beats: chosen.map_or_else(Vec::new, |selected| selected.beats.clone()),
            in_use: false,
            state: None,
            reason: problem.map(ToString::to_string),
            hint: problem.map(|error| error.hint().to_owned()),
            warnings: Vec::new(),
            name,
        }
    });
    Ok(choices.collect())
}

/// The address of an engine that is spoken to in the clear, or would be.
fn exposed(found: &Result<Selected, SelectError>) -> Option<String> {
    match found {
        Ok(found) => found
            .endpoint
            .is_exposed()
            .then(|| found.endpoint.to_string()),
        Err(SelectError::PlainRemote { address, .. }) => Some(address.clone()),
        Err(_) => None,
    }
}

/// The engine of a context, the selected one without.
pub(crate) fn named(config: &CoreConfig, context: Option<&str>) -> Result<Selected, SelectError> {
    mizzen_contexts::select(&env(config, context))
}

fn env(config: &CoreConfig, context: Option<&str>) -> SelectionEnv {
    let home = config.home.clone().unwrap_or_default();
    // Read anew each time, like the contexts: what is allowed no longer ends at the next look. A file that makes no sense
    // allows nothing.
    let settings = settings::load(&config.dirs.settings_file()).unwrap_or_default();
    SelectionEnv {
        context: context.map(str::to_owned),
        exposed: settings.exposed_engines,
        ..SelectionEnv::read(home, |name| config.var(name))
    }
}

fn unusable(error: &SelectError, kind: ErrorKind) -> SessionError {
    SessionError {
        kind,
        message: error.to_string(),
        hint: error.hint().to_owned(),
        phase: None,
    }
}

/// How ssh is run: one connection for all streams of an engine, its socket in the runtime directory.
pub(crate) fn ssh(config: &CoreConfig) -> SshClient {
    SshClient {
        control_folder: Some(config.dirs.runtime.clone()),
        ..SshClient::default()
    }
}

/// Starts the task of an engine that is only looked at.
pub(crate) fn spawn(
    owner: &Owner,
    identity: &EngineIdentity,
    label: (String, String),
) -> (Engine, mpsc::Receiver<EngineEvent>) {
    let options = EngineOptions::new(label);
    Engine::spawn(owner, &identity.name, identity.endpoint.clone(), options)
}

/// What clients see where no engine could be selected.
fn unselected(error: &SelectError, now: jiff::Timestamp) -> EngineView {
    EngineView {
        name: NONE.to_owned(),
        endpoint: String::new(),
        selected_by: String::new(),
        beats: Vec::new(),
        state: EngineState::Offline,
        since: now.to_string(),
        version: None,
        reason: Some(error.to_string()),
        hint: Some(error.hint().to_owned()),
        cpus: None,
        memory_bytes: None,
        warnings: Vec::new(),
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
