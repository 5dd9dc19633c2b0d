//! Mizzen's tray application.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    mizzen_shell::run(std::env::args_os().skip(1))
}
