//! Named tasks with an owner: every task has a name, ends with its owner, and shutdown has a deadline. And what tells all
//! of them that the machine slept.
//!
//! Invariant: this is the only crate that calls `tokio::spawn`.
//! Invariant: a task never outlives its owner; a dropped owner or handle is a stopped task.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

mod wakes;

pub use wakes::{Wakes, wakes};

/// Owns tasks; cheap to clone, and all clones are one owner.
#[derive(Clone)]
pub struct Owner {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    token: CancellationToken,
    tracker: TaskTracker,
    alive: Alive,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

/// Names of the tasks that still run. A std lock: held for a set operation, never across an await.
type Alive = Arc<Mutex<BTreeSet<String>>>;

impl Owner {
    /// Makes an owner that answers to nobody.
    #[must_use]
    pub fn root(name: &str) -> Self {
        Self::with(
            name.to_owned(),
            CancellationToken::new(),
            TaskTracker::new(),
            Alive::default(),
        )
    }

    /// Makes an owner that also stops when this one does, and whose tasks this one waits for.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let inner = &self.inner;
        Self::with(
            format!("{}/{name}", inner.name),
            inner.token.child_token(),
            inner.tracker.clone(),
            inner.alive.clone(),
        )
    }

    fn with(name: String, token: CancellationToken, tracker: TaskTracker, alive: Alive) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                token,
                tracker,
                alive,
            }),
        }
    }

    /// Runs a future until it ends or the owner stops.
    pub fn spawn<F>(&self, name: &str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.start(name, self.inner.token.clone(), future);
    }

    /// Runs a future until it ends, the owner stops, or the handle is dropped.
    #[must_use = "dropping the handle stops the task"]
    pub fn spawn_held<F>(&self, name: &str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.inner.token.child_token();
        self.start(name, token.clone(), future);
        Task { token }
    }

    fn start<F>(&self, name: &str, token: CancellationToken, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = format!("{}/{name}", self.inner.name);
        let listed = Listed::enter(self.inner.alive.clone(), name.clone());
        let span = tracing::debug_span!("task", name);
        let run = async move {
            let _listed = listed;
            // A cancelled task is dropped at its await point: cleanup belongs in Drop,
            // or in a future that watches `Owner::stopping` itself.
            token.run_until_cancelled_owned(future).await;
        };
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        let handle = tokio::spawn(self.inner.tracker.track_future(run.instrument(span)));
        drop(handle);
    }

    /// Resolves when the owner is told to stop.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.inner.token.clone()
    }

    /// Stops all tasks and waits for them; answers with the names of those that did not end in time.
    pub async fn shut_down(&self, deadline: Duration) -> Vec<String> {
        self.inner.token.cancel();
        self.inner.tracker.close();
        if tokio::time::timeout(deadline, self.inner.tracker.wait())
            .await
            .is_ok()
        {
            return Vec::new();
        }
        lock(&self.inner.alive).iter().cloned().collect()
    }
}

/// A running task; dropping it stops the task.
pub struct Task {
    token: CancellationToken,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

/// Keeps a task's name in the set while it runs, also when it panics.
struct Listed {
    alive: Alive,
    name: String,
}

impl Listed {
    fn enter(alive: Alive, name: String) -> Self {
        lock(&alive).insert(name.clone());
        Self { alive, name }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&self.alive).remove(&self.name);
    }
}

fn lock(alive: &Alive) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
    alive.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
