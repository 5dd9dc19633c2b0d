//! The pictures that come with the program.

use std::path::PathBuf;

use mizzen_core::Dirs;
use mizzen_core::view::AttentionState;
use mizzen_fsx::write_atomic;
use tauri::image::Image;
use tauri::include_image;

/// What a panel is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panel {
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "see `Panel::of`"))]
    Light,
    Dark,
}

impl Panel {
    /// Linux panels are dark in most desktops, also beside light windows, and tell nobody; the
    /// icons have a rim for those that are not.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(_window: Option<tauri::Theme>) -> Self {
        Self::Dark
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(window: Option<tauri::Theme>) -> Self {
        match window {
            Some(tauri::Theme::Light) => Self::Light,
            _ => Self::Dark,
        }
    }
}

/// The tray icon of a state.
pub(crate) fn tray(state: AttentionState, panel: Panel) -> Image<'static> {
    match (state, panel) {
        (AttentionState::Error, Panel::Light) => include_image!("icons/tray/error-light.png"),
        (AttentionState::Error, Panel::Dark) => include_image!("icons/tray/error-dark.png"),
        (AttentionState::Stale, Panel::Light) => include_image!("icons/tray/stale-light.png"),
        (AttentionState::Stale, Panel::Dark) => include_image!("icons/tray/stale-dark.png"),
        (AttentionState::Working, Panel::Light) => include_image!("icons/tray/working-light.png"),
        (AttentionState::Working, Panel::Dark) => include_image!("icons/tray/working-dark.png"),
        (AttentionState::Idle, Panel::Light) => include_image!("icons/tray/idle-light.png"),
        (AttentionState::Idle, Panel::Dark) => include_image!("icons/tray/idle-dark.png"),
        (AttentionState::Offline, Panel::Light) => include_image!("icons/tray/offline-light.png"),
        (AttentionState::Offline, Panel::Dark) => include_image!("icons/tray/offline-dark.png"),
    }
}

/// A file with the application's icon: notification servers take names or paths, not bytes.
pub(crate) fn for_toasts(dirs: &Dirs) -> Option<PathBuf> {
    const ICON: &[u8] = include_bytes!("../../icons/128x128.png");
    let path = dirs
        .cache
        .join(concat!("icon-", env!("CARGO_PKG_VERSION"), ".png"));
    if !path.exists()
        && let Err(error) = write_atomic(&path, ICON)
    {
        tracing::warn!(%error, "toasts have no icon");
        return None;
    }
    Some(path)
}
