//! The one snapshot, and every numbered change of it.

use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::view::{Change, Event, Snapshot};
use crate::world::Clock;

/// Events kept for followers that read slowly; who falls further behind asks again.
const EVENTS_KEPT: usize = 1024;

/// Holds the snapshot. Changes go through [`Snapshot::apply`], the same fold that clients use, so
/// that what they see and what a fresh snapshot says cannot differ.
pub(crate) struct Store {
    snapshot: Mutex<Snapshot>,
    events: broadcast::Sender<Arc<Event>>,
    clock: Clock,
}

impl Store {
    pub(crate) fn new(snapshot: Snapshot, clock: Clock) -> Self {
        Self {
            snapshot: Mutex::new(snapshot),
            events: broadcast::Sender::new(EVENTS_KEPT),
            clock,
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    /// Reads a part without copying the whole.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.lock())
    }

    /// The snapshot and every event after it, without a gap: both are taken under the lock.
    pub(crate) fn follow(&self) -> (Snapshot, broadcast::Receiver<Arc<Event>>) {
        let snapshot = self.lock();
        (snapshot.clone(), self.events.subscribe())
    }

    /// Numbers changes, folds them in and tells followers. Callers send real changes only.
    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        let mut snapshot = self.lock();
        for change in changes {
            let at = (self.clock)().to_string();
            let event = Event {
                revision: snapshot.revision + 1,
                at,
                change,
            };
            let folded = snapshot.apply(&event);
            assert!(folded, "BUG: the next revision leaves no gap");
            // Nobody follows: nothing to tell.
            let _nobody = self.events.send(Arc::new(event));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
