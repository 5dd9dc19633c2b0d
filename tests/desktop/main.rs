//! The application on a real desktop: tray, toasts, window, and how it comes and goes.
#![cfg(unix)]

mod coming_and_going;
mod contexts;
mod reports;
mod sessions;
mod settings;
mod syncing;
mod toasts;
mod tray;
mod window;
