//! Toasts of macOS and Windows: shown, without actions.

use std::path::PathBuf;

use mizzen_core::toast::Toast;
use mizzen_tasks::Owner;
use notify_rust::Notification;
use tauri::AppHandle;

use super::Toasts;

pub(super) struct Native {
    tasks: Owner,
}

impl Native {
    pub(super) fn new(_app: AppHandle, tasks: Owner, _icon: Option<PathBuf>) -> Self {
        Self { tasks }
    }
}

impl Toasts for Native {
    fn show(&self, toast: Toast) {
        self.tasks
            .spawn(&format!("toast:{}", toast.key), async move {
                let shown = tokio::task::spawn_blocking(move || {
                    // These platforms draw no markup: what was escaped is written out again.
                    let body = toast.plain_body();
                    Notification::new()
                        .summary(&toast.title)
                        .body(&body)
                        .show()
                        .map(drop)
                });
                if let Ok(Err(error)) = shown.await {
                    tracing::warn!(%error, "no toast: the tray and the window tell the same");
                }
            });
    }
}
