//! A session's need for its person, from what is known of it.

use mizzen_sessions::{Freshness, Health, Progress, Report, SessionFact, State};
use mizzen_status::sanitise;

use crate::view::{AttentionState, AttentionView, clock_words};

/// Longest part of a container's text that is repeated in a row of a list.
const SAID: usize = 120;

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
        State::Lost if fact.out_of_reach => (AttentionState::Error, or("it has no engine")),
        State::Lost => (AttentionState::Offline, or("its engine does not answer")),
        State::Running => with_clock(judge_running(fact), fact.clock_ahead),
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
        Freshness::None | Freshness::Fresh | Freshness::Stale => judge_report(&fact.report),
    }
}

/// A clock that is wrong is told beside all else: times in logs and files mislead then.
fn with_clock(
    (state, text): (AttentionState, String),
    ahead: Option<i64>,
) -> (AttentionState, String) {
    match ahead {
        Some(ahead) => (state, format!("{text}; clock {}", clock_words(ahead))),
        None => (state, text),
    }
}

/// What a container that is well says of itself.
fn judge_report(report: &Report) -> (AttentionState, String) {
    if let Some(error) = report.errors.first() {
        let text = format!("reports: {}", sanitise(error, SAID));
        return (AttentionState::Error, text);
    }
    match doing(report) {
        Some(text) => (AttentionState::Working, text),
        None => (AttentionState::Idle, "ready".to_owned()),
    }
}

/// What a container is busy with: `building: Compiling, 45 %`. One that has nothing left to do is not busy.
fn doing(report: &Report) -> Option<String> {
    let busy = |progress: &&Progress| progress.total > 0.0 && progress.current < progress.total;
    let progress = report.progress.as_ref().filter(busy)?;
    let said = [report.phase.as_deref(), Some(progress.message.as_str())];
    let said: Vec<&str> = said
        .into_iter()
        .flatten()
        .filter(|s| !s.is_empty())
        .collect();
    let percent = (100.0 * progress.current / progress.total).floor();
    Some(format!("{}, {percent} %", sanitise(&said.join(": "), SAID)))
}

fn working(text: &str) -> (AttentionState, String) {
    (AttentionState::Working, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Progress, Report, judge_report, with_clock, working};
    use crate::view::AttentionState;

    fn building(current: f64, total: f64) -> Report {
        Report {
            phase: Some("building".to_owned()),
            progress: Some(Progress {
                current,
                total,
                message: "Compiling".to_owned(),
            }),
            ..Report::default()
        }
    }

    #[test]
    fn a_container_with_something_left_to_do_is_busy() {
        let (state, text) = judge_report(&building(45.5, 100.0));
        assert_eq!(state, AttentionState::Working);
        assert_eq!(text, "building: Compiling, 45 %");
        for (current, total) in [(100.0, 100.0), (0.0, 0.0), (7.0, 0.0), (5.0, f64::NAN)] {
            let (state, _) = judge_report(&building(current, total));
            assert_eq!(state, AttentionState::Idle, "{current} of {total}");
        }
    }

    #[test]
    fn row_17_a_clock_that_is_wrong_is_told_beside_all_else() {
        let told = |ahead| with_clock(working("building"), ahead);
        for (ahead, expected) in [
            (None, "building"),
            (Some(31), "building; clock 31 s ahead"),
            (Some(-119), "building; clock 119 s behind"),
            (Some(-300), "building; clock 5 min behind"),
            (Some(7200), "building; clock 2 h ahead"),
            (Some(-172_800), "building; clock 2 days behind"),
        ] {
            let expected = (AttentionState::Working, expected.to_owned());
            assert_eq!(told(ahead), expected);
        }
    }

    #[test]
    fn an_error_needs_a_person_whatever_else_goes_on() {
        let report = Report {
            errors: vec![
                "the database\u{1b}[31m is gone".to_owned(),
                "older".to_owned(),
            ],
            ..building(1.0, 2.0)
        };
        let (state, text) = judge_report(&report);
        assert_eq!(state, AttentionState::Error);
        assert_eq!(text, "reports: the database is gone");
    }
}
