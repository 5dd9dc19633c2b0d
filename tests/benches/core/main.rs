//! Figures of the core, for `cargo xtask bench core`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod engine;
mod fold;
mod plain;

#[tokio::main]
async fn main() {
    fold::measure();
    engine::outside_stops().await;
    engine::ups().await;
}
