//! The desktop shell: a tray icon, toasts and a window round the core.
//!
//! Invariant: the only crate that names tauri.
//! Invariant: decides nothing; what the tray shows and which news become toasts is decided in
//! `mizzen_core::{menu, toast}`, and everything else is a verb for the core.
//! Invariant: speaks to the core through its client only, also when it hosts the core itself.

mod actions;
mod browser;
mod commands;
mod display;
mod events;
mod hosting;
mod icons;
mod launch;
mod login;
mod looking;
mod notify;
mod shell;
mod signals;
mod tray;
mod windows;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use mizzen_core::CoreConfig;
use mizzen_core::menu::{Navigate, View};
use tauri::{App, RunEvent};

use crate::launch::{Launch, Refusal};
use crate::shell::Shell;

/// Everything ends in this time; what is left then is cut off.
const SHUT_DOWN_DEADLINE: Duration = Duration::from_secs(5);

/// Runs the application until it quits.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    match start(args) {
        Ok(code) => code,
        Err(refusal) => refusal.tell(),
    }
}

fn start(args: impl Iterator<Item = OsString>) -> Result<ExitCode, Refusal> {
    let launch = Launch::parse(args)?;
    display::check()?;
    let config = CoreConfig::of_this_process()?;
    config.dirs.prepare()?;
    mizzen_core::start_log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Refusal::failed(format!("cannot start threads: {error}")))?;
    tauri::async_runtime::set(runtime.handle().clone());
    // Callbacks on this thread spawn tasks too.
    let _entered = runtime.enter();
    let app = build(config, launch).map_err(|error| Refusal::failed(error.to_string()))?;
    tracing::info!(pid = std::process::id(), "ready");
    let code = app.run_return(move |app, event| match event {
        // The last window closed: the tray goes on.
        RunEvent::ExitRequested {
            code: None, api, ..
        } if Shell::of(app).lives_in_tray() => {
            api.prevent_exit();
        }
        RunEvent::Exit => runtime.block_on(Shell::of(app).shut_down(SHUT_DOWN_DEADLINE)),
        _ => {}
    });
    tracing::info!(code, "ended");
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn build(config: CoreConfig, launch: Launch) -> tauri::Result<App> {
    let builder = tauri::Builder::default()
        // First of all: a second launch must end before it starts anything.
        .plugin(tauri_plugin_single_instance::init(|app, args, _cwd| {
            if !Launch::of_other(args).hidden {
                tracing::info!("launched again");
                windows::show(app, None);
            }
        }))
        .plugin(tauri_plugin_dialog::init());
    login::with_plugin(builder)
        .invoke_handler(commands::handler())
        .on_window_event(windows::on_event)
        .setup(move |app| {
            Shell::start(app.handle(), config);
            if !launch.hidden {
                windows::show(app.handle(), Some(Navigate::to(View::Sessions)));
            }
            Ok(())
        })
        .build(tauri::generate_context!())
}
