//! What an engine says about a container.

use std::collections::BTreeMap;

use bollard::models;
use jiff::Timestamp;

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
    /// When the last run ended.
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
        let ended = state.running != Some(true) && state.finished_at.is_some();
        let finished_at = time(state.finished_at.as_deref());
        Some(Self {
            id: inspect.id.filter(|id| !id.is_empty())?,
            name: inspect
                .name
                .unwrap_or_default()
                .trim_start_matches('/')
                .to_owned(),
            image: config.image.unwrap_or_default(),
            image_id: inspect.image.unwrap_or_default(),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            state: state.status.and_then(container_state)?,
            exit_code: state.exit_code.filter(|_| ended && finished_at.is_some()),
            oom_killed: state.oom_killed.unwrap_or(false),
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

fn mount(point: models::MountPoint) -> Option<(String, String)> {
    let source = point
        .name
        .filter(|name| !name.is_empty())
        .or(point.source)?;
    Some((source, point.destination?))
}

fn container_state(status: models::ContainerStateStatusEnum) -> Option<ContainerState> {
    use models::ContainerStateStatusEnum as Status;
    match status {
        Status::CREATED => Some(ContainerState::Created),
        // "stopping" is newer engines' word for a process that still runs.
        Status::RUNNING | Status::STOPPING => Some(ContainerState::Running),
        Status::PAUSED => Some(ContainerState::Paused),
        Status::RESTARTING => Some(ContainerState::Restarting),
        Status::REMOVING => Some(ContainerState::Removing),
        Status::EXITED => Some(ContainerState::Exited),
        Status::DEAD => Some(ContainerState::Dead),
        Status::EMPTY => None,
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
