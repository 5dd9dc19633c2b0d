//! Figures of the core, for `cargo xtask bench core`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod fold;

fn main() {
    fold::measure();
}
