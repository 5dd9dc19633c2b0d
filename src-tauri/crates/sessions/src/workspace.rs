//! How a workspace reaches its container, and what sessions ask of whoever keeps one in step with its folder.
//!
//! Sessions say when; how it is done they do not know.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use mizzen_docker::Engine;
use mizzen_wire::Wire;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::identity::Identity;
use crate::name::SessionName;
use crate::wiring::Line;

/// How a workspace reaches its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceKind {
    /// The project folder itself is mounted.
    Bind,
    /// A volume of the session's own, kept in step with the project folder.
    Sync,
    /// Both: the folder is mounted beside the volume, and the container keeps them in step by itself.
    Mirror,
}

impl WorkspaceKind {
    /// All of them.
    const ALL: [Self; 3] = [Self::Bind, Self::Sync, Self::Mirror];

    /// What a session is made with when nobody says otherwise.
    pub const NEW: Self = Self::Sync;

    /// What a session has that was made before there was a choice.
    pub(crate) fn of_old() -> Self {
        Self::Bind
    }

    /// As people, labels and files name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Sync => "sync",
            Self::Mirror => "mirror",
        }
    }

    /// Whether the workspace is a volume, and not the folder itself.
    #[must_use]
    pub fn has_volume(self) -> bool {
        self != Self::Bind
    }

    /// The kind of this word; an older container has none.
    pub(crate) fn of_word(word: Option<&str>) -> Option<Self> {
        match word {
            None => Some(Self::of_old()),
            Some(word) => Self::ALL.into_iter().find(|kind| kind.word() == word),
        }
    }
}

/// A workspace that is to be kept in step.
#[derive(Clone)]
pub struct SyncedWorkspace {
    /// Whose session it is.
    pub owner: Identity,
    /// The session.
    pub session: SessionName,
    /// When the session was made.
    pub created_at: Timestamp,
    /// Its folder on this machine.
    pub project: PathBuf,
    /// Where its container runs.
    pub engine: Engine,
    /// Who keeps it: the core, or its container.
    pub kind: WorkspaceKind,
    /// The volume that holds the workspace there.
    pub volume: String,
    /// How to speak with the container.
    pub wires: Wires,
}

/// The wires to one container, one after the other as they are made.
#[derive(Clone)]
pub struct Wires(pub(crate) watch::Receiver<Line>);

impl Wires {
    /// Waits until one stands; none when there will be no more.
    pub async fn next(&mut self) -> Option<Wire> {
        loop {
            // RACE: the last one may have ended, and nobody has said so yet.
            if let Line::Up(wire) = &*self.0.borrow_and_update()
                && !wire.is_closed()
            {
                return Some(wire.clone());
            }
            self.0.changed().await.ok()?;
        }
    }
}

/// Keeps workspaces in step with their folders.
pub trait Syncing: Send + Sync {
    /// Keeps this one in step from now on, whenever a wire stands, until the answer is dropped.
    fn begin(&self, workspace: SyncedWorkspace) -> Arc<dyn InStep>;
}

/// A workspace that is kept in step as long as this is held.
pub trait InStep: Send + Sync {
    /// Looks at everything on both sides, carries what is to be carried, and says what that came to. While that takes its
    /// time, it says how far it has come.
    fn flush(&self, say: Saying) -> Flushing;
}

/// Hears lines that say how far something has come.
pub type Saying = Box<dyn Fn(String) + Send + Sync>;

/// A [`InStep::flush`] under way.
pub type Flushing = Pin<Box<dyn Future<Output = Flushed> + Send>>;

/// What a look at everything came to; each says so in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Both sides hold the same, or all of it that a person has to see to is told.
    Carried {
        /// What that came to.
        said: String,
        /// What the container alone has; none when the folder has all that is to be carried.
        only_there: Option<String>,
    },
    /// It did not come to its end.
    Failed(String),
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use mizzen_tasks::Owner;
    use mizzen_wire::Hello;
    use tokio::sync::watch;

    use super::{InStep, SyncedWorkspace, Syncing, Wires, WorkspaceKind};
    use crate::wiring::Line;

    const SOON: Duration = Duration::from_secs(10);

    /// For sessions of which none is synced.
    pub(crate) struct NothingToSync;

    impl Syncing for NothingToSync {
        fn begin(&self, workspace: SyncedWorkspace) -> Arc<dyn InStep> {
            panic!("{} is not synced", workspace.session);
        }
    }

    #[test]
    fn a_kind_is_known_by_its_word_and_an_older_container_by_having_none() {
        for kind in WorkspaceKind::ALL {
            assert_eq!(WorkspaceKind::of_word(Some(kind.word())), Some(kind));
        }
        assert_eq!(WorkspaceKind::of_word(None), Some(WorkspaceKind::Bind));
        assert_eq!(WorkspaceKind::of_word(Some("elsewhere")), None);
    }

    #[tokio::test]
    async fn a_wire_that_has_ended_is_not_given_out_although_nobody_has_said_so_yet() {
        let [owner, container] = ["core", "container"].map(Owner::root);
        let line = watch::Sender::new(Line::Down(None));
        let mut wires = Wires(line.subscribe());
        let (here, there) = tokio::io::duplex(1024);
        let nobody = || io::Error::other("nobody listens");
        let hello = || Hello::new("test", "1");
        let (wire, accepted) = tokio::join!(
            mizzen_wire::connect(&owner, here, hello(), None),
            mizzen_wire::accept(&container, there, hello(), |_| async { Err(nobody()) }),
        );
        let (wire, _accepted) = (wire.unwrap(), accepted.unwrap());
        line.send_replace(Line::Up(wire.clone()));
        assert!(wires.next().await.is_some());
        container.shut_down(SOON).await;
        wire.closed().await;
        let waiting = tokio::time::timeout(Duration::from_millis(1), wires.next());
        assert!(waiting.await.is_err());
        drop(line);
        assert!(wires.next().await.is_none());
    }
}
