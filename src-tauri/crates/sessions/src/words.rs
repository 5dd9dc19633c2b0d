//! What is said to a person about sessions; pure.

use std::path::Path;

use mizzen_docker::{ContainerFact, ContainerState, KILLED};
use mizzen_sync_core::sized;

use crate::error::{ErrorKind, SessionError, sentence};
use crate::fact::{NoticeKind, Reason, SessionFact};
use crate::identity::Identity;
use crate::machine::{Cause, Ending, Refusal, Seen, State, Wish};
use crate::name::SessionName;
use crate::record::Record;
use crate::workspace::WorkspaceKind;

/// Exit code of a process that ended at SIGTERM without a handler: asked to, all the same.
const TERMINATED: i64 = 143;

/// What a container's facts mean to its session.
pub(crate) fn seen(fact: &ContainerFact) -> Seen {
    match fact.state {
        ContainerState::Running | ContainerState::Restarting => Seen::Running,
        ContainerState::Paused => Seen::Paused,
        ContainerState::Created => Seen::Made,
        ContainerState::Removing => Seen::Gone,
        ContainerState::Exited | ContainerState::Dead if fact.oom_killed => {
            Seen::Ended(Ending::OutOfMemory)
        }
        ContainerState::Exited | ContainerState::Dead => Seen::Ended(ending(fact.exit_code)),
    }
}

/// What an exit code alone means; none when only a look at the container can tell.
pub(crate) fn told_ending(exit_code: Option<i64>) -> Option<Ending> {
    (exit_code? != KILLED).then(|| ending(exit_code))
}

fn ending(exit_code: Option<i64>) -> Ending {
    match exit_code {
        Some(0 | TERMINATED) | None => Ending::Clean,
        Some(code) => Ending::Code(code),
    }
}

/// Why a session stands where nobody asked it to; `offline` is what the engine's link says.
pub(crate) fn reason(cause: Cause, record: &Record, offline: Option<&Reason>) -> Reason {
    let name = &record.name;
    let (message, hint) = match cause {
        Cause::StoppedOutside => (
            "Its container was stopped outside Mizzen.".to_owned(),
            format!("Start it again: mizzen start {name}"),
        ),
        Cause::OutOfMemory => (
            format!(
                "It ran out of memory; its limit is {}.",
                sized(record.limits.memory_bytes)
            ),
            format!(
                "Give it more: mizzen up {} --name {name} --memory 8g",
                record.project.display()
            ),
        ),
        Cause::Died(code) => (
            format!("Its container ended with exit code {code}."),
            format!("See why: mizzen logs {name}"),
        ),
        Cause::Gone => (
            "Its container was removed outside Mizzen.".to_owned(),
            format!("Make it anew, the project folder is untouched: mizzen start {name}"),
        ),
        Cause::Elsewhere => (
            format!(
                "The name `{}` leads to another engine now. What this session has is on the one that it was made on.",
                record.engine
            ),
            format!(
                "Lead it back there (docker context inspect), or forget the session: mizzen rm --force {name}"
            ),
        ),
        Cause::Unreachable => match offline {
            Some(reason) => return reason.clone(),
            None => (
                format!("The engine `{}` has not answered yet.", record.engine),
                "Check that Docker runs: docker info".to_owned(),
            ),
        },
    };
    Reason { message, hint }
}

/// A session is remembered whose engine cannot be found any more.
pub(crate) fn no_engine(error: &SessionError, name: &SessionName, engine: &str) -> SessionError {
    let message = format!(
        "The engine `{engine}` cannot be used. {}",
        sentence(&error.message)
    );
    let hint = format!(
        "Bring its context back (docker context ls), or forget the session: mizzen rm --force {name}"
    );
    SessionError::new(ErrorKind::NotFound, message, hint)
}

/// Nothing can be asked of a container whose engine is not in use.
pub(crate) fn engine_is_unknown(fact: &SessionFact) -> SessionError {
    let message = format!("The engine `{}` is not in use.", fact.engine);
    let hint = format!("See why: mizzen show {}", fact.name);
    SessionError::new(ErrorKind::NotFound, message, hint)
}

/// What a session leaves behind whose engine could not be asked to remove anything.
pub(crate) fn forgotten(record: &Record) -> String {
    let (name, engine) = (&record.name, &record.engine);
    match &record.container {
        Some(container) => format!(
            "Forgot `{name}`. Its engine `{engine}` was out of reach: if the container `{}` is still there, it stays there, with its network and volumes.",
            container.engine_name(name)
        ),
        None => format!("Forgot `{name}`. It had no container on the engine `{engine}`."),
    }
}

/// Which causes a person is told of at once.
pub(crate) fn notice(cause: Cause) -> Option<NoticeKind> {
    match cause {
        Cause::OutOfMemory => Some(NoticeKind::OutOfMemory),
        Cause::Died(_) => Some(NoticeKind::Died),
        Cause::Gone => Some(NoticeKind::Gone),
        Cause::Elsewhere | Cause::StoppedOutside | Cause::Unreachable => None,
    }
}

/// Why a wish is refused, with what helps.
pub(crate) fn refused(
    refusal: Refusal,
    wish: Wish,
    state: State,
    name: &SessionName,
    why_lost: Option<&Reason>,
) -> SessionError {
    let says = |message: String, hint: String| SessionError::new(ErrorKind::State, message, hint);
    match refusal {
        Refusal::BeingCreated => says(
            format!("Session `{name}` is being created and cannot be stopped yet."),
            format!("Wait for it, or give it up: mizzen rm --force {name}"),
        ),
        Refusal::InUse => says(
            format!(
                "Session `{name}` is {} and is not removed.",
                state_word(state)
            ),
            format!(
                "Stop it first (mizzen stop {name}), or remove it all the same: mizzen rm --force {name}"
            ),
        ),
        Refusal::NotRunning => says(
            format!(
                "Session `{name}` is {} and cannot be {}.",
                state_word(state),
                participle(wish)
            ),
            format!("Start it: mizzen start {name}"),
        ),
        Refusal::BeingRemoved => says(
            format!("Session `{name}` is being removed."),
            "Wait until it is gone, then make it anew with `mizzen up`.".to_owned(),
        ),
        Refusal::EngineUnreachable => {
            let (message, hint) = why_lost.map_or_else(
                || {
                    (
                        "Its engine does not answer.".to_owned(),
                        "Check that Docker runs: docker info".to_owned(),
                    )
                },
                |reason| (reason.message.clone(), reason.hint.clone()),
            );
            let message = format!("Session `{name}` cannot be {}. {message}", participle(wish));
            SessionError::new(ErrorKind::EngineUnreachable, message, hint)
        }
    }
}

/// Why a session takes no commands.
pub(crate) fn no_commands(name: &SessionName, state: State) -> SessionError {
    let message = format!("Session `{name}` is {}.", state_word(state));
    let (kind, hint) = match state {
        State::Lost => (
            ErrorKind::EngineUnreachable,
            "Check that Docker runs: docker info".to_owned(),
        ),
        State::Paused | State::Pausing => {
            (ErrorKind::State, format!("Resume it: mizzen resume {name}"))
        }
        State::Removing => (
            ErrorKind::State,
            "Make it anew with `mizzen up`.".to_owned(),
        ),
        _ => (ErrorKind::State, format!("Start it: mizzen start {name}")),
    };
    SessionError::new(kind, message, hint)
}

/// What came of a wish, in one sentence.
pub(crate) fn done(wish: Wish, name: &SessionName, before: State) -> String {
    let already = match (wish, before) {
        (Wish::Start | Wish::Resume, State::Running)
        | (Wish::Stop, State::Stopped | State::Failed) => "already ",
        (Wish::Pause, State::Paused) => "already ",
        _ => "",
    };
    let now = match wish {
        Wish::Start | Wish::Resume | Wish::Restart => "running",
        Wish::Stop => "stopped",
        Wish::Pause => "paused",
        Wish::Remove { .. } => "removed",
    };
    format!("Session `{name}` is {already}{now}.")
}

/// What is known of a volume whose container has ended and did not say how.
pub(crate) fn only_there_unless_told(kind: WorkspaceKind) -> Option<String> {
    let words = "Its container ended before all that was written there was brought here.";
    kind.has_volume().then(|| words.to_owned())
}

/// A session is not removed with its volumes before a person has agreed to what goes with them.
pub(crate) fn would_lose(name: &SessionName, only_there: &str) -> SessionError {
    let message = format!(
        "The volume of session `{name}` may hold work that is nowhere else, and is not removed. {only_there}"
    );
    let hint = format!(
        "Start the session and see to that (mizzen start {name}, mizzen sync status {name}), keep the volume \
         (mizzen rm {name}), or lose it: mizzen rm --volumes --force {name}"
    );
    SessionError::new(ErrorKind::Policy, message, hint)
}

/// That a session is gone, and what it leaves.
pub(crate) fn removed(
    wish: Wish,
    record: &Record,
    owner: &Identity,
    archived: Option<&Path>,
) -> String {
    let archived = archived.map_or_else(String::new, |at| {
        format!(" Its last report and its logs are in `{}`.", at.display())
    });
    let done = done(wish, &record.name, State::Removing) + &archived;
    if matches!(wish, Wish::Remove { volumes: true, .. }) {
        return match &record.only_there {
            Some(only_there) => {
                format!("{done} What its volume alone held went with it. {only_there}")
            }
            None => done,
        };
    }
    match record.workspace_volume(owner) {
        Some(volume) => format!(
            "{done} Its workspace stays in the volume `{volume}`: `mizzen up` in the folder uses it again, \
             `docker volume rm` removes it."
        ),
        None => done,
    }
}

/// A state as people and files read it.
pub(crate) fn state_word(state: State) -> &'static str {
    match state {
        State::Creating => "creating",
        State::Starting => "starting",
        State::Running => "running",
        State::Pausing => "pausing",
        State::Paused => "paused",
        State::Resuming => "resuming",
        State::Stopping => "stopping",
        State::Stopped => "stopped",
        State::Removing => "removing",
        State::Failed => "failed",
        State::Lost => "lost",
    }
}

fn participle(wish: Wish) -> &'static str {
    match wish {
        Wish::Start => "started",
        Wish::Stop => "stopped",
        Wish::Pause => "paused",
        Wish::Resume => "resumed",
        Wish::Restart => "restarted",
        Wish::Remove { .. } => "removed",
    }
}
