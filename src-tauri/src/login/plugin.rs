//! Start at login on macOS and Windows.

use tauri::{AppHandle, Builder, Wry};
use tauri_plugin_autostart::{Error, ManagerExt};

pub(super) fn with_plugin(builder: Builder<Wry>) -> Builder<Wry> {
    builder.plugin(
        tauri_plugin_autostart::Builder::new()
            .arg("--hidden")
            .build(),
    )
}

pub(super) fn is_on(app: &AppHandle) -> bool {
    app.autolaunch().is_enabled().unwrap_or(false)
}

pub(super) fn set(app: &AppHandle, on: bool) -> Result<(), Error> {
    if on {
        app.autolaunch().enable()
    } else {
        app.autolaunch().disable()
    }
}
