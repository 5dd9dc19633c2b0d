//! Carries a plan out, one context after the other.

use mizzen_fsx::PathError;

use super::history::{Action, Change};
use super::plan::{Act, Plan, Step, Version, Why};
use super::publish::{PublishError, Publisher};
use super::{Config, Mirror, Side, words};
use crate::inventory::Found;
use crate::payload::Print;

impl Found {
    pub(super) fn version(&self) -> Version {
        Version {
            print: self.print,
            reach: self.reach,
        }
    }
}

/// What a step changes on one side.
pub(super) struct Replaced<'a> {
    pub(super) side: Side,
    pub(super) old: Option<&'a Found>,
    pub(super) new: Option<&'a Found>,
    /// Why what stood there goes to the trash.
    pub(super) reason: &'static str,
}

impl Mirror {
    /// Whether a side was changed meanwhile, so that the rest needs another look.
    pub(super) fn carry_out(&mut self, plan: &Plan, changes: &mut Vec<Change>) -> bool {
        let mut overtaken = false;
        self.seen.failed.clear();
        for step in &plan.steps {
            match self.step(step) {
                Ok(change) => changes.extend(change),
                Err(PublishError::Moved) => overtaken = true,
                Err(error) => self.fail(&step.name, &error.to_string()),
            }
        }
        overtaken
    }

    fn fail(&mut self, name: &str, error: &str) {
        tracing::warn!(context = name, error, "not carried over");
        self.seen.failed.push((name.to_owned(), error.to_owned()));
    }

    fn step(&mut self, step: &Step) -> Result<Option<Change>, PublishError> {
        let name = &step.name;
        let found = |side: Side| self.seen.sides[side as usize].contexts.get(name).cloned();
        match step.act {
            Act::Adopt => {
                if let Some(found) = found(Side::Host) {
                    self.archive.keep(&found)?;
                }
                Ok(None)
            }
            Act::Forget => {
                self.remove_rest(name)?;
                self.archive.forget(name)?;
                Ok(None)
            }
            Act::Put { from, why } => {
                let (new, old) = (found(from), found(from.other()));
                let action = match (why, &old) {
                    (Why::Won, _) => Action::Won,
                    (Why::Dropped, _) => Action::Dropped,
                    (_, None) => Action::Created,
                    (_, Some(_)) => Action::Changed,
                };
                self.carry(from, action, name, old.as_deref(), new.as_deref())
                    .map(Some)
            }
            Act::Remove { from } => {
                let old = found(from.other());
                self.carry(from, Action::Deleted, name, old.as_deref(), None)
                    .map(Some)
            }
        }
    }

    fn carry(
        &mut self,
        from: Side,
        action: Action,
        name: &str,
        old: Option<&Found>,
        new: Option<&Found>,
    ) -> Result<Change, PublishError> {
        let reason = match action {
            Action::Deleted => "it was deleted on the other side",
            Action::Won => "the other side's version won",
            _ => "the other side's version replaced it",
        };
        let side = from.other();
        let before = self.replace(&Replaced {
            side,
            old,
            new,
            reason,
        })?;
        // It has happened, and is told, whatever cannot be noted: the next pass finds both sides the same.
        if let Err(error) = self.agree_on(name, new) {
            self.fail(name, &error.to_string());
        }
        let is_grave = match (old, new) {
            (Some(old), Some(new)) => old.reach != new.reach,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let message = words::sentence(action, name, from, old, new);
        let change = self.note(
            name,
            from,
            action,
            message,
            before,
            new.map(|new| new.print),
        );
        Ok(self.history.add(Change { is_grave, ..change }))
    }

    /// Both sides hold this version now, or none.
    pub(super) fn agree_on(&mut self, name: &str, new: Option<&Found>) -> Result<(), PathError> {
        match new {
            Some(new) => self.archive.keep(new),
            None => self.archive.forget(name),
        }
    }

    /// Changes one side, and names what stood there in the trash.
    pub(super) fn replace(&mut self, what: &Replaced<'_>) -> Result<Option<String>, PublishError> {
        let Replaced {
            side,
            old,
            new,
            reason,
        } = *what;
        let before = match old {
            Some(old) => Some(self.throw_away(side, reason, &old.payload)?),
            None => None,
        };
        if let Some(old) = old {
            let parts_differ = new.is_none_or(|new| {
                old.payload.meta != new.payload.meta && old.payload.tls != new.payload.tls
            });
            if parts_differ {
                self.archive.doubt(&old.terms.name, side)?;
            }
        }
        let publisher = Publisher::open(self.root(side), &*self.world)?;
        let displaced = match (old, new) {
            (old, Some(new)) => publisher.put(old, &new.payload)?,
            (Some(old), None) => {
                Config::deselect(self.root(side), &old.terms.name)?;
                publisher.remove(old)?
            }
            (None, None) => None,
        };
        if let Some(displaced) = displaced {
            self.throw_away(
                side,
                "it was changed in the moment it was replaced",
                &displaced,
            )?;
        }
        publisher.clear()?;
        Ok(before)
    }

    /// An entry of the history, before it has a number.
    pub(super) fn note(
        &self,
        name: &str,
        from: Side,
        action: Action,
        message: String,
        before: Option<String>,
        after: Option<Print>,
    ) -> Change {
        Change {
            id: 0,
            at: self.world.now(),
            name: name.to_owned(),
            from,
            action,
            message,
            is_grave: false,
            before,
            after: after.map(|print| print.to_string()),
            undoes: None,
        }
    }

    /// A removal that was ended half way leaves keys behind.
    fn remove_rest(&mut self, name: &str) -> Result<(), PublishError> {
        let Some((side, payload)) = self.archive.unsure(name).zip(self.archive.payload(name))
        else {
            return Ok(());
        };
        Publisher::open(self.root(side), &*self.world)?.remove_rest(payload)
    }
}
