//! What to do next.

use std::collections::HashSet;

use jiff::Timestamp;
use mizzen_status::{
    ACKS, Ack, AckState, Command, CommandId, Commands, Exec, Order, Queued, Signal,
};

use super::ledger::Ledger;

/// One thing to do.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing is run: this is said of it instead.
    Tell(Ack),
    /// Heed a signal.
    Signal(CommandId, Signal),
    /// Run a program.
    Run(CommandId, Exec),
}

/// What can be begun.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mood<'a> {
    /// Anything.
    Free,
    /// A program runs.
    Busy,
    /// Everything ends. These waited before, and do so until the next start; what is new is refused.
    Ending(&'a [CommandId]),
}

/// The next step: what cannot be carried out is told first, then signals are heeded, and a program is run when none is.
pub(super) fn next(
    queue: &Commands,
    ledger: &Ledger,
    mood: Mood<'_>,
    now: Timestamp,
) -> Option<Step> {
    let new = unseen(queue, ledger);
    let refused = new.iter().find_map(|it| {
        let why = it.command.as_ref().err()?;
        let mut ack = Ack::new(it.id.clone(), AckState::Rejected);
        ack.error = Some(why.clone());
        Some(Step::Tell(ack))
    });
    if refused.is_some() {
        return refused;
    }
    let good = || new.iter().filter_map(|it| it.command.as_ref().ok());
    if let Some(late) = good().find(|command| is_late(command, now)) {
        return Some(Step::Tell(Ack::new(late.id.clone(), AckState::Expired)));
    }
    let signal = good().find_map(|command| match &command.order {
        Order::Signal(signal) => Some(Step::Signal(command.id.clone(), signal.clone())),
        Order::Exec(_) => None,
    });
    if signal.is_some() {
        return signal;
    }
    // Of equals the first is the least.
    let first = match mood {
        Mood::Busy => return None,
        Mood::Ending(spared) => return good().find(|it| !spared.contains(&it.id)).map(refused_now),
        Mood::Free => good().min_by_key(|command| command.turn())?,
    };
    match &first.order {
        Order::Exec(exec) => Some(Step::Run(first.id.clone(), exec.clone())),
        Order::Signal(_) => None,
    }
}

fn refused_now(command: &Command) -> Step {
    let mut ack = Ack::new(command.id.clone(), AckState::Rejected);
    ack.error = Some("the container is stopping".to_owned());
    Step::Tell(ack)
}

/// What is told of all commands: of those in the queue, and of the last ones before.
pub(super) fn acks(queue: &Commands, ledger: &Ledger) -> Vec<Ack> {
    let waits = unseen(queue, ledger).into_iter().map(|it| &it.id);
    let waits = waits.map(|id| Ack::new(id.clone(), AckState::Accepted));
    let mut acks = ledger.recent(queue);
    acks.extend(waits);
    acks.truncate(ACKS);
    acks
}

/// Those of which nothing is known, neither here nor to the host.
fn unseen<'a>(queue: &'a Commands, ledger: &Ledger) -> Vec<&'a Queued> {
    let seen: HashSet<&CommandId> = queue.processed.iter().collect();
    let queued = queue.queued.iter();
    queued
        .filter(|it| !seen.contains(&it.id) && !ledger.knows(&it.id))
        .collect()
}

fn is_late(command: &Command, now: Timestamp) -> bool {
    let until = command.expires_at.as_deref();
    let until = until.and_then(|at| at.parse::<Timestamp>().ok());
    until.is_some_and(|until| until < now)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use mizzen_status::{Ack, AckState, CommandId, Commands};
    use serde_json::json;

    use super::super::ledger::Ledger;
    use super::{Mood, Step, acks, next};

    fn queue(commands: &serde_json::Value, processed: &[&str]) -> Commands {
        json!({ "commands": commands, "processed": processed })
            .to_string()
            .parse()
            .unwrap()
    }

    fn id(text: &str) -> CommandId {
        CommandId::new(text).unwrap()
    }

    fn of(step: Option<Step>) -> String {
        match step {
            None => "nothing".to_owned(),
            Some(Step::Tell(ack)) => format!("{} {}", ack.state, ack.id),
            Some(Step::Signal(id, _)) => format!("signal {id}"),
            Some(Step::Run(id, _)) => format!("run {id}"),
        }
    }

    #[test]
    fn each_is_taken_once_and_in_its_turn() {
        let place = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(place.path()).unwrap();
        let queue = queue(
            &json!([
                { "id": "seen", "type": "exec", "command": "true" },
                { "id": "low", "type": "exec", "command": "true", "priority": "low" },
                { "id": "second", "type": "exec", "command": "true", "seq": 2 },
                { "id": "first", "type": "exec", "command": "true", "seq": 1 },
                { "id": "high", "type": "exec", "command": "true", "seq": 9, "priority": "high" },
                { "id": "late", "type": "exec", "command": "true", "expires_at": "2024-01-01T00:00:00Z" },
                { "id": "bad", "type": "exec" },
                { "id": "now", "type": "signal", "signal": "report_now" },
            ]),
            &["seen"],
        );
        let now = "2024-01-01T00:00:01Z".parse::<Timestamp>().unwrap();
        let mut taken = Vec::new();
        for _ in 0..9 {
            let step = next(&queue, &ledger, Mood::Free, now);
            taken.push(of(step));
            let Some((_, id)) = taken.last().unwrap().split_once(' ') else {
                break;
            };
            ledger
                .note(Ack::new(self::id(id), AckState::Succeeded))
                .unwrap();
        }
        let expected = [
            "rejected bad",
            "expired late",
            "signal now",
            "run high",
            "run first",
            "run second",
            "run low",
            "nothing",
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn while_one_runs_only_signals_are_heeded() {
        let place = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(place.path()).unwrap();
        let exec = json!({ "id": "a", "type": "exec", "command": "true" });
        let alone = queue(&json!([exec]), &[]);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(of(next(&alone, &ledger, Mood::Busy, now)), "nothing");
        assert_eq!(acks(&alone, &ledger)[0].state, AckState::Accepted);
        let cancel = json!({ "id": "b", "type": "signal", "signal": "cancel", "target": "a" });
        let both = queue(&json!([exec, cancel]), &[]);
        assert_eq!(of(next(&both, &ledger, Mood::Busy, now)), "signal b");
    }
    #[test]
    fn while_everything_ends_what_is_new_is_refused_and_what_waits_is_spared() {
        let place = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(place.path()).unwrap();
        let exec = |id: &str| json!({ "id": id, "type": "exec", "command": "true" });
        let report = json!({ "id": "c", "type": "signal", "signal": "report_now" });
        let now = Timestamp::UNIX_EPOCH;
        let spared = [id("a")];
        let next = |queue| of(next(&queue, &ledger, Mood::Ending(&spared), now));
        assert_eq!(next(queue(&json!([exec("a")]), &[])), "nothing");
        assert_eq!(
            next(queue(&json!([exec("a"), exec("b")]), &[])),
            "rejected b"
        );
        assert_eq!(next(queue(&json!([exec("b"), report]), &[])), "signal c");
    }
}
