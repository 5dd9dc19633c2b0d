//! What a real Chromium makes of the gateway.
#![allow(clippy::unwrap_used, reason = "a test ends where its rig fails")]

mod by_address;
mod far;
mod isolation;
mod neighbours;
mod workbench;
