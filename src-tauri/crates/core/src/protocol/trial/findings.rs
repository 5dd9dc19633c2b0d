//! What was found of each thing that an agent is asked to show.

use super::super::{Found, Standing};

/// What is tried, in this order, with what helps.
const THINGS: [(&str, &str); 7] = [
    (
        "heartbeat",
        "write status.json at least every 15 s, with a new `timestamp` each time",
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
        let (name, next) = THINGS[self.0.len()];
        self.0.push(Found {
            name: name.to_owned(),
            standing: match is_fine {
                true => Standing::Fine,
                false => Standing::Wrong,
            },
            message,
            next: (!is_fine).then(|| next.to_owned()),
        });
        is_fine
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
