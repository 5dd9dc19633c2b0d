//! Workspaces of sessions, kept in step with their folders.
//!
//! Sessions say when a workspace begins and ends to be kept. Each has a keeper, and each keeper a link at a time; or its
//! container keeps it, and is only asked.

mod answering;
mod harmless;
mod keeper;
mod kept;
mod mirrored;
mod opening;
mod pause;
mod shared;
mod standing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizzen_fsx::PathError;
use mizzen_sessions::{
    Flushing, InStep, Saying, SessionFact, SyncedWorkspace, Syncing, WorkspaceKind,
};
use mizzen_sync::{Order, Question, Refusal};
use mizzen_tasks::{Owner, Task};
use tokio::sync::watch;

use crate::verb::ApiError;
use crate::view::{SyncAnswer, SyncQuestion, SyncView};
use crate::world::Clock;

use kept::Workspace;
use mirrored::Mirrored;
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
    kept: Mutex<BTreeMap<String, Workspace>>,
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
        let flushed = self.find(key)?.flush(consent).await;
        self.show(key);
        Some(flushed)
    }

    /// Has every link look at everything, and each that waits before another attempt wait no longer.
    pub(crate) fn look_again(&self) {
        for workspace in self.lock().values() {
            // What a container keeps by itself it looks at in its own time.
            if let Workspace::Linked(shared) = workspace {
                shared.orders(Order::Everything);
                shared.retry.notify_one();
            }
        }
    }

    /// Asks a workspace's link, between two cycles.
    pub(crate) async fn ask(
        &self,
        key: &str,
        question: SyncQuestion,
    ) -> Option<Result<Result<SyncAnswer, ApiError>, String>> {
        let workspace = self.find(key)?;
        let answered = match Question::try_from(question) {
            Ok(question) => workspace.ask(question).await,
            Err(refusal) => Ok(Err(refusal)),
        };
        let told = |answered: Result<SyncAnswer, Refusal>| {
            answered.map_err(|refusal| answering::refused(&refusal, workspace.session()))
        };
        Some(answered.map(told))
    }

    /// Stops carrying until it is resumed, also over a restart of the session or of the core.
    pub(crate) fn pause(&self, session: &SessionFact) -> Result<(), PathError> {
        let key = session.name.key();
        pause::pause(self.state(), &key, session.created_at)?;
        if let Some(Workspace::Linked(shared)) = self.find(&key) {
            shared.pauses(true);
            self.show(&key);
        }
        Ok(())
    }

    /// Has the container that keeps a workspace stop or go on; why it does not, in a sentence. None when it does not run.
    pub(crate) async fn pause_there(&self, key: &str, paused: bool) -> Option<Result<(), String>> {
        match self.find(key)? {
            Workspace::Mirrored(mirrored) => Some(mirrored.pause(paused).await),
            Workspace::Linked(_) => None,
        }
    }

    /// Goes on after a pause.
    pub(crate) fn resume(&self, session: &SessionFact) -> Result<(), PathError> {
        let key = session.name.key();
        pause::resume(self.state(), &key)?;
        if let Some(Workspace::Linked(shared)) = self.find(&key) {
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

    fn find(&self, key: &str) -> Option<Workspace> {
        self.lock().get(key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Workspace>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a workspace as it stands now.
    fn show(&self, key: &str) {
        let kept = self.lock();
        let view = kept.get(key).map(Workspace::view);
        self.0.views.send_if_modified(|views| match view {
            Some(view) => views.insert(key.to_owned(), view.clone()) != Some(view),
            None => views.remove(key).is_some(),
        });
    }

    /// Shows it from now on, as often as somebody may want to see.
    async fn keep_showing(self, workspace: Workspace) {
        let mut changes = workspace.changes();
        loop {
            self.show(workspace.key());
            if changes.changed().await.is_err() {
                return;
            }
            self.show(workspace.key());
            tokio::time::sleep(VIEW_PAUSE).await;
        }
    }
}

impl Syncing for Links {
    fn begin(&self, workspace: SyncedWorkspace) -> Arc<dyn InStep> {
        let key = workspace.session.key();
        let name = workspace.session.to_string();
        let owner = &self.0.owner;
        let keep = format!("keep:{key}");
        let (kept, keeping) = match workspace.kind {
            WorkspaceKind::Mirror => {
                let mirrored = Mirrored::new(name, key.clone(), workspace.wires);
                let mirrored = Arc::new(mirrored);
                let follow = mirrored.clone();
                let following = owner.spawn_held(&keep, async move { follow.follow().await });
                (Workspace::Mirrored(mirrored), following)
            }
            WorkspaceKind::Bind | WorkspaceKind::Sync => {
                let is_paused = pause::is_paused(self.state(), &key, workspace.created_at);
                let clock = self.0.clock.clone();
                let shared = Arc::new(Shared::new(name, key.clone(), clock, is_paused));
                let kept = keeper::keep(self.clone(), shared.clone(), workspace);
                (Workspace::Linked(shared), owner.spawn_held(&keep, kept))
            }
        };
        self.lock().insert(key.clone(), kept.clone());
        let show = self.clone().keep_showing(kept.clone());
        Arc::new(Kept {
            _tasks: [keeping, owner.spawn_held(&format!("show:{key}"), show)],
            links: self.clone(),
            workspace: kept,
        })
    }
}

/// A workspace that is kept in step until this is dropped.
struct Kept {
    links: Links,
    workspace: Workspace,
    _tasks: [Task; 2],
}

impl InStep for Kept {
    fn flush(&self, say: Saying) -> Flushing {
        let workspace = self.workspace.clone();
        Box::pin(async move {
            let mut changes = workspace.changes();
            let mut flushing = pin!(workspace.flush_unless_paused());
            loop {
                tokio::select! {
                    flushed = &mut flushing => return flushed,
                    Ok(()) = changes.changed() => {
                        let progress = changes.borrow_and_update().progress;
                        progress.iter().for_each(|progress| say(progress.to_string()));
                    }
                }
            }
        })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let key = self.workspace.key();
        let mut kept = self.links.lock();
        // RACE: the next one of the same session may have begun.
        if kept.get(key).is_some_and(|other| other.is(&self.workspace)) {
            kept.remove(key);
        }
        drop(kept);
        self.links.show(key);
    }
}

#[cfg(test)]
impl Links {
    /// Keeps a workspace whose link is whoever receives its orders.
    pub(crate) fn keep_for_test(&self, session: &str) -> std::sync::mpsc::Receiver<Order> {
        let (ordered, orders) = std::sync::mpsc::channel();
        let clock = self.0.clock.clone();
        let shared = Arc::new(Shared::new(session.into(), session.into(), clock, false));
        let turn = shared.begins();
        shared.is_kept(turn, &ordered);
        let kept = Workspace::Linked(shared);
        self.lock().insert(session.into(), kept);
        orders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_machine_that_wakes_has_every_link_look_at_everything_and_nobody_wait() {
        let owner = Owner::root("test");
        let clock: Clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
        let links = Links::new(&owner, PathBuf::new(), None, clock.clone());
        let orders = links.keep_for_test("web");
        let waiting = Shared::new("api".into(), "api".into(), clock, false);
        let waiting = Arc::new(waiting);
        let _turn = waiting.begins();
        let kept = Workspace::Linked(waiting.clone());
        links.lock().insert("api".into(), kept);
        links.look_again();
        assert!(matches!(orders.try_recv(), Ok(Order::Everything)));
        waiting.retry.notified().await;
    }
}
