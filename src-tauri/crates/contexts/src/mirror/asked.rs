//! What a person asks of a mirror.

use std::collections::BTreeSet;

use super::carry::Replaced;
use super::history::{Action, Change};
use super::plan::Policy;
use super::publish::PublishError;
use super::setup::{self, SetUp};
use super::status::TrashEntry;
use super::{Mirror, MirrorError, Pass, Side, words};
use crate::inventory::Found;
use crate::payload::{Payload, Terms};

impl Mirror {
    /// Makes the container side; what is there stays as it is. What was agreed on before a side was made anew no longer
    /// counts: it is filled, not believed.
    ///
    /// # Errors
    /// A folder or file cannot be made.
    pub fn setup(&mut self) -> Result<SetUp, MirrorError> {
        let root = self.root(Side::Container);
        let is_new = !root.config.join("contexts/meta").exists();
        let done = setup::set_up(root, &self.wishes.socket, &*self.world)?;
        self.unsettle();
        if is_new {
            for name in self.archive.agreed().into_keys() {
                self.archive.forget(&name)?;
            }
        }
        Ok(done)
    }

    /// What was carried over, the last change first, and whether it can be undone as far as is known.
    pub fn history(&self) -> impl Iterator<Item = (&Change, bool)> {
        self.history.list().map(|change| {
            let possible = change.before.is_some() || change.action == Action::Created;
            (change, possible && !self.history.is_undone(change))
        })
    }

    /// The change that a person takes back to be rid of this one and of all that containers did to its context right
    /// before it.
    #[must_use]
    pub fn first_of_run(&self, change: &Change) -> u64 {
        self.history.run_before(change).id
    }

    /// Takes a change back on both sides; a container's with what containers have done to that context since.
    ///
    /// # Errors
    /// There is no such change, it was undone already, or a side has changed since.
    pub fn undo(&mut self, id: u64) -> Result<Change, MirrorError> {
        self.ready()?;
        let unknown = || MirrorError::Unknown {
            what: "change",
            id: id.to_string(),
        };
        let change = self.history.find(id).cloned().ok_or_else(unknown)?;
        let refused = |why: String| Err(MirrorError::Refused(why));
        let name = &change.name;
        if self.history.is_undone(&change) {
            return refused(format!("change {id} was undone already"));
        }
        let before = match &change.before {
            Some(trashed) => match self.trash.read(trashed)? {
                Some(trashed) => Some(found(trashed.payload)?),
                None => {
                    return refused(format!(
                        "what `{name}` was before change {id} has left the trash"
                    ));
                }
            },
            None if change.action == Action::Created => None,
            None => return refused(format!("nothing stood there before change {id}")),
        };
        let last = self.history.run_after(&change);
        for side in Side::BOTH {
            let now = self.seen.sides[side as usize].contexts.get(name);
            let now = now.map(|found| found.print.to_string());
            if now != change.after && now != last.after {
                let side = side.words();
                return refused(format!("`{name}` has changed on {side} since change {id}"));
            }
        }
        self.set_both(
            name,
            change.from.other(),
            Action::Undone,
            before.as_ref(),
            Some(id),
        )
    }

    /// Brings a version out of the trash back to both sides; what is there goes to the trash.
    ///
    /// # Errors
    /// There is no such version, or a side cannot be written.
    pub fn restore(&mut self, id: &str) -> Result<Change, MirrorError> {
        self.ready()?;
        let trashed = self.trash.read(id)?.ok_or_else(|| MirrorError::Unknown {
            what: "version",
            id: words::address(id),
        })?;
        let found = found(trashed.payload)?;
        let name = found.terms.name.clone();
        self.set_both(&name, trashed.side, Action::Restored, Some(&found), None)
    }

    /// What was overwritten or deleted, the last first.
    ///
    /// # Errors
    /// The trash cannot be listed.
    pub fn trash(&self) -> Result<Vec<TrashEntry>, MirrorError> {
        let all = self.trash.list()?.into_iter();
        Ok(all
            .map(|(id, trashed)| TrashEntry::of(id, trashed))
            .collect())
    }

    /// Consents to one hold, or to all.
    ///
    /// # Errors
    /// There is no such hold by now.
    pub fn approve(&mut self, id: Option<&str>) -> Result<Pass, MirrorError> {
        let approved = self.chosen(id)?;
        self.pass_with(&Policy {
            approved,
            ..Policy::default()
        })
    }

    /// Takes back what is held, or all of it, on the side that it came from.
    ///
    /// # Errors
    /// There is no such hold by now.
    pub fn drop_held(&mut self, id: Option<&str>) -> Result<Pass, MirrorError> {
        let dropped = self.chosen(id)?;
        self.pass_with(&Policy {
            dropped,
            ..Policy::default()
        })
    }

    fn chosen(&mut self, id: Option<&str>) -> Result<BTreeSet<String>, MirrorError> {
        self.pass()?;
        let held = self.seen.held.iter();
        let ids: BTreeSet<String> = held
            .filter(|held| id.is_none_or(|id| id == held.id))
            .map(|held| held.id.clone())
            .collect();
        match id {
            Some(id) if ids.is_empty() => Err(MirrorError::Unknown {
                what: "held change",
                id: words::address(id),
            }),
            _ => Ok(ids),
        }
    }

    /// Looks at both sides, which have to be usable.
    fn ready(&mut self) -> Result<(), MirrorError> {
        if !self.is_set_up() {
            return Err(MirrorError::NotSetUp(
                self.root(Side::Container).config.clone(),
            ));
        }
        self.pass().map(drop)
    }

    /// Puts the same on both sides, or nothing.
    fn set_both(
        &mut self,
        name: &str,
        from: Side,
        action: Action,
        new: Option<&Found>,
        undoes: Option<u64>,
    ) -> Result<Change, MirrorError> {
        if Side::BOTH
            .iter()
            .any(|side| self.look_of(*side).blocked.contains(name))
        {
            let why = format!(
                "`{name}` cannot be written: what lies in its place is damaged, or being written"
            );
            return Err(MirrorError::Refused(why));
        }
        self.unsettle();
        let mut before = None;
        for side in Side::BOTH {
            let old = self.seen.sides[side as usize].contexts.get(name).cloned();
            if old.as_ref().map(|old| old.print) == new.map(|new| new.print) {
                continue;
            }
            let reason = match action {
                Action::Restored => "another version came out of the trash",
                _ => "a change was undone",
            };
            let replaced = Replaced {
                side,
                old: old.as_deref(),
                new,
                reason,
            };
            let kept = self.replace(&replaced).map_err(|error| match error {
                PublishError::Moved => {
                    MirrorError::Refused(format!("`{name}` is being changed on {}", side.words()))
                }
                error => error.into(),
            })?;
            before = before.or(kept);
        }
        self.agree_on(name, new)?;
        let message = words::sentence(action, name, from, None, new);
        let change = self.note(
            name,
            from,
            action,
            message,
            before,
            new.map(|new| new.print),
        );
        let change = self.history.add(Change { undoes, ..change });
        self.see();
        Ok(change)
    }
}

/// A version out of the trash, as if it had been found in a store.
fn found(payload: Payload) -> Result<Found, MirrorError> {
    let terms = Terms::read(&payload.meta.0).map_err(MirrorError::Refused)?;
    Ok(Found {
        print: payload.print(),
        reach: terms.reach(&payload),
        has_open_key: false,
        payload,
        terms,
    })
}
