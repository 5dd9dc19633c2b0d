//! What an engine says about a container.

use std::collections::{BTreeMap, HashMap};

use bollard::models;
use jiff::Timestamp;

use crate::oom;

/// Labels kept of a container; anyone may give it any number.
const LABELS_CAP: usize = 256;

/// Longest value of a label that is kept.
const LABEL_CAP: usize = 4096;

/// Namespace of our own labels.
const OUR_LABELS: &str = "dev.mizzen.";

/// State of a container in the engine's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, never started.
    Created,
    /// Its first process runs.
    Running,
    /// Frozen.
    Paused,
    /// Died, and the engine starts it again.
    Restarting,
    /// Being removed.
    Removing,
    /// Its first process has ended.
    Exited,
    /// The engine could not remove it.
    Dead,
}

/// What the image's own health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// No check, or none has run yet.
    None,
    /// Within its start period.
    Starting,
    /// The last check passed.
    Healthy,
    /// Several checks in a row failed.
    Unhealthy,
}

impl Health {
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "starting" => Self::Starting,
            "healthy" => Self::Healthy,
            "unhealthy" => Self::Unhealthy,
            _ => Self::None,
        }
    }
}

/// One container as its engine knows it; all times are by the engine's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerFact {
    /// Full id, 64 hexadecimal digits.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// Image as it was asked for.
    pub image: String,
    /// Id of the image it was made from.
    pub image_id: String,
    /// Labels of the container and its image.
    pub labels: BTreeMap<String, String>,
    /// State.
    pub state: ContainerState,
    /// Exit code of the last run, when it has ended.
    pub exit_code: Option<i64>,
    /// Whether the last run ended for want of memory.
    pub oom_killed: bool,
    /// The engine's words about a start that failed.
    pub error: Option<String>,
    /// Health.
    pub health: Health,
    /// Whether a terminal is attached to its first process.
    pub tty: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When the last run ended; none while one is under way.
    pub finished_at: Option<Timestamp>,
    /// Folders and volumes in it: (source or volume name, target).
    pub mounts: Vec<(String, String)>,
    /// Names of its networks.
    pub networks: Vec<String>,
    /// Memory limit; none means unlimited.
    pub memory_limit_bytes: Option<u64>,
}

impl ContainerFact {
    /// Whether its first process exists, frozen or not.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, ContainerState::Running | ContainerState::Paused)
    }

    /// Reads an inspect answer; none when it names no container or no state.
    pub(crate) fn from_inspect(inspect: models::ContainerInspectResponse) -> Option<Self> {
        let state = inspect.state.unwrap_or_default();
        let config = inspect.config.unwrap_or_default();
        let up = state.running == Some(true);
        // While it runs, the engine still shows how the run before ended.
        let finished_at = time(state.finished_at.as_deref()).filter(|_| !up);
        let exit_code = state.exit_code.filter(|_| finished_at.is_some());
        Some(Self {
            id: inspect.id.filter(|id| !id.is_empty())?,
            name: inspect
                .name
                .unwrap_or_default()
                .trim_start_matches('/')
                .to_owned(),
            image: config.image.unwrap_or_default(),
            image_id: inspect.image.unwrap_or_default(),
            labels: capped(config.labels.unwrap_or_default()),
            state: state_named(state.status?.as_ref())?,
            exit_code,
            oom_killed: oom::by_flag(state.oom_killed.unwrap_or(false), exit_code),
            error: state.error.filter(|text| !text.is_empty()),
            health: health(state.health.and_then(|health| health.status)),
            tty: config.tty.unwrap_or(false),
            created_at: time(inspect.created.as_deref()),
            started_at: time(state.started_at.as_deref()),
            finished_at,
            mounts: inspect
                .mounts
                .unwrap_or_default()
                .into_iter()
                .filter_map(mount)
                .collect(),
            networks: inspect
                .network_settings
                .and_then(|settings| settings.networks)
                .map(|networks| networks.into_keys().collect())
                .unwrap_or_default(),
            memory_limit_bytes: inspect
                .host_config
                .and_then(|host| host.memory)
                .and_then(|bytes| u64::try_from(bytes).ok())
                .filter(|bytes| *bytes > 0),
        })
    }
}

impl ContainerFact {
    /// Reads a row of a list, which knows little more than the state.
    pub(crate) fn from_row(row: models::ContainerSummary) -> Option<Self> {
        let name = row
            .names
            .unwrap_or_default()
            .into_iter()
            .next()
            .unwrap_or_default();
        Some(Self {
            id: row.id.filter(|id| !id.is_empty())?,
            name: name.trim_start_matches('/').to_owned(),
            image: row.image.unwrap_or_default(),
            image_id: row.image_id.unwrap_or_default(),
            labels: capped(row.labels.unwrap_or_default()),
            state: state_named(row.state?.as_ref())?,
            exit_code: None,
            oom_killed: false,
            error: None,
            health: Health::None,
            tty: false,
            created_at: None,
            started_at: None,
            finished_at: None,
            mounts: Vec::new(),
            networks: Vec::new(),
            memory_limit_bytes: None,
        })
    }
}

/// Keeps a bounded number of labels, and our own before all others.
fn capped(labels: HashMap<String, String>) -> BTreeMap<String, String> {
    let mut labels: Vec<_> = labels
        .into_iter()
        .filter(|(_, v)| v.len() <= LABEL_CAP)
        .collect();
    labels.sort_by_cached_key(|(key, _)| (!key.starts_with(OUR_LABELS), key.clone()));
    labels.truncate(LABELS_CAP);
    labels.into_iter().collect()
}

fn mount(point: models::MountPoint) -> Option<(String, String)> {
    let source = point
        .name
        .filter(|name| !name.is_empty())
        .or(point.source)?;
    Some((source, point.destination?))
}

/// Reads a state in the engine's words.
fn state_named(word: &str) -> Option<ContainerState> {
    match word {
        "created" => Some(ContainerState::Created),
        // "stopping" is newer engines' word for a process that still runs.
        "running" | "stopping" => Some(ContainerState::Running),
        "paused" => Some(ContainerState::Paused),
        "restarting" => Some(ContainerState::Restarting),
        "removing" => Some(ContainerState::Removing),
        "exited" => Some(ContainerState::Exited),
        "dead" => Some(ContainerState::Dead),
        _ => None,
    }
}

fn health(status: Option<models::HealthStatusEnum>) -> Health {
    status.map_or(Health::None, |status| Health::parse(status.as_ref()))
}

/// Reads a time of the engine; its zero time means "never".
pub(crate) fn time(text: Option<&str>) -> Option<Timestamp> {
    text?
        .parse::<Timestamp>()
        .ok()
        .filter(|time| time.as_second() > 0)
}
