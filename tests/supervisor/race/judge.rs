//! What must never be seen of a queue of commands, whoever was killed.

use std::collections::{BTreeMap, BTreeSet};

use mizzen_status::{Ack, AckState};

/// All that was seen, by somebody who is never killed.
#[derive(Default)]
pub(super) struct Seen {
    /// What was asked for, each with the code that it ends with.
    pub(super) asked: BTreeMap<String, i64>,
    /// Every end that was told of each; a word that was told again is one.
    pub(super) ends: BTreeMap<String, BTreeSet<End>>,
    /// How often each was run.
    pub(super) runs: BTreeMap<String, usize>,
    /// How often something died that could have been running one of them.
    pub(super) deaths: usize,
}

/// The word for an end, and the code with it.
type End = (String, Option<i64>);

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody was told how it ended.
    Lost,
    /// It is said to have ended by itself, and was never run.
    NotRun,
    /// It was run so often.
    RunOften(usize),
    /// It was run or told of, and nobody had asked for it.
    NeverAsked,
    /// It did not end like this.
    WrongEnd(End),
    /// What was told of its end changed.
    ManyEnds(usize),
    /// So many are said to have been interrupted, more than there was anything to interrupt them.
    Interrupted(usize),
}

impl Seen {
    /// Takes in what is told; what has not ended may still change.
    pub(super) fn hear(&mut self, ack: &Ack) {
        if ack.state.is_final() {
            let end = (ack.state.to_string(), ack.exit_code);
            self.ends.entry(ack.id.to_string()).or_default().insert(end);
        }
    }

    /// How many are said to have been interrupted.
    pub(super) fn interrupted(&self) -> usize {
        let is_cut = |ends: &&BTreeSet<End>| ends.iter().any(|(word, _)| *word == interrupted());
        self.ends.values().filter(is_cut).count()
    }
}

fn interrupted() -> String {
    AckState::Interrupted.to_string()
}

/// What is wrong by now, with the command that it is wrong of.
pub(super) fn so_far(seen: &Seen) -> Vec<(String, Fault)> {
    let known = seen.asked.keys().chain(seen.ends.keys());
    let known: BTreeSet<&String> = known.chain(seen.runs.keys()).collect();
    let faults = known.into_iter().flat_map(|id| {
        let faults = of_one(seen, id);
        faults.into_iter().map(|fault| (id.clone(), fault))
    });
    let cut = seen.interrupted();
    let too_many = (cut > seen.deaths).then_some(("all".to_owned(), Fault::Interrupted(cut)));
    faults.chain(too_many).collect()
}

/// The same once nothing waits any more.
pub(super) fn at_the_end(seen: &Seen) -> Vec<(String, Fault)> {
    let lost = seen.asked.keys().filter(|id| !seen.ends.contains_key(*id));
    let lost = lost.map(|id| (id.clone(), Fault::Lost));
    lost.chain(so_far(seen)).collect()
}

fn of_one(seen: &Seen, id: &str) -> Vec<Fault> {
    let Some(code) = seen.asked.get(id) else {
        return vec![Fault::NeverAsked];
    };
    let mut faults = Vec::new();
    let runs = seen.runs.get(id).copied().unwrap_or(0);
    if runs > 1 {
        faults.push(Fault::RunOften(runs));
    }
    let ends = seen.ends.get(id).into_iter().flatten();
    let count = ends.clone().count();
    if count > 1 {
        faults.push(Fault::ManyEnds(count));
    }
    for end in ends {
        faults.extend(of_end(end, *code, runs));
    }
    faults
}

/// One is interrupted before it was run, in the middle, or after, before that was written down.
fn of_end(end: &End, code: i64, runs: usize) -> Option<Fault> {
    let by_itself = match code {
        0 => AckState::Succeeded,
        _ => AckState::Failed,
    };
    match end {
        (word, None) if *word == interrupted() => None,
        (word, Some(told)) if *word == by_itself.to_string() && *told == code => {
            (runs == 0).then_some(Fault::NotRun)
        }
        wrong => Some(Fault::WrongEnd(wrong.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::{AckState, Fault, Seen, at_the_end, so_far};

    /// Three were asked for and run; the second one fails, the third one was interrupted.
    fn good() -> Seen {
        let mut seen = Seen {
            deaths: 1,
            ..Seen::default()
        };
        for (id, code) in [("a", 0), ("b", 7), ("c", 0)] {
            seen.asked.insert(id.to_owned(), code);
            seen.runs.insert(id.to_owned(), 1);
        }
        tell(&mut seen, "a", AckState::Succeeded, Some(0));
        tell(&mut seen, "b", AckState::Failed, Some(7));
        tell(&mut seen, "c", AckState::Interrupted, None);
        seen
    }

    fn tell(seen: &mut Seen, id: &str, word: AckState, code: Option<i64>) {
        let ends = seen.ends.entry(id.to_owned()).or_default();
        ends.insert((word.to_string(), code));
    }

    fn run(seen: &mut Seen, id: &str, times: usize) {
        seen.runs.insert(id.to_owned(), times);
    }

    fn check(what: &str, change: impl Fn(&mut Seen), wanted: &[(&str, Fault)]) {
        let mut seen = good();
        change(&mut seen);
        let faults = at_the_end(&seen);
        let faults: Vec<_> = faults.iter().map(|(id, fault)| (&**id, fault)).collect();
        let wanted: Vec<_> = wanted.iter().map(|(id, fault)| (*id, fault)).collect();
        assert_eq!(faults, wanted, "{what}");
    }

    fn wrong(word: AckState, code: Option<i64>) -> Fault {
        Fault::WrongEnd((word.to_string(), code))
    }

    #[test]
    fn a_race_is_judged_by_what_was_asked_told_and_run() {
        check("all is well", |_| {}, &[]);
        check(
            "interrupted before it was run",
            |seen| run(seen, "c", 0),
            &[],
        );
        check(
            "one is lost",
            |seen| drop(seen.ends.remove("a")),
            &[("a", Fault::Lost)],
        );
        check(
            "one is said to be done, and was not run",
            |seen| run(seen, "a", 0),
            &[("a", Fault::NotRun)],
        );
        check(
            "one is run twice",
            |seen| run(seen, "b", 2),
            &[("b", Fault::RunOften(2))],
        );
        check(
            "an interrupted one is run again",
            |seen| run(seen, "c", 3),
            &[("c", Fault::RunOften(3))],
        );
        check(
            "one is told of that nobody asked for",
            |seen| tell(seen, "x", AckState::Succeeded, Some(0)),
            &[("x", Fault::NeverAsked)],
        );
        check(
            "one is run that nobody asked for",
            |seen| run(seen, "x", 1),
            &[("x", Fault::NeverAsked)],
        );
    }

    #[test]
    fn a_race_is_judged_by_how_each_command_ended() {
        for (word, code) in [
            (AckState::Failed, Some(8)),
            (AckState::Succeeded, Some(0)),
            (AckState::Failed, None),
            (AckState::TimedOut, None),
            (AckState::Interrupted, Some(7)),
        ] {
            let told = |seen: &mut Seen| {
                seen.ends.remove("b");
                // Enough has died for any of them.
                seen.deaths = 2;
                tell(seen, "b", word.clone(), code);
            };
            check(
                "not how it ended",
                told,
                &[("b", wrong(word.clone(), code))],
            );
        }
        check(
            "its end changes",
            |seen| {
                seen.deaths = 2;
                tell(seen, "a", AckState::Interrupted, None);
            },
            &[("a", Fault::ManyEnds(2))],
        );
        check(
            "more are interrupted than anything died",
            |seen| seen.deaths = 0,
            &[("all", Fault::Interrupted(1))],
        );
    }

    #[test]
    fn what_waits_is_not_lost_yet() {
        let mut seen = good();
        seen.asked.insert("d".to_owned(), 0);
        assert_eq!(so_far(&seen), []);
        assert_eq!(at_the_end(&seen), [("d".to_owned(), Fault::Lost)]);
    }
}
