//! What the parts of the shell share, and the order in which they start and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mizzen_core::verb::{ApiError, ErrorCode};
use mizzen_core::view::Snapshot;
use mizzen_core::{Client, CoreConfig, Dirs};
use mizzen_tasks::Owner;
use tauri::{AppHandle, Manager};
use tokio::sync::watch;

use crate::commands::LogFollowers;
use crate::hosting::{Board, Hosting, Link};
use crate::looking::Looking;
use crate::notify::{self, Toasts};
use crate::tray::TrayState;
use crate::windows::Place;
use crate::{events, icons, login, looking, signals, tray};

/// Tauri's managed state: one per process.
pub(crate) struct Shell {
    pub(crate) dirs: Dirs,
    pub(crate) tasks: Owner,
    pub(crate) toasts: Box<dyn Toasts>,
    pub(crate) looking: Looking,
    pub(crate) place: Place,
    pub(crate) followers: LogFollowers,
    pub(crate) start_at_login: watch::Sender<bool>,
    pub(crate) tray: TrayState,
    link: Link,
    hosting: Hosting,
    quitting: AtomicBool,
}

impl Shell {
    /// Starts every part: first the tray, which can be seen, then the core behind it.
    pub(crate) fn start(app: &AppHandle, config: CoreConfig) {
        let tasks = Owner::root("desktop");
        let (hosting, link, news) = Hosting::new(config.clone());
        let shell = Self {
            toasts: notify::toasts(app, &tasks, icons::for_toasts(&config.dirs)),
            dirs: config.dirs,
            tasks: tasks.clone(),
            looking: Looking::default(),
            place: Place::default(),
            followers: LogFollowers::default(),
            start_at_login: watch::Sender::new(login::is_on(app)),
            tray: TrayState::default(),
            link,
            hosting: hosting.clone(),
            quitting: AtomicBool::new(false),
        };
        app.manage(shell);
        tasks.spawn("signals", signals::obey(app.clone()));
        // Here and now: a window that is asked for would keep the main thread from it for a while.
        let icon = tray::build(app);
        tasks.spawn("tray", tray::keep(app.clone(), icon));
        tasks.spawn("events", events::deliver(app.clone(), news));
        tasks.spawn("looking", looking::keep(app.clone()));
        hosting.spawn(app.clone());
    }

    pub(crate) fn of(app: &AppHandle) -> tauri::State<'_, Self> {
        app.state()
    }

    /// The connection to the core, when there is one.
    pub(crate) fn client(&self) -> Result<Client, ApiError> {
        let board = self.link.board.borrow();
        self.link.client.borrow().clone().ok_or_else(|| ApiError {
            code: ErrorCode::CoreUnreachable,
            message: board
                .problem
                .clone()
                .unwrap_or_else(|| "the core is starting".to_owned()),
            hint: "try again in a moment".to_owned(),
        })
    }

    pub(crate) fn clients(&self) -> watch::Receiver<Option<Client>> {
        self.link.client.clone()
    }

    pub(crate) fn board(&self) -> watch::Receiver<Board> {
        self.link.board.clone()
    }

    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.link.board.borrow().snapshot.clone()
    }

    /// Whether closing the window leaves something behind to come back by.
    pub(crate) fn lives_in_tray(&self) -> bool {
        self.tray.is_built() && !self.quitting.load(Ordering::Relaxed)
    }

    /// Ends the application in order; sessions keep running.
    pub(crate) fn quit(&self, app: &AppHandle) {
        self.quitting.store(true, Ordering::Relaxed);
        app.exit(0);
    }

    /// Ends what was started, the core last.
    pub(crate) async fn shut_down(&self, deadline: Duration) {
        let late = self.tasks.shut_down(deadline / 10).await;
        if !late.is_empty() {
            tracing::warn!(?late, "tasks did not end");
        }
        self.hosting.end(deadline - deadline / 10).await;
    }
}
