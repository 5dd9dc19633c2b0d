//! An orderly end when the system asks for it.

use tauri::AppHandle;

/// Ends the application on the first signal.
#[cfg(unix)]
pub(crate) async fn obey(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};

    use crate::shell::Shell;

    let kinds = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
    ];
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = kinds.map(signal) else {
        tracing::warn!("signals cannot be heard");
        return;
    };
    let name = tokio::select! {
        Some(()) = terminate.recv() => "SIGTERM",
        Some(()) = interrupt.recv() => "SIGINT",
        Some(()) = hangup.recv() => "SIGHUP",
        else => return,
    };
    tracing::info!(signal = name, "asked to end");
    Shell::of(&app).quit(&app);
}

#[cfg(not(unix))]
pub(crate) async fn obey(_app: AppHandle) {}
