//! A session's need for its person, from what is known of it.

use mizzen_sessions::{Freshness, Health, SessionFact, State};

use crate::view::{AttentionState, AttentionView};

/// Judges a session. `since` stays as long as the judgement does.
pub(crate) fn attention(
    fact: &SessionFact,
    previous: Option<&AttentionView>,
    now: jiff::Timestamp,
) -> AttentionView {
    let (state, text) = judge(fact);
    let since = previous
        .filter(|old| old.state == state)
        .map(|old| old.since.clone());
    AttentionView {
        state,
        text,
        since: since.unwrap_or_else(|| first_since(fact, now)),
    }
}

/// A state that has just been entered says when; for the rest the first look has to do.
fn first_since(fact: &SessionFact, now: jiff::Timestamp) -> String {
    let by_report = fact.state == State::Running && fact.freshness != Freshness::Fresh;
    if by_report { now } else { fact.since }.to_string()
}

fn judge(fact: &SessionFact) -> (AttentionState, String) {
    let reason = fact.reason.as_ref().map(|reason| reason.message.clone());
    let or = |text: &str| reason.clone().unwrap_or_else(|| text.to_owned());
    match fact.state {
        State::Failed => (AttentionState::Error, or("failed")),
        // Known here: a wished stop has no reason; this one was not asked for.
        State::Stopped if reason.is_some() => (AttentionState::Error, or("")),
        State::Stopped => (AttentionState::Offline, "stopped".to_owned()),
        State::Paused => (AttentionState::Offline, "paused".to_owned()),
        State::Lost => (AttentionState::Offline, or("its engine does not answer")),
        State::Running => judge_running(fact),
        State::Creating => working("is being made"),
        State::Starting => working("starting"),
        State::Pausing => working("pausing"),
        State::Resuming => working("resuming"),
        State::Stopping => working("stopping"),
        State::Removing => working("is being removed"),
    }
}

fn judge_running(fact: &SessionFact) -> (AttentionState, String) {
    if fact.health == Health::Unhealthy {
        return (AttentionState::Error, "its health check fails".to_owned());
    }
    match fact.freshness {
        Freshness::Lost => (
            AttentionState::Stale,
            "nothing heard for over a minute".to_owned(),
        ),
        Freshness::None | Freshness::Fresh | Freshness::Stale => {
            (AttentionState::Idle, "ready".to_owned())
        }
    }
}

fn working(text: &str) -> (AttentionState, String) {
    (AttentionState::Working, text.to_owned())
}
