//! Which engine sessions live on, and the supervisor that goes into their containers.

use std::path::{Path, PathBuf};

use mizzen_contexts::{SelectError, SelectionEnv, select};
use mizzen_docker::{Engine, EngineEvent, EngineOptions};
use mizzen_tasks::Owner;
use tokio::sync::mpsc;

use crate::translate::EngineIdentity;
use crate::view::{EngineState, EngineView};
use crate::world::CoreConfig;

/// Label that every container of Mizzen wears.
const LABEL: (&str, &str) = ("dev.mizzen.app", "mizzen");

/// Selects the engine as the Docker CLI would.
pub(crate) fn selected(config: &CoreConfig) -> Result<EngineIdentity, SelectError> {
    let home = config.home.clone().unwrap_or_default();
    let selected = select(&SelectionEnv::read(home, |name| config.var(name)))?;
    Ok(EngineIdentity {
        name: selected.name,
        endpoint: selected.endpoint,
        selected_by: selected.selected_by.to_string(),
    })
}

/// Starts the engine's task.
pub(crate) fn spawn(
    owner: &Owner,
    identity: &EngineIdentity,
) -> (Engine, mpsc::Receiver<EngineEvent>) {
    let label = (LABEL.0.to_owned(), LABEL.1.to_owned());
    let options = EngineOptions {
        label,
        now: jiff::Timestamp::now,
    };
    Engine::spawn(owner, &identity.name, identity.endpoint.clone(), options)
}

/// What clients see where no engine could be selected.
pub(crate) fn unselected(error: &SelectError, now: jiff::Timestamp) -> EngineView {
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

/// Where the static supervisor for an engine's architecture should lie: `MIZZEN_SUPERVISOR`, else
/// beside this program.
pub(crate) fn supervisor(config: &CoreConfig) -> PathBuf {
    config.var("MIZZEN_SUPERVISOR").map_or_else(
        || {
            let folder = config.program_dir.as_deref().unwrap_or(Path::new("."));
            folder.join("mizzen-supervisor-linux-amd64")
        },
        PathBuf::from,
    )
}
