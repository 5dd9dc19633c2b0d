//! Commands: what a container said of each, as clients see it.

use mizzen_sessions::{SessionFact, State};
use mizzen_status::{Ack, AckState, Asked, CommandId};

use crate::view::{CommandState, CommandView};

/// So many of a session's commands are shown.
const SHOWN: usize = 20;

/// The newest commands, signals left out.
pub(crate) fn newest(fact: &SessionFact) -> Vec<CommandView> {
    let views = fact
        .commands
        .iter()
        .filter_map(|asked| view(asked, fact.state));
    views.take(SHOWN).collect()
}

/// One command, however old.
pub(crate) fn find(fact: &SessionFact, id: &CommandId) -> Option<CommandView> {
    let found = fact.commands.iter().find(|asked| asked.id == *id)?;
    view(found, fact.state)
}

/// Whether a session that stands there carries out nothing until it is started.
pub(crate) fn is_down(state: State) -> bool {
    matches!(state, State::Stopped | State::Failed)
}

fn view(asked: &Asked, session: State) -> Option<CommandView> {
    let said = asked.ack.clone();
    let said = said.unwrap_or_else(|| Ack::new(asked.id.clone(), AckState::Accepted));
    let number = |value: Option<i64>| value.and_then(|value| i32::try_from(value).ok());
    Some(CommandView {
        id: asked.id.to_string(),
        command: asked.what.clone()?,
        state: match said.state {
            // Its container ended before it could tell how that was.
            AckState::Running if is_down(session) => CommandState::Interrupted,
            ref state => state_of(state),
        },
        exit_code: number(said.exit_code),
        signal: number(said.signal),
        asked_at: asked.asked_at.clone(),
        started_at: said.started_at,
        finished_at: said.finished_at,
        truncated: said.truncated,
        left_running: u32::try_from(said.left_running).unwrap_or(u32::MAX),
        error: said.error,
    })
}

fn state_of(state: &AckState) -> CommandState {
    match state {
        AckState::Accepted => CommandState::Waiting,
        AckState::Running => CommandState::Running,
        AckState::Succeeded => CommandState::Succeeded,
        // A word of a later version is an end.
        AckState::Failed | AckState::Unknown(_) => CommandState::Failed,
        AckState::TimedOut => CommandState::TimedOut,
        AckState::Killed => CommandState::Killed,
        AckState::Rejected => CommandState::Rejected,
        AckState::Expired => CommandState::Expired,
        AckState::Interrupted => CommandState::Interrupted,
    }
}
