//! Toasts on the session bus (`org.freedesktop.Notifications`), with actions and replacement.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_core::menu::Action;
use mizzen_core::toast::{Toast, Urgency};
use mizzen_core::view::{ContextsAnswer, ContextsQuestion};
use mizzen_tasks::{Owner, Task};
use notify_rust::{Hint, Notification, NotificationResponse};
use tauri::AppHandle;

use super::Toasts;
use crate::actions;
use crate::shell::Shell;

/// The action that takes back what a toast tells of.
const UNDO: &str = "undo";
/// Toasts whose keys are remembered, so that a newer one can replace them.
const SHOWN_MAX: usize = 64;

pub(super) struct Bus {
    app: AppHandle,
    tasks: Owner,
    icon: Option<PathBuf>,
    shown: Mutex<BTreeMap<String, Shown>>,
}

/// A toast on screen, as far as is known.
struct Shown {
    /// The server's number; 0 until it has answered.
    id: Arc<AtomicU32>,
    /// Waits for a click. Replacing it ends the wait: the server's number stays, and one click
    /// must not be heard twice.
    _wait: Task,
}

impl Bus {
    pub(super) fn new(app: AppHandle, tasks: Owner, icon: Option<PathBuf>) -> Self {
        Self {
            app,
            tasks,
            icon,
            shown: Mutex::default(),
        }
    }

    fn notification(&self, toast: &Toast, replaces: u32) -> Notification {
        let mut notification = Notification::new();
        notification
            .appname("Mizzen")
            .summary(&toast.title)
            .body(&toast.body)
            .urgency(match toast.urgency {
                Urgency::Normal => notify_rust::Urgency::Normal,
                Urgency::Critical => notify_rust::Urgency::Critical,
            })
            .hint(Hint::DesktopEntry("mizzen-desktop".to_owned()))
            .action("default", "Open")
            .action("open", "Open")
            .id(replaces);
        if toast.undo.is_some() {
            notification.action(UNDO, "Undo");
        }
        if let Some(icon) = &self.icon {
            notification.icon(&icon.to_string_lossy());
        }
        notification
    }
}

impl Toasts for Bus {
    fn show(&self, toast: Toast) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let id = shown
            .remove(&toast.key)
            .map(|old| old.id)
            .unwrap_or_default();
        let notification = self.notification(&toast, id.load(Ordering::Relaxed));
        tracing::info!(key = toast.key, title = toast.title, "toast");
        let work = present(self.app.clone(), notification, id.clone(), toast.clone());
        let wait = self.tasks.spawn_held(&format!("toast:{}", toast.key), work);
        if shown.len() >= SHOWN_MAX {
            shown.pop_first();
        }
        shown.insert(toast.key, Shown { id, _wait: wait });
    }
}

async fn present(app: AppHandle, notification: Notification, id: Arc<AtomicU32>, toast: Toast) {
    let handle = match notification.show_async().await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::warn!(%error, "no toast: the tray and the window tell the same");
            return;
        }
    };
    id.store(handle.id(), Ordering::Relaxed);
    let mut clicked = None;
    handle
        .wait_for_action_async(|response: &NotificationResponse| {
            clicked = match response {
                NotificationResponse::Default => Some(String::new()),
                NotificationResponse::Action(action) => Some(action.clone()),
                _ => None,
            };
        })
        .await;
    id.store(0, Ordering::Relaxed);
    match (clicked.as_deref(), toast.undo) {
        (Some(UNDO), Some(change)) => undo(&app, toast.key, change),
        (Some(_), _) => actions::act(&app, Action::Show(toast.open)),
        (None, _) => {}
    }
}

/// Takes a change of Docker contexts back, and says so in the place of the toast that told of it.
fn undo(app: &AppHandle, key: String, change: u64) {
    let handle = app.clone();
    Shell::of(app).tasks.spawn("undo", async move {
        let shell = Shell::of(&handle);
        let undone = match shell.client() {
            Ok(client) => {
                client
                    .ask_contexts(ContextsQuestion::Undo { id: change })
                    .await
            }
            Err(error) => Err(error),
        };
        let undone = undone.map(|answer| match answer {
            ContextsAnswer::Done { message, .. } => message,
            _ => String::new(),
        });
        shell.toasts.show(Toast::of_undo(key, &undone));
    });
}
