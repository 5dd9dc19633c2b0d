//! How the link stands, in words.

use mizzen_sync::told::{Stand, State};

/// As a service's state.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Starting => "starting",
        State::InStep => "in step",
        State::Syncing => "syncing",
        State::Problems => "problems",
        State::Conflicts => "conflicts",
        State::Halted => "halted",
        State::Failed => "failed",
        State::Paused => "paused",
        State::Offline => "offline",
    }
}

/// What a person should see to, with the next step.
pub(super) fn warning(stand: &Stand) -> Option<String> {
    if let Some(trouble) = &stand.trouble {
        return Some(format!("{} {}", trouble.reason, trouble.hint));
    }
    let left = [
        (stand.conflicts, "in conflict", "conflicts"),
        (stand.problems, "cannot be carried", "plan"),
    ];
    let left = left.into_iter().filter(|(count, ..)| *count > 0);
    let left =
        left.map(|(count, what, verb)| format!("{count} {what}: mizzen-supervisor mirror {verb}"));
    let polling = stand
        .polling
        .iter()
        .map(|why| format!("degraded: polling: {why}"));
    let all: Vec<String> = left.chain(polling).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// In a line.
pub(super) fn line(stand: &Stand) -> String {
    match (stand.state, &stand.trouble) {
        (_, Some(trouble)) => format!("{} {}", trouble.reason, trouble.hint),
        (State::Starting | State::Paused | State::Offline, None) => state(stand.state).to_owned(),
        _ => stand.said(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_should_see_to_comes_with_the_next_step() {
        let stand = Stand {
            conflicts: 2,
            problems: 1,
            ..Stand::new(State::Conflicts)
        };
        assert_eq!(
            warning(&stand).as_deref(),
            Some(
                "2 in conflict: mizzen-supervisor mirror conflicts; 1 cannot be carried: mizzen-supervisor mirror plan"
            )
        );
        assert_eq!(warning(&Stand::new(State::InStep)), None);
        assert_eq!(
            line(&stand),
            "Not all is in step: 2 in conflict, 1 cannot be carried."
        );
    }
}
