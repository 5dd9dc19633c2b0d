//! How what stands at a place gives way: moved aside or exchanged first, then looked at, then brought to the trash.
//!
//! What is looked at before it is moved may change in between. What was moved is out of everybody's reach by its name:
//! when it is not what was seen, it goes back.

use std::io;
use std::sync::Arc;

use super::expected::Found;
use super::names::{collision, is_taken_for_another, not_named};
use super::publish::{Place, Publish};
use super::{Failure, Why, gone_or};
use crate::entry::{Kind, Stamp};
use crate::root::Directory;
use crate::scan::{Known, Scan, Seen, SeenDir};
use crate::temp::Part;
use crate::trash::Slot;

/// Why nothing can be put in a place where something stands that was not seen there.
pub(super) fn taken(place: &Place, before: &Scan) -> Why {
    match is_taken_for_another(&place.dir, &place.path, before) {
        true => collision(),
        false => Why::ChangedHere,
    }
}

impl Publish<'_> {
    /// Puts what was made ready where nothing is.
    pub(super) fn create(&mut self, place: &Place) -> Result<(), Why> {
        let temp = self.cycle.temp(place.change, Part::New);
        let renamed = place.dir.rename(&temp, &place.dir, &place.name);
        renamed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(place, self.before),
            _ => not_named(&place.dir, &temp, error),
        })?;
        self.touch(place);
        Ok(())
    }

    /// Puts what was made ready where something is.
    pub(super) fn replace(&mut self, place: &Place, known: Known<'_>) -> Result<(), Why> {
        let Place { dir, name, .. } = place;
        match self.expected.stands(dir, name, known)? {
            Found::Seen => {}
            Found::More => return Err(Why::NotEmpty),
            Found::Otherwise => return Err(Why::ChangedHere),
        }
        let temp = self.cycle.temp(place.change, Part::New);
        let new = dir.look(&temp)?;
        match dir.exchange(&temp, name) {
            Ok(()) => self.touch(place),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let slot = self.cycle.slot(place.change);
                return match self.remove_whole(place, known, &slot)? {
                    true => self.create(place),
                    false => Err(Why::ChangedHere),
                };
            }
            Err(error) => return Err(gone_or(error)),
        }
        self.not_ready.insert(place.change);
        let slot = self.cycle.slot(place.change);
        let kept = self.keep(place, &temp, known, &slot);
        if kept.is_err() && self.exchange_back(place, &temp, new, slot).is_err() {
            self.untidy = true;
        }
        kept
    }

    /// Brings what was displaced to the trash, if it is what was seen.
    fn keep(&mut self, place: &Place, at: &[u8], known: Known<'_>, slot: &Slot) -> Result<(), Why> {
        if self.expected.came_out(&place.dir, at, known)? != Found::Seen {
            return Err(Why::ChangedHere);
        }
        let is_tidy = slot.stow(&place.dir, at, Some(known.0))?;
        self.untidy |= !is_tidy;
        Ok(())
    }

    /// Undoes an exchange. Where somebody has changed what was put in place by it, that goes to the trash.
    fn exchange_back(
        &mut self,
        place: &Place,
        temp: &[u8],
        new: Option<Kind>,
        slot: Slot,
    ) -> io::Result<()> {
        let Place { dir, name, .. } = place;
        match dir.exchange(temp, name) {
            Ok(()) => {}
            // Somebody has removed what was put there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return dir.rename(temp, dir, name);
            }
            Err(error) => return Err(error),
        }
        let is_ours = match (new, dir.look(temp)?) {
            (Some(Kind::File { stamp: one, .. }), Some(Kind::File { stamp: two, .. })) => {
                two == Stamp {
                    ctime: two.ctime,
                    ..one
                }
            }
            (Some(Kind::Link), Some(Kind::Link)) => true,
            _ => false,
        };
        if is_ours {
            self.not_ready.remove(&place.change);
        } else {
            self.untidy |= !slot.stow_also(dir, temp)?;
        }
        Ok(())
    }

    /// Whether an entry is gone; where it is a directory and something stays in it, that is told.
    pub(super) fn remove(
        &mut self,
        place: &Place,
        known: Known<'_>,
        slot: &Slot,
    ) -> Result<bool, Why> {
        let removed = self.remove_whole(place, known, slot);
        match (removed, known.1) {
            (Ok(true), _) => Ok(true),
            (Ok(false), Seen::Dir(seen)) => self.remove_children(place, seen, slot),
            // A directory that comes from a lower layer of the file system cannot be moved, even beside itself.
            (Err(Why::System(error)), Seen::Dir(seen))
                if error.kind() == io::ErrorKind::CrossesDevices =>
            {
                self.remove_children(place, seen, slot)
            }
            (Ok(false), _) => Err(Why::ChangedHere),
            (Err(why), _) => Err(why),
        }
    }

    /// Takes an entry away with all below it, if all is as it was seen.
    fn remove_whole(&mut self, place: &Place, known: Known<'_>, slot: &Slot) -> Result<bool, Why> {
        let Place {
            dir, name, aside, ..
        } = place;
        if self.expected.stands(dir, name, known)? != Found::Seen {
            return Ok(false);
        }
        dir.rename(name, dir, aside).map_err(gone_or)?;
        self.touch(place);
        let kept = self.keep(place, aside, known, slot);
        if kept.is_err() && self.move_back(place, slot).is_err() {
            self.untidy = true;
        }
        match kept {
            Ok(()) => Ok(true),
            Err(Why::ChangedHere) => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Undoes a move aside. Where somebody has put something new in the place, the old goes to the trash.
    pub(super) fn move_back(&mut self, place: &Place, slot: &Slot) -> io::Result<()> {
        let Place {
            dir, name, aside, ..
        } = place;
        match dir.rename(aside, dir, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.untidy |= !slot.clone().stow_also(dir, aside)?;
                Ok(())
            }
            moved => moved,
        }
    }

    /// Takes away what was seen in a directory, entry by entry, and the directory when nothing else is in it.
    fn remove_children(&mut self, place: &Place, seen: &SeenDir, slot: &Slot) -> Result<bool, Why> {
        let dir = Arc::new(place.dir.open_dir(&place.name).map_err(gone_or)?);
        // Of a directory with nothing in it that is synced there is nothing to keep.
        let slots = match seen.dir.is_empty() {
            true => None,
            false => Some(slot.make_dir()?),
        };
        let mark = self.applied.done.len();
        let mut all_gone = true;
        for (position, (name, _)) in seen.dir.iter().enumerate() {
            let place = Place {
                change: place.change,
                path: place.path.join(name),
                dir: dir.clone(),
                name: name.as_bytes().to_vec(),
                aside: self.cycle.temp(place.change, Part::OldChild(position)),
            };
            let known = seen.get(name).expect("BUG: one of its own names");
            let slots = slots.as_ref().expect("BUG: there is an entry");
            match self.remove(&place, known, &slots.slot(name.as_bytes())) {
                Ok(true) => self.done(&place.path, None),
                Ok(false) => all_gone = false,
                Err(why) if why.is_shortage() => return Err(why),
                Err(why) => {
                    all_gone = false;
                    let path = place.path;
                    self.applied.failed.push(Failure { path, why });
                }
            }
        }
        if !all_gone {
            return Ok(false);
        }
        match place.dir.remove_dir(&place.name) {
            Ok(()) => self.touch(place),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                return Err(Why::NotEmpty);
            }
            Err(error) => return Err(gone_or(error)),
        }
        self.applied.done.truncate(mark);
        Ok(true)
    }

    fn touch(&mut self, place: &Place) {
        self.touched.extend(place.path.parent());
    }
}
