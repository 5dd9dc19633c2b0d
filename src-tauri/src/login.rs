//! Start at login: an entry of ours on Linux, the platform's own elsewhere.

use mizzen_core::verb::{ApiError, ErrorCode};
use tauri::{AppHandle, Builder, Wry};

use crate::shell::Shell;

#[cfg(target_os = "linux")]
mod entry;
#[cfg(target_os = "linux")]
use entry as platform;
#[cfg(not(target_os = "linux"))]
mod plugin;
#[cfg(not(target_os = "linux"))]
use plugin as platform;

/// Adds what the platform needs before the application is built.
pub(crate) fn with_plugin(builder: Builder<Wry>) -> Builder<Wry> {
    platform::with_plugin(builder)
}

/// Whether Mizzen starts at login.
pub(crate) fn is_on(app: &AppHandle) -> bool {
    platform::is_on(app)
}

/// Makes Mizzen start at login, or not.
pub(crate) fn set(app: &AppHandle, on: bool) -> Result<(), ApiError> {
    platform::set(app, on).map_err(|error| ApiError {
        code: ErrorCode::Failed,
        message: format!(
            "start at login cannot be switched {}: {error}",
            if on { "on" } else { "off" }
        ),
        hint: "make the path yours and writable".to_owned(),
    })?;
    tracing::info!(on, "start at login");
    Shell::of(app).start_at_login.send_replace(is_on(app));
    Ok(())
}
