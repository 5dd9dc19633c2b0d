//! Hosts the core in this process, or attaches to a running one and takes its place when it ends.

use std::sync::Arc;
use std::time::Duration;

use mizzen_core::verb::ApiError;
use mizzen_core::view::{Event, Snapshot};
use mizzen_core::{Client, ConnectError, Core, CoreConfig, EventStream, FollowEnd};
use mizzen_tasks::Owner;
use tauri::AppHandle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::shell::Shell;

/// Between two attempts to reach or start a core.
const RETRY: Duration = Duration::from_millis(500);
/// News that wait for the window; one that is slower asks for the snapshot again.
const NEWS_MAX: usize = 4096;

/// What the core says, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    /// None while no core answers.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Why not, in words.
    pub(crate) problem: Option<String>,
}

/// What reaches the window and the toasts, in order.
#[derive(Debug)]
pub(crate) enum News {
    /// A snapshot was taken; earlier numbers are void.
    Connected,
    /// No core answers, and why.
    Lost(String),
    /// The next change.
    Event(Box<Event>),
}

/// The readers' side.
pub(crate) struct Link {
    pub(crate) board: watch::Receiver<Board>,
    pub(crate) client: watch::Receiver<Option<Client>>,
}

/// The host, or guest, of a core.
#[derive(Clone)]
pub(crate) struct Hosting {
    config: CoreConfig,
    board: watch::Sender<Board>,
    client: watch::Sender<Option<Client>>,
    news: mpsc::Sender<News>,
    stop: CancellationToken,
    /// Apart from the shell's tasks: the core must end by its own rules, not by being dropped.
    owner: Owner,
    ended: CancellationToken,
}

impl Hosting {
    pub(crate) fn new(config: CoreConfig) -> (Self, Link, mpsc::Receiver<News>) {
        let (news, heard) = mpsc::channel(NEWS_MAX);
        let hosting = Self {
            config,
            board: watch::Sender::default(),
            client: watch::Sender::default(),
            news,
            stop: CancellationToken::new(),
            owner: Owner::root("hosting"),
            ended: CancellationToken::new(),
        };
        let link = Link {
            board: hosting.board.subscribe(),
            client: hosting.client.subscribe(),
        };
        (hosting, link, heard)
    }

    pub(crate) fn spawn(&self, app: AppHandle) {
        let hosting = self.clone();
        self.owner
            .spawn("core", async move { hosting.run(app).await });
    }

    /// Ends the core when it is hosted here; another one goes on.
    pub(crate) async fn end(&self, deadline: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(deadline, self.ended.cancelled())
            .await
            .is_err()
        {
            tracing::warn!("the core did not end in time");
        }
    }

    async fn run(self, app: AppHandle) {
        let mut hosted = None;
        let asked_to_end = self.stop.clone();
        if asked_to_end
            .run_until_cancelled(self.serve(&mut hosted))
            .await
            .is_some()
        {
            Shell::of(&app).quit(&app);
        }
        self.client.send_replace(None);
        if let Some(core) = hosted {
            core.shut_down().await;
        }
        self.ended.cancel();
    }

    /// Stays connected, and returns only when somebody ended the core that is hosted here: whoever
    /// stops the core of a desktop means the desktop.
    async fn serve(&self, hosted: &mut Option<Core>) {
        loop {
            match self.reach(hosted).await {
                Ok((client, snapshot, events)) => {
                    let asked = async {
                        match hosted {
                            Some(core) => core.asked_to_stop().await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = asked => return,
                        end = self.follow(client, snapshot, events) => match end {
                            // Only numbers were missed: what is shown stays until the next snapshot.
                            FollowEnd::Lagged => self.tell(News::Lost(end.to_string())).await,
                            FollowEnd::Disconnected => self.lose(end.to_string()).await,
                        },
                    }
                }
                Err(error) => {
                    tracing::warn!(problem = %error, hint = error.hint, "no core");
                    self.lose(error.message).await;
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn reach(
        &self,
        hosted: &mut Option<Core>,
    ) -> Result<(Client, Snapshot, EventStream), ApiError> {
        let client = match Client::connect(&self.config.dirs).await {
            Err(ConnectError::NoCore) if hosted.is_none() => {
                // RACE: another process may take the lock first, or not have let go of it yet.
                // Either way this is an error, and the next attempt finds out which.
                *hosted = Some(Core::start(self.config.clone()).await?);
                Client::connect(&self.config.dirs).await?
            }
            connected => connected?,
        };
        tracing::info!(
            core = client.core_pid(),
            hosted = hosted.is_some(),
            "connected"
        );
        let (snapshot, events) = client.follow().await?;
        Ok((client, snapshot, events))
    }

    async fn follow(
        &self,
        client: Client,
        snapshot: Snapshot,
        mut events: EventStream,
    ) -> FollowEnd {
        self.board.send_replace(Board {
            snapshot: Some(Arc::new(snapshot)),
            problem: None,
        });
        self.client.send_replace(Some(client));
        self.tell(News::Connected).await;
        loop {
            let event = match events.next().await {
                Ok(event) => event,
                Err(end) => return end,
            };
            let mut follows = true;
            self.board.send_modify(|board| {
                if let Some(snapshot) = &mut board.snapshot {
                    follows = Arc::make_mut(snapshot).apply(&event);
                }
            });
            if !follows {
                return FollowEnd::Lagged;
            }
            self.tell(News::Event(Box::new(event))).await;
        }
    }

    async fn lose(&self, problem: String) {
        self.client.send_replace(None);
        let changed = self.board.send_if_modified(|board| {
            let changed = board.snapshot.is_some() || board.problem.as_ref() != Some(&problem);
            *board = Board {
                snapshot: None,
                problem: Some(problem.clone()),
            };
            changed
        });
        if changed {
            self.tell(News::Lost(problem)).await;
        }
    }

    async fn tell(&self, news: News) {
        // The listener ends before the core does: then nobody is left to be told.
        let _ = self.news.send(news).await;
    }
}
