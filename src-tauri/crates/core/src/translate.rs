//! Domain facts into view types: the wall between the two.

pub(crate) mod commands;

use mizzen_docker::{Endpoint, Link};
use mizzen_sessions::{
    self as domain, CodeServer, EngineFact, ErrorKind, PhaseFact, PhaseReport, SessionError,
    SessionFact, Unmanaged,
};

use crate::attention::attention;
use crate::engines::Choice;
use crate::verb::{ApiError, ErrorCode};
use crate::view::{
    EngineState, EngineView, Freshness, LimitsView, Phase, PhaseState, PhaseView, ProgressView,
    SessionState, SessionView, SyncState, SyncView, UnmanagedView, VerbProgress, WorkspaceKind,
};

/// What a session's view needs beside its fact.
pub(crate) struct Beside<'a> {
    /// The view as it was.
    pub(crate) previous: Option<&'a SessionView>,
    /// code-server's address, if it [`answers`].
    pub(crate) url: Option<String>,
    /// What it uses, if somebody looks.
    pub(crate) usage: Option<Usage>,
    /// How its workspace stands, while it is kept in step.
    pub(crate) sync: Option<&'a SyncView>,
    /// Now.
    pub(crate) now: jiff::Timestamp,
}

/// What a container uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_percent: f64,
    pub(crate) memory_bytes: u64,
    pub(crate) pids: u64,
    /// In use and free on the workspace's file system, by the container's own word.
    pub(crate) disk: Option<(u64, u64)>,
}

/// Whether a session's code-server answers.
pub(crate) fn answers(fact: &SessionFact) -> bool {
    fact.state == domain::State::Running && fact.code_server == CodeServer::Running
}

pub(crate) fn session(fact: &SessionFact, beside: &Beside<'_>) -> SessionView {
    let disk = beside.usage.and_then(|usage| usage.disk);
    SessionView {
        name: fact.name.to_string(),
        project: fact.project.display().to_string(),
        engine: fact.engine.clone(),
        state: state(fact.state),
        out_of_reach: fact.out_of_reach,
        reason: fact.reason.as_ref().map(|reason| reason.message.clone()),
        hint: fact.reason.as_ref().map(|reason| reason.hint.clone()),
        attention: attention(
            fact,
            beside.previous.map(|view| &view.attention),
            beside.now,
        ),
        health: health(fact.health).to_owned(),
        phase: fact.report.phase.clone(),
        progress: progress(fact),
        phases: fact.phases.iter().map(phase_view).collect(),
        services: fact.report.services.clone(),
        errors: fact.report.errors.clone(),
        warnings: fact.report.warnings.clone(),
        freshness: freshness(fact.freshness),
        clock_ahead: fact.clock_ahead,
        workspace: workspace(fact.workspace),
        branch: fact.branch.clone(),
        only_there: fact.only_there.clone(),
        sync: sync(fact, beside.sync),
        commands: commands::newest(fact),
        image: fact.image.clone(),
        container_id: fact.container_id.clone(),
        url: beside.url.clone(),
        limits: LimitsView {
            memory_bytes: fact.limits.memory_bytes,
            cpus: fact.limits.cpus,
            pids: fact.limits.pids,
        },
        cpu_percent: beside.usage.map(|usage| usage.cpu_percent),
        memory_bytes: beside.usage.map(|usage| usage.memory_bytes),
        pids: beside.usage.map(|usage| usage.pids),
        disk_bytes: disk.map(|(used, _)| used),
        disk_free_bytes: disk.map(|(_, free)| free),
        created_at: fact.created_at.to_string(),
        started_at: fact.started_at.map(|at| at.to_string()),
    }
}

pub(crate) fn state(state: domain::State) -> SessionState {
    match state {
        domain::State::Creating => SessionState::Creating,
        domain::State::Starting => SessionState::Starting,
        domain::State::Running => SessionState::Running,
        domain::State::Pausing => SessionState::Pausing,
        domain::State::Paused => SessionState::Paused,
        domain::State::Resuming => SessionState::Resuming,
        domain::State::Stopping => SessionState::Stopping,
        domain::State::Stopped => SessionState::Stopped,
        domain::State::Removing => SessionState::Removing,
        domain::State::Failed => SessionState::Failed,
        domain::State::Lost => SessionState::Lost,
    }
}

fn workspace(kind: domain::WorkspaceKind) -> WorkspaceKind {
    match kind {
        domain::WorkspaceKind::Bind => WorkspaceKind::Bind,
        domain::WorkspaceKind::Sync => WorkspaceKind::Sync,
        domain::WorkspaceKind::Mirror => WorkspaceKind::Mirror,
    }
}

pub(crate) fn workspace_wished(kind: WorkspaceKind) -> domain::WorkspaceKind {
    match kind {
        WorkspaceKind::Bind => domain::WorkspaceKind::Bind,
        WorkspaceKind::Sync => domain::WorkspaceKind::Sync,
        WorkspaceKind::Mirror => domain::WorkspaceKind::Mirror,
    }
}

fn sync(fact: &SessionFact, kept: Option<&SyncView>) -> Option<SyncView> {
    let offline = || SyncView::of(SyncState::Offline);
    fact.workspace
        .has_volume()
        .then(|| kept.cloned().unwrap_or_else(offline))
}

fn health(health: domain::Health) -> &'static str {
    match health {
        domain::Health::Unknown => "unknown",
        domain::Health::Starting => "starting",
        domain::Health::Healthy => "healthy",
        domain::Health::Degraded => "degraded",
        domain::Health::Unhealthy => "unhealthy",
    }
}

fn freshness(freshness: domain::Freshness) -> Freshness {
    match freshness {
        domain::Freshness::None => Freshness::None,
        domain::Freshness::Fresh => Freshness::Fresh,
        domain::Freshness::Stale => Freshness::Stale,
        domain::Freshness::Lost => Freshness::Lost,
    }
}

fn phase(phase: domain::Phase) -> Phase {
    match phase {
        domain::Phase::Check => Phase::Check,
        domain::Phase::Image => Phase::Image,
        domain::Phase::Container => Phase::Container,
        domain::Phase::Supervisor => Phase::Supervisor,
        domain::Phase::Workspace => Phase::Workspace,
        domain::Phase::Sync => Phase::Sync,
        domain::Phase::Git => Phase::Git,
        domain::Phase::CodeServer => Phase::CodeServer,
        domain::Phase::Stop => Phase::Stop,
        domain::Phase::Remove => Phase::Remove,
    }
}

fn phase_state(state: domain::PhaseState) -> PhaseState {
    match state {
        domain::PhaseState::Active => PhaseState::Active,
        domain::PhaseState::Done => PhaseState::Done,
        domain::PhaseState::Failed => PhaseState::Failed,
    }
}

fn phase_view(fact: &PhaseFact) -> PhaseView {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    PhaseView {
        phase: phase(fact.phase),
        state: phase_state(fact.state),
        duration_ms: fact.duration.map(millis),
        message: fact.message.clone(),
    }
}

/// Phases of a start, in order: what the progress of the verb under way is counted in.
const START: [domain::Phase; 8] = [
    domain::Phase::Check,
    domain::Phase::Image,
    domain::Phase::Container,
    domain::Phase::Supervisor,
    domain::Phase::Workspace,
    domain::Phase::Sync,
    domain::Phase::Git,
    domain::Phase::CodeServer,
];

/// Those that only a synced workspace goes through.
const OF_SYNCED: [domain::Phase; 2] = [domain::Phase::Sync, domain::Phase::Git];

/// Progress of the verb under way, else the container's own.
fn progress(fact: &SessionFact) -> Option<ProgressView> {
    let active = fact
        .phases
        .iter()
        .find(|one| one.state == domain::PhaseState::Active);
    if let Some(active) = active {
        let is_synced = fact.workspace.has_volume();
        let start = || {
            START
                .iter()
                .filter(|one| is_synced || !OF_SYNCED.contains(one))
        };
        let step = start().position(|one| *one == active.phase);
        // A start is counted in its phases; a stop or removal is one step of one.
        let (current, total) = step.map_or((0, 1), |step| (step, start().count()));
        let (current, total) = (small(current), small(total));
        return Some(ProgressView {
            current,
            total,
            message: active.message.clone(),
        });
    }
    let own = fact.report.progress.as_ref()?;
    Some(ProgressView {
        current: own.current,
        total: own.total,
        message: own.message.clone(),
    })
}

fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

pub(crate) fn verb_progress(
    verb_id: u64,
    session: Option<String>,
    report: &PhaseReport,
) -> VerbProgress {
    VerbProgress {
        verb_id,
        session,
        phase: phase(report.phase),
        state: phase_state(report.state),
        message: report.message.clone(),
    }
}

pub(crate) fn unmanaged(fact: &Unmanaged) -> UnmanagedView {
    UnmanagedView {
        engine: fact.engine.clone(),
        container_id: fact.container_id.clone(),
        name: fact.name.clone(),
        session: fact.session.clone(),
        reason: fact.reason.clone(),
    }
}

pub(crate) fn error(error: &SessionError) -> ApiError {
    let code = match error.kind {
        ErrorKind::Usage => ErrorCode::Usage,
        ErrorKind::NotFound => ErrorCode::NotFound,
        ErrorKind::Limit => ErrorCode::Limit,
        ErrorKind::State => ErrorCode::State,
        ErrorKind::Policy => ErrorCode::Policy,
        ErrorKind::EngineUnreachable => ErrorCode::EngineUnreachable,
        ErrorKind::Failed => ErrorCode::Failed,
        ErrorKind::ShuttingDown => ErrorCode::CoreUnreachable,
    };
    ApiError::new(code, &error.message, &error.hint)
}

/// An engine and how it was chosen.
#[derive(Clone, Debug)]
pub(crate) struct EngineIdentity {
    pub(crate) name: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) selected_by: String,
}

pub(crate) fn engine(
    name: &str,
    fact: &EngineFact,
    choice: Option<&Choice>,
    previous: Option<&EngineView>,
    now: jiff::Timestamp,
) -> EngineView {
    let (state, info, offline) = match &fact.link {
        Link::Connecting => (EngineState::Connecting, None, None),
        Link::Online(info) => (EngineState::Online, Some(info), None),
        Link::Offline(offline) => (EngineState::Offline, None, Some(offline)),
    };
    let unchanged = previous
        .filter(|view| view.state == state)
        .map(|view| view.since.clone());
    let since = offline
        .map(|offline| offline.since.to_string())
        .or(unchanged);
    EngineView {
        name: name.to_owned(),
        endpoint: fact.endpoint.to_string(),
        selected_by: choice.map_or_else(String::new, |choice| choice.selected_by.clone()),
        beats: choice.map_or_else(Vec::new, |choice| choice.beats.clone()),
        state,
        since: since.unwrap_or_else(|| now.to_string()),
        version: info.map(|info| info.version.clone()),
        reason: offline.map(|offline| offline.message.clone()),
        hint: offline.map(|offline| offline.hint.clone()),
        cpus: info.map(|info| info.cpus),
        memory_bytes: info.map(|info| info.memory_bytes),
        warnings: info.map_or_else(Vec::new, |info| info.warnings.clone()),
    }
}
