//! Core events to the window and to toasts; the only code that emits.

use std::time::Instant;

use mizzen_core::menu::Navigate;
use mizzen_core::toast::{Surroundings, Toaster};
use mizzen_core::view::Event;
use serde::Serialize;
use tauri::{AppHandle, Emitter};
use tokio::sync::mpsc;

use crate::hosting::News;
use crate::shell::Shell;
use crate::windows;

/// Whether the window still hears the core; on `true` it asks for the snapshot again.
#[derive(Clone, Serialize)]
struct CoreLink<'a> {
    connected: bool,
    message: &'a str,
}

/// Delivers news until the shell ends.
pub(crate) async fn deliver(app: AppHandle, mut news: mpsc::Receiver<News>) {
    let mut toaster = Toaster::default();
    while let Some(news) = news.recv().await {
        match news {
            News::Connected => core_link(&app, true, ""),
            News::Lost(problem) => core_link(&app, false, &problem),
            News::Event(event) => {
                tell(&app, &mut toaster, &event);
                emit(&app, "core-event", &*event);
            }
        }
    }
}

pub(crate) fn core_link(app: &AppHandle, connected: bool, message: &str) {
    emit(app, "core-link", &CoreLink { connected, message });
}

pub(crate) fn navigate(app: &AppHandle, to: &Navigate) {
    emit(app, "navigate", to);
}

fn emit(app: &AppHandle, event: &str, payload: &(impl Serialize + Clone)) {
    // A page that is being torn down hears nothing, and needs nothing.
    if windows::exists(app)
        && let Err(error) = app.emit(event, payload)
    {
        tracing::debug!(event, %error, "the window did not hear");
    }
}

fn tell(app: &AppHandle, toaster: &mut Toaster, event: &Event) {
    let shell = Shell::of(app);
    let seen = windows::is_focused(app)
        .then(|| shell.looking.session())
        .flatten();
    let around = Surroundings {
        notifications: shell
            .snapshot()
            .is_some_and(|snapshot| snapshot.settings.notifications),
        looking_at: seen.as_deref(),
        now: Instant::now(),
    };
    if let Some(toast) = toaster.on_change(&event.change, around) {
        shell.toasts.show(toast);
    }
}
