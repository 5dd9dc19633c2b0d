//! Who holds memory now: the one place where two starts at the same moment meet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::SessionError;
use crate::limits::{Room, SessionSettings, find_room};

/// Promised memory by session key, for each engine by its name. A std lock: held for a map operation, never across an
/// await.
#[derive(Default)]
pub(crate) struct Slots(Mutex<BTreeMap<String, BTreeMap<String, u64>>>);

impl Slots {
    /// Takes a slot if there is room; a session that has one keeps it.
    pub(crate) fn take(
        &self,
        (engine, key): (&str, &str),
        memory: u64,
        settings: &SessionSettings,
        engine_memory: Option<u64>,
    ) -> Result<Room, SessionError> {
        let mut engines = self.lock();
        let held = engines.entry(engine.to_owned()).or_default();
        if held.contains_key(key) {
            return Ok(Room { warning: None });
        }
        let room = find_room(engine, held, memory, settings, engine_memory)?;
        held.insert(key.to_owned(), memory);
        Ok(room)
    }

    /// Notes a session that runs, whether there is room or not: the engine has decided.
    pub(crate) fn hold(&self, (engine, key): (&str, &str), memory: u64) {
        let mut engines = self.lock();
        let held = engines.entry(engine.to_owned()).or_default();
        held.insert(key.to_owned(), memory);
    }

    /// Gives a slot back.
    pub(crate) fn free(&self, (engine, key): (&str, &str)) {
        if let Some(held) = self.lock().get_mut(engine) {
            held.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
