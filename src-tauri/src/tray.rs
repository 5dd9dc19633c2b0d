//! Menu and icon from the core's snapshot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mizzen_core::menu::{Navigate, ShellFacts, Tray, View};
use mizzen_core::toast::Toast;
use tauri::menu::MenuEvent;
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::icons::{self, Panel};
use crate::shell::Shell;
use crate::{actions, windows};

mod rows;
use rows::Rows;

/// Between two attempts to find a tray host.
const RETRY: Duration = Duration::from_secs(1);
/// A panel that starts at login beside us may take so long; then there is none.
const PATIENCE: Duration = Duration::from_secs(5);
/// Ages in the menu are told in minutes.
const TICK: Duration = Duration::from_secs(60);

/// Whether there is a tray to come back by, and what its rows do.
#[derive(Default)]
pub(crate) struct TrayState {
    built: AtomicBool,
    drawn: std::sync::Mutex<Option<Tray>>,
    switched: Notify,
}

impl TrayState {
    pub(crate) fn is_built(&self) -> bool {
        self.built.load(Ordering::Relaxed)
    }

    fn drawn(&self) -> std::sync::MutexGuard<'_, Option<Tray>> {
        self.drawn
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Builds the tray as soon as there is a host for it, and redraws it on every change.
pub(crate) async fn keep(app: AppHandle, first: tauri::Result<Drawing>) {
    let shell = Shell::of(&app);
    let mut board = shell.board();
    let mut start_at_login = shell.start_at_login.subscribe();
    board.mark_unchanged();
    let mut drawing = build_when_possible(&app, first).await;
    loop {
        drawing = redraw(&app, drawing).await;
        tokio::select! {
            Ok(()) = board.changed() => {}
            Ok(()) = start_at_login.changed() => {}
            () = shell.tray.switched.notified() => drawing = put_switches_back(&app, drawing).await,
            () = sleep(TICK) => {}
        }
    }
}

/// What stands in the tray, and the menu's rows to change in place.
pub(crate) struct Drawing {
    icon: TrayIcon,
    tray: Tray,
    rows: Rows,
}

async fn build_when_possible(app: &AppHandle, first: tauri::Result<Drawing>) -> Drawing {
    let since = Instant::now();
    let mut told = false;
    let mut attempt = first;
    loop {
        let error = match attempt {
            Ok(drawing) => return drawing,
            Err(error) => error,
        };
        if !told && since.elapsed() >= PATIENCE {
            told = true;
            tracing::warn!(%error, "no tray host: Mizzen lives in its window");
            Shell::of(app).toasts.show(Toast::of_no_tray());
            windows::show(app, Some(Navigate::to(View::Sessions)));
        }
        sleep(RETRY).await;
        attempt = on_main_thread(app, build).await;
    }
}

/// Puts the icon into the tray, on the main thread; an error where there is no tray at this moment.
pub(crate) fn build(app: &AppHandle) -> tauri::Result<Drawing> {
    let tray = wanted(app);
    let rows = Rows::draw(app, &tray.items)?;
    let icon = TrayIconBuilder::with_id("mizzen")
        .icon(icons::tray(tray.icon, panel(app)))
        .title(title(&tray))
        .tooltip(tooltip(&tray))
        .menu(rows.menu())
        .show_menu_on_left_click(false)
        .on_menu_event(on_menu)
        .on_tray_icon_event(on_click)
        .build(app)?;
    let state = &Shell::of(app).tray;
    *state.drawn() = Some(tray.clone());
    state.built.store(true, Ordering::Relaxed);
    tracing::info!("tray built");
    Ok(Drawing { icon, tray, rows })
}

/// Draws what differs from what stands there.
async fn redraw(app: &AppHandle, mut drawing: Drawing) -> Drawing {
    let tray = wanted(app);
    if tray == drawing.tray {
        return drawing;
    }
    on_main_thread(app, move |app| {
        if let Err(error) = change(app, &mut drawing, &tray) {
            tracing::warn!(%error, "the tray could not be redrawn");
        }
        *Shell::of(app).tray.drawn() = Some(tray.clone());
        drawing.tray = tray;
        drawing
    })
    .await
}

/// Menus turn a switch by themselves when it is clicked; ours stand as the core says, which may refuse.
async fn put_switches_back(app: &AppHandle, drawing: Drawing) -> Drawing {
    on_main_thread(app, move |_| {
        if let Err(error) = drawing.rows.set_switches(&drawing.tray.items) {
            tracing::warn!(%error, "a switch could not be put back");
        }
        drawing
    })
    .await
}

fn change(app: &AppHandle, drawing: &mut Drawing, tray: &Tray) -> tauri::Result<()> {
    let old = &drawing.tray;
    if old.icon != tray.icon {
        drawing
            .icon
            .set_icon(Some(icons::tray(tray.icon, panel(app))))?;
    }
    if old.tooltip != tray.tooltip {
        drawing.icon.set_tooltip(Some(tooltip(tray)))?;
    }
    if old.count != tray.count {
        drawing.icon.set_title(Some(title(tray)))?;
    }
    // In place as long as only words and switches change: a menu that somebody has open stays.
    if !drawing.rows.change(&old.items, &tray.items)? {
        drawing.rows = Rows::draw(app, &tray.items)?;
        drawing.icon.set_menu(Some(drawing.rows.menu().clone()))?;
    }
    Ok(())
}

fn wanted(app: &AppHandle) -> Tray {
    let shell = Shell::of(app);
    let board = shell.board().borrow().clone();
    let facts = ShellFacts {
        start_at_login: *shell.start_at_login.borrow(),
        problem: board.problem,
    };
    Tray::of(board.snapshot.as_deref(), &facts, jiff::Timestamp::now())
}

fn on_menu(app: &AppHandle, event: MenuEvent) {
    let id = event.id().as_ref();
    tracing::info!(id, "menu");
    let action = Shell::of(app)
        .tray
        .drawn()
        .as_ref()
        .and_then(|tray| tray.action(id).cloned());
    Shell::of(app).tray.switched.notify_one();
    if let Some(action) = action {
        actions::act(app, action);
    }
}

fn on_click(tray: &TrayIcon, event: TrayIconEvent) {
    if let TrayIconEvent::Click {
        button: MouseButton::Left,
        button_state: MouseButtonState::Up,
        ..
    } = event
    {
        windows::show(tray.app_handle(), None);
    }
}

fn panel(app: &AppHandle) -> Panel {
    Panel::of(
        app.get_webview_window("main")
            .and_then(|window| window.theme().ok()),
    )
}

/// macOS writes it beside the icon; Linux reads it out and puts it above the tooltip.
fn title(tray: &Tray) -> String {
    if cfg!(target_os = "macos") {
        match tray.count {
            0 => String::new(),
            count => count.to_string(),
        }
    } else {
        "Mizzen".to_owned()
    }
}

fn tooltip(tray: &Tray) -> String {
    if cfg!(target_os = "linux") {
        tray.tooltip.clone()
    } else {
        format!("Mizzen: {}", tray.tooltip)
    }
}

/// Runs `work` where menus and icons may be touched.
async fn on_main_thread<T: Send + 'static>(
    app: &AppHandle,
    work: impl FnOnce(&AppHandle) -> T + Send + 'static,
) -> T {
    let (done, result) = tokio::sync::oneshot::channel();
    let handle = app.clone();
    let sent = app.run_on_main_thread(move || {
        let _ = done.send(work(&handle));
    });
    match (sent, result.await) {
        (Ok(()), Ok(result)) => result,
        // The event loop has ended, and with it whatever was to be drawn.
        _ => std::future::pending().await,
    }
}
