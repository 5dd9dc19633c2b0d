//! What waits for a person, in words.

use super::Hold;
use crate::mirror::history::Action;
use crate::mirror::plan::{Held, HeldKind};
use crate::mirror::{Mirror, Side, words};

impl Mirror {
    pub(super) fn hold(&self, held: &Held) -> Hold {
        let (side, count) = (held.from.words(), held.names.len());
        let other = held.from.other().words();
        let name = held.names.first().map_or("", String::as_str);
        let decide = |yes: &str, no: &str| {
            let id = &held.id;
            format!(
                "{yes}: mizzen contexts hold approve {id}. {no}: mizzen contexts hold drop {id}"
            )
        };
        let (message, hint) = match held.kind {
            HeldKind::Deleted => (
                format!("`{name}` was deleted on {side}."),
                decide("Delete it on the host as well", "Bring it back"),
            ),
            HeldKind::Changed => (
                words::sentence(
                    Action::Changed,
                    name,
                    held.from,
                    self.find(held.from.other(), name),
                    self.find(held.from, name),
                ),
                decide("Take the change over", "Take it back"),
            ),
            HeldKind::Emptied => (
                format!("All {count} contexts are gone from {side}."),
                decide(
                    &format!("Delete them on {other} as well"),
                    "Bring them back",
                ),
            ),
            HeldKind::StoreGone => (
                format!("The store of {side} is gone, with {count} contexts."),
                decide(
                    &format!("Delete them on {other} as well"),
                    "Bring them back",
                ),
            ),
            HeldKind::NoConfig => (
                format!(
                    "`{name}` was deleted on {side}, and may be the one selected on {other}: its config.json cannot be read."
                ),
                "Mend that config.json.".to_owned(),
            ),
            HeldKind::Elsewhere => (
                format!(
                    "{} The store of {other} is on another disk, and is written with your consent only.",
                    self.change_of(name, held.from)
                ),
                decide(&format!("Write it to {other} as well"), "Take it back"),
            ),
        };
        Hold {
            id: held.id.clone(),
            contexts: held.names.clone(),
            from: held.from,
            message,
            hint,
        }
    }

    /// What a side did to a context, in a sentence.
    fn change_of(&self, name: &str, from: Side) -> String {
        let before = self.find(from.other(), name);
        let after = self.find(from, name);
        let action = match (before, after) {
            (None, _) => Action::Created,
            (Some(_), Some(_)) => Action::Changed,
            (Some(_), None) => Action::Deleted,
        };
        words::sentence(action, name, from, before, after)
    }
}
