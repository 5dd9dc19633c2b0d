//! Workspaces of sessions, kept in step with their folders.
//!
//! Sessions say when a workspace begins and ends to be kept. Each has a keeper, and each keeper a link at a time.

mod answering;
mod keeper;
mod opening;
mod pause;
mod shared;
mod standing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizzen_fsx::PathError;
use mizzen_sessions::{InStep, SessionFact, SyncedWorkspace, Syncing};
use mizzen_sync::told::Answer;
use mizzen_sync::{Link, Order, Question, Refusal};
use mizzen_tasks::{Owner, Task};
use tokio::sync::watch;

use crate::verb::ApiError;
use crate::view::{SyncAnswer, SyncQuestion, SyncView};
use crate::world::Clock;

use shared::Shared;

/// Between two views of one workspace that clients are told: a build changes files without end.
const VIEW_PAUSE: Duration = Duration::from_millis(200);

/// How each workspace that is kept stands, by its session's key.
pub(crate) type SyncViews = BTreeMap<String, SyncView>;

/// All synced workspaces; cheap to clone.
#[derive(Clone)]
pub(crate) struct Links(Arc<Inner>);

struct Inner {
    owner: Owner,
    /// Where links remember.
    state: PathBuf,
    /// Git's ignore file for all repositories.
    git_global: Option<PathBuf>,
    clock: Clock,
    views: watch::Sender<SyncViews>,
    /// Those that are kept, by their session's key. A std lock: held for a map operation, never across an await.
    kept: Mutex<BTreeMap<String, Arc<Shared>>>,
}

impl Links {
    /// Remembers below `state`.
    pub(crate) fn new(
        owner: &Owner,
        state: PathBuf,
        git_global: Option<PathBuf>,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            owner: owner.child("sync"),
            state,
            git_global,
            clock,
            views: watch::Sender::default(),
            kept: Mutex::default(),
        }))
    }

    /// How all of them stand, now and as it changes.
    pub(crate) fn views(&self) -> watch::Receiver<SyncViews> {
        self.0.views.subscribe()
    }

    /// Looks at everything of a workspace now, also while it is paused. With `consent`, a person has agreed to what had
    /// stopped it.
    pub(crate) async fn flush(&self, key: &str, consent: bool) -> Option<Result<String, String>> {
        let shared = self.find(key)?;
        if consent {
            shared.orders(Order::Consent);
        }
        let flushed = shared.flush().await;
        self.show(key);
        Some(flushed)
    }

    /// Asks a workspace's link, between two cycles.
    pub(crate) async fn ask(
        &self,
        key: &str,
        question: SyncQuestion,
    ) -> Option<Result<Result<SyncAnswer, ApiError>, String>> {
        let shared = self.find(key)?;
        let answered = match Question::try_from(question) {
            Ok(question) => {
                let ask = move |link: &mut Link| mizzen_sync::answer(link, &question);
                shared.ask(ask).await
            }
            Err(refusal) => Ok(Err(refusal)),
        };
        let told = |answered: Result<Answer, Refusal>| {
            let answered = answered.map(SyncAnswer::from);
            answered.map_err(|refusal| answering::refused(&refusal, &shared.session))
        };
        Some(answered.map(told))
    }

    /// Stops carrying until it is resumed, also over a restart of the session or of the core.
    pub(crate) fn pause(&self, session: &SessionFact) -> Result<(), PathError> {
        let key = session.name.key();
        pause::pause(self.state(), &key, session.created_at)?;
        if let Some(shared) = self.find(&key) {
            shared.pauses(true);
            self.show(&key);
        }
        Ok(())
    }

    /// Goes on after a pause.
    pub(crate) fn resume(&self, session: &SessionFact) -> Result<(), PathError> {
        let key = session.name.key();
        pause::resume(self.state(), &key)?;
        if let Some(shared) = self.find(&key) {
            shared.pauses(false);
            self.show(&key);
        }
        Ok(())
    }

    fn state(&self) -> &Path {
        &self.0.state
    }

    fn git_global(&self) -> Option<&Path> {
        self.0.git_global.as_deref()
    }

    fn find(&self, key: &str) -> Option<Arc<Shared>> {
        self.lock().get(key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Shared>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a workspace as it stands now.
    fn show(&self, key: &str) {
        let kept = self.lock();
        let view = kept.get(key).map(|shared| shared.view());
        self.0.views.send_if_modified(|views| match view {
            Some(view) => views.insert(key.to_owned(), view.clone()) != Some(view),
            None => views.remove(key).is_some(),
        });
    }

    /// Shows it from now on, as often as somebody may want to see.
    async fn keep_showing(self, shared: Arc<Shared>) {
        let mut changes = shared.changes();
        loop {
            self.show(&shared.key);
            if changes.changed().await.is_err() {
                return;
            }
            self.show(&shared.key);
            tokio::time::sleep(VIEW_PAUSE).await;
        }
    }
}

impl Syncing for Links {
    fn begin(&self, workspace: SyncedWorkspace) -> Arc<dyn InStep> {
        let key = workspace.session.key();
        let is_paused = pause::is_paused(self.state(), &key, workspace.created_at);
        let name = workspace.session.to_string();
        let shared = Arc::new(Shared::new(
            name,
            key.clone(),
            self.0.clock.clone(),
            is_paused,
        ));
        self.lock().insert(key.clone(), shared.clone());
        let keep = keeper::keep(self.clone(), shared.clone(), workspace);
        let show = self.clone().keep_showing(shared.clone());
        Arc::new(Kept {
            _tasks: [
                self.0.owner.spawn_held(&format!("keep:{key}"), keep),
                self.0.owner.spawn_held(&format!("show:{key}"), show),
            ],
            links: self.clone(),
            shared,
        })
    }
}

/// A workspace that is kept in step until this is dropped.
struct Kept {
    links: Links,
    shared: Arc<Shared>,
    _tasks: [Task; 2],
}

impl InStep for Kept {
    fn flush(&self) -> mizzen_sessions::Flushing {
        let shared = self.shared.clone();
        Box::pin(async move { shared.flush_unless_paused().await })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let key = &self.shared.key;
        let mut kept = self.links.lock();
        // RACE: the next one of the same session may have begun.
        if kept
            .get(key)
            .is_some_and(|other| Arc::ptr_eq(other, &self.shared))
        {
            kept.remove(key);
        }
        drop(kept);
        self.links.show(key);
    }
}
