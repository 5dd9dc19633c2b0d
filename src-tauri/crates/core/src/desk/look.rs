//! Who looks at which session: statistics are sampled for these and no others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use mizzen_sessions::{Sessions, State};
use mizzen_tasks::{Owner, Task};
use tokio::sync::watch;

use super::Desk;
use crate::publisher::Usages;
use crate::translate::Usage;
use crate::verb::ApiError;

/// Before a stream of samples that broke is opened again.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// Counts lookers and samples while there are any.
#[derive(Clone)]
pub(crate) struct Looks {
    owner: Owner,
    sessions: Sessions,
    usages: watch::Sender<Usages>,
    /// A std lock: held for a map operation, never across an await.
    sampled: Arc<Mutex<BTreeMap<String, Sampled>>>,
}

struct Sampled {
    lookers: usize,
    _task: Task,
}

impl Looks {
    pub(crate) fn new(owner: &Owner, sessions: Sessions, usages: watch::Sender<Usages>) -> Self {
        Self {
            owner: owner.child("looks"),
            sessions,
            usages,
            sampled: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Sampled>> {
        self.sampled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, key: String) -> Looking {
        let mut sampled = self.lock();
        match sampled.get_mut(&key) {
            Some(sampled) => sampled.lookers += 1,
            None => {
                let sample = sample(self.sessions.clone(), key.clone(), self.usages.clone());
                let task = self.owner.spawn_held(&key, sample);
                sampled.insert(
                    key.clone(),
                    Sampled {
                        lookers: 1,
                        _task: task,
                    },
                );
            }
        }
        drop(sampled);
        Looking {
            looks: self.clone(),
            key,
        }
    }

    fn leave(&self, key: &str) {
        let mut sampled = self.lock();
        let Some(one) = sampled.get_mut(key) else {
            return;
        };
        one.lookers -= 1;
        if one.lookers == 0 {
            sampled.remove(key);
            self.usages
                .send_if_modified(|usages| usages.remove(key).is_some());
        }
    }
}

/// Somebody looks at a session, until this is dropped.
pub(crate) struct Looking {
    looks: Looks,
    key: String,
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.looks.leave(&self.key);
    }
}

impl Desk {
    pub(crate) fn look(&self, session: &str) -> Result<Looking, ApiError> {
        let fact = self.fact(session)?;
        Ok(self.looks.enter(fact.name.key()))
    }
}

/// Samples while the session runs.
async fn sample(sessions: Sessions, key: String, usages: watch::Sender<Usages>) {
    let mut facts = sessions.watch();
    loop {
        let runs = |facts: &Arc<mizzen_sessions::Facts>| {
            facts
                .get(&key)
                .is_some_and(|fact| fact.state == State::Running)
        };
        if facts.wait_for(runs).await.is_err() {
            return;
        }
        // Its end means that the container ended or froze, or that the engine went away.
        tokio::select! {
            () = sample_once(&sessions, &key, &usages) => {}
            _ = facts.wait_for(|facts| !runs(facts)) => {}
        }
        usages.send_if_modified(|usages| usages.remove(&key).is_some());
        tokio::time::sleep(REOPEN_PAUSE).await;
    }
}

async fn sample_once(sessions: &Sessions, key: &str, usages: &watch::Sender<Usages>) {
    let Ok(samples) = sessions.stats(key).await else {
        return;
    };
    let mut samples = std::pin::pin!(samples);
    let mut own = sessions.own_figures(key).await.ok();
    while let Some(Ok(sample)) = samples.next().await {
        // The first sample knows no time before it.
        let cpu_percent = sample.cpu_percent.unwrap_or(0.0);
        let said = match &mut own {
            Some(own) => own.look().await,
            None => None,
        };
        let usage = Usage {
            cpu_percent,
            memory_bytes: sample.memory_bytes,
            pids: sample.pids,
            disk: said.and_then(|said| said.disk_bytes.zip(said.disk_free_bytes)),
        };
        usages.send_modify(|usages| {
            usages.insert(key.to_owned(), usage);
        });
    }
}
