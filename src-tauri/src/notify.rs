//! Draws toasts; which ones, `mizzen_core::toast` has decided.

use std::path::PathBuf;

use mizzen_core::toast::Toast;
use mizzen_tasks::Owner;
use tauri::AppHandle;

#[cfg(all(unix, not(target_os = "macos")))]
mod bus;
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod native;

/// A place to show toasts.
pub(crate) trait Toasts: Send + Sync {
    /// Shows a toast in place of the one with the same key. Never waits.
    fn show(&self, toast: Toast);
}

/// The platform's.
pub(crate) fn toasts(app: &AppHandle, tasks: &Owner, icon: Option<PathBuf>) -> Box<dyn Toasts> {
    #[cfg(all(unix, not(target_os = "macos")))]
    return Box::new(bus::Bus::new(app.clone(), tasks.child("toasts"), icon));
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    return Box::new(native::Native::new(
        app.clone(),
        tasks.child("toasts"),
        icon,
    ));
}
