//! The mirror of Docker contexts, as the core runs it: looks when something may have changed, tells how things stand, and
//! does what a person asks between two passes.

mod answering;
mod keeper;
mod watched;
mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_contexts::mirror::{MirrorOptions, Wishes, World};
use mizzen_tasks::{Owner, Wakes};
use tokio::sync::{mpsc, oneshot, watch};

use crate::verb::{ApiError, ErrorCode};
use crate::view::{ContextsAnswer, ContextsQuestion, ContextsView, Settings};
use crate::world::{Clock, CoreConfig};

use keeper::Keeper;

/// Questions that wait for the keeper.
const ASKS_MAX: usize = 16;
/// News that wait for the publisher; more are in the history, and nobody reads so many.
const NEWS_MAX: usize = 64;
/// The side that devcontainers mount, below the home directory.
const CONTAINER_SIDE: &str = ".docker-cai";

/// A question, and where its answer goes.
pub(crate) struct Ask {
    question: ContextsQuestion,
    answer: oneshot::Sender<Result<ContextsAnswer, ApiError>>,
}

/// What a person should hear once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A container changed a context that the host has, too.
    Changed {
        name: String,
        message: String,
        /// Its number in the history.
        change: u64,
        /// That of the first change in an unbroken row by containers.
        since: u64,
    },
    /// Both sides changed it, and one version went to the trash.
    Decided {
        name: String,
        message: String,
        change: u64,
    },
    /// That was taken back.
    TakenBack { name: String },
}

/// The one mirror of a user; cheap to clone.
#[derive(Clone)]
pub(crate) struct Contexts {
    asks: mpsc::Sender<Ask>,
    views: watch::Receiver<ContextsView>,
    moves: watch::Receiver<()>,
}

impl Contexts {
    /// Starts to keep both sides in step, once there are two.
    pub(crate) fn start(
        owner: &Owner,
        config: &CoreConfig,
        settings: watch::Receiver<Settings>,
        wakes: Wakes,
    ) -> (Self, mpsc::Receiver<News>) {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let (news, told) = mpsc::channel(NEWS_MAX);
        let (shown, views) = watch::channel(ContextsView::default());
        let (moved, moves) = watch::channel(());
        let options = options(config, &settings.borrow());
        let keeper = Keeper::new(options, shown, news, moved);
        owner.spawn("contexts", keeper.run(asked, settings, wakes));
        let contexts = Self { asks, views, moves };
        (contexts, told)
    }

    /// How it stands, now and as it changes.
    pub(crate) fn views(&self) -> watch::Receiver<ContextsView> {
        self.views.clone()
    }

    /// Told of whenever something in a store may have changed, whether or not there are two to keep in step.
    pub(crate) fn moves(&self) -> watch::Receiver<()> {
        self.moves.clone()
    }

    pub(crate) async fn ask(&self, question: ContextsQuestion) -> Result<ContextsAnswer, ApiError> {
        let (answer, answered) = oneshot::channel();
        let asked = self.asks.send(Ask { question, answer }).await.is_ok();
        let gone = || {
            let hint = "start Mizzen again and repeat it";
            ApiError::new(ErrorCode::CoreUnreachable, "Mizzen is shutting down", hint)
        };
        if !asked {
            return Err(gone());
        }
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// None where the user has no home.
fn options(config: &CoreConfig, settings: &Settings) -> Option<MirrorOptions> {
    let home = config.home.clone()?;
    let named = config.var("DOCKER_CONFIG").map(PathBuf::from);
    let clock = config.clock.clone();
    Some(MirrorOptions {
        host: named.unwrap_or_else(|| home.join(".docker")),
        container: home.join(CONTAINER_SIDE),
        state: config.dirs.state.join("contexts"),
        wishes: wishes(settings),
        world: Arc::new(CoreWorld {
            clock,
            started: Instant::now(),
        }),
    })
}

fn wishes(settings: &Settings) -> Wishes {
    let no_sync: BTreeSet<String> = settings.contexts_no_sync.iter().cloned().collect();
    Wishes {
        strict: settings.contexts_strict,
        socket: settings.contexts_socket.clone(),
        no_sync,
    }
}

struct CoreWorld {
    clock: Clock,
    started: Instant,
}

impl World for CoreWorld {
    fn now(&self) -> jiff::Timestamp {
        (self.clock)()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
