//! The one window: made when it is asked for, destroyed when it is closed.

use std::sync::{Mutex, PoisonError};

use mizzen_core::menu::Navigate;
use mizzen_core::toast::Toast;
use mizzen_fsx::write_atomic;
use tauri::{AppHandle, Manager, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent};

use crate::shell::Shell;
use crate::{events, hosting};

/// Label of the window in `tauri.conf.json`.
const MAIN: &str = "main";

/// Where the page goes once it is drawn.
#[derive(Default)]
pub(crate) struct Place {
    state: Mutex<PageState>,
}

#[derive(Default)]
enum PageState {
    #[default]
    Loading,
    /// It will be led there when it is ready.
    Awaited(Navigate),
    Ready,
}

impl Place {
    fn set(&self, state: PageState) -> PageState {
        std::mem::replace(
            &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner),
            state,
        )
    }

    /// Whether the page can be led there now; else it is remembered.
    fn is_ready_for(&self, to: &Navigate) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, PageState::Ready) {
            return true;
        }
        *state = PageState::Awaited(to.clone());
        false
    }
}

/// Shows the window in front of all others, at a place if one is given.
pub(crate) fn show(app: &AppHandle, to: Option<Navigate>) {
    let handle = app.clone();
    // From wherever the wish comes: windows belong to the main thread.
    let sent = app.run_on_main_thread(move || {
        if let Err(error) = show_here(&handle, to.as_ref()) {
            tracing::error!(%error, "no window");
        }
    });
    if let Err(error) = sent {
        tracing::debug!(%error, "too late for a window");
    }
}

fn show_here(app: &AppHandle, to: Option<&Navigate>) -> tauri::Result<()> {
    let place = &Shell::of(app).place;
    let window = match app.get_webview_window(MAIN) {
        Some(window) => window,
        None => {
            place.set(PageState::Loading);
            create(app)?
        }
    };
    if let Some(to) = to
        && place.is_ready_for(to)
    {
        events::navigate(app, to);
    }
    window.unminimize()?;
    window.show()?;
    window.set_focus()?;
    tracing::info!(view = ?to.map(|to| to.view), "window shown");
    Ok(())
}

fn create(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let windows = &app.config().app.windows;
    let main = windows
        .iter()
        .find(|window| window.label == MAIN)
        .expect("BUG: no window `main`");
    WebviewWindowBuilder::from_config(app, main)?.build()
}

/// The page is drawn and listens.
pub(crate) fn page_ready(app: &AppHandle) {
    tracing::info!("ui_ready");
    let shell = Shell::of(app);
    if let PageState::Awaited(to) = shell.place.set(PageState::Ready) {
        events::navigate(app, &to);
    }
    let hosting::Board { snapshot, problem } = shell.board().borrow().clone();
    if snapshot.is_none() {
        events::core_link(
            app,
            false,
            problem.as_deref().unwrap_or("the core is starting"),
        );
    }
}

pub(crate) fn exists(app: &AppHandle) -> bool {
    app.get_webview_window(MAIN).is_some()
}

pub(crate) fn is_focused(app: &AppHandle) -> bool {
    app.get_webview_window(MAIN)
        .is_some_and(|window| window.is_focused().unwrap_or(false))
}

pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    if !matches!(event, WindowEvent::Destroyed) {
        return;
    }
    let app = window.app_handle();
    let shell = Shell::of(app);
    shell.place.set(PageState::Loading);
    shell.looking.set(None);
    shell.followers.stop_all();
    tracing::info!("window closed");
    if shell.lives_in_tray() {
        tell_once(&shell);
    }
}

/// Says, once in a user's life, that closing the window did not end Mizzen.
fn tell_once(shell: &Shell) {
    let told = shell.dirs.state.join("told-close-to-tray");
    if told.exists() {
        return;
    }
    shell.toasts.show(Toast::of_close_to_tray());
    if let Err(error) = write_atomic(&told, b"") {
        tracing::warn!(%error, "this will be told again");
    }
}
