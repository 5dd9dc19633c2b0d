//! Figures of the desktop program, for `cargo xtask bench desktop`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]
#![cfg(unix)]

mod idle;
mod sessions;
mod start;

use mizzen_tests::desktop::Desktop;

fn main() {
    let desktop = Desktop::new();
    let sessions = sessions::stopped(&desktop, 50);
    start::measure(&desktop);
    drop(sessions);

    let desktop = Desktop::new();
    let sessions = sessions::running(&desktop, 5);
    idle::measure(&desktop);
    drop(sessions);
}
