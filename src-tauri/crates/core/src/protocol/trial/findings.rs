//! What was found of each thing that an agent is asked to show.

use super::super::{Found, Standing};

/// What is tried, in this order, with what helps.
const THINGS: [(&str, &str); 7] = [
    (
        "heartbeat",
        "write status.json every 5 s, with a new `timestamp` each time",
    ),
    (
        "files",
        "see `mizzen protocol check` and docs/protocol/schema",
    ),
    (
        "whole files",
        "write another file beside status.json and rename it over that one",
    ),
    (
        "command",
        "run what commands.json asks for: `command` split into words, then `args`",
    ),
    (
        "acknowledged",
        "say in status.json, under `commands`, how each command ended",
    ),
    (
        "at most once",
        "write down each id in logs/commands.jsonl before the command is run",
    ),
    (
        "shutdown",
        "heed the signal `shutdown`: report `stopped` with `final` true, and end",
    ),
];

/// Of the first of these things, in their order.
#[derive(Default)]
pub(super) struct Findings(Vec<Found>);

impl Findings {
    /// Tells of the next thing; says whether it is as it should be.
    pub(super) fn tell(&mut self, is_fine: bool, message: String) -> bool {
        let (_, next) = THINGS[self.0.len()];
        self.tell_with(is_fine, message, next)
    }

    /// The same where something else helps.
    pub(super) fn tell_with(&mut self, is_fine: bool, message: String, next: &str) -> bool {
        match is_fine {
            true => self.push(Standing::Fine, message, None),
            false => self.push(Standing::Wrong, message, Some(next)),
        }
        is_fine
    }

    /// Tells of the next thing that it works, and what somebody should know of it.
    pub(super) fn note(&mut self, message: String) {
        let (_, next) = THINGS[self.0.len()];
        self.push(Standing::Note, message, Some(next));
    }

    fn push(&mut self, standing: Standing, message: String, next: Option<&str>) {
        let (name, _) = THINGS[self.0.len()];
        self.0.push(Found {
            name: name.to_owned(),
            standing,
            message,
            next: next.map(str::to_owned),
        });
    }

    /// All that comes before this thing and was not told of is left out.
    pub(super) fn untried_up_to(&mut self, end: &str) {
        let left = THINGS[self.0.len()..].iter();
        let left = left.take_while(|(name, _)| *name != end);
        self.0.extend(left.map(|(name, _)| Found {
            name: (*name).to_owned(),
            standing: Standing::Untried,
            message: "not tried, since what it needs does not work".to_owned(),
            next: None,
        }));
    }

    /// One for each thing.
    pub(super) fn whole(mut self) -> Vec<Found> {
        self.untried_up_to("");
        self.0
    }
}
