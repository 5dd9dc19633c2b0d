//! Figures of the desktop program, for `cargo xtask bench desktop`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]
#![cfg(unix)]

mod frames;
mod idle;
mod sessions;
mod start;

use mizzen_tests::desktop::Desktop;
use tokio::runtime::Runtime;

fn main() {
    let desktop = Desktop::new();
    let sessions = sessions::stopped(&desktop, 50);
    start::measure(&desktop);
    drop(sessions);

    let desktop = Desktop::new();
    let sessions = sessions::running(&desktop, 5);
    idle::measure(&desktop);
    drop(sessions);

    Runtime::new().unwrap().block_on(frames::measure());
}
