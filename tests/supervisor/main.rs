//! The supervisor as PID 1 of real containers, and its wire over a real `docker exec`.
#![allow(clippy::unwrap_used, reason = "a test ends where its rig fails")]

mod agents;
mod code_server;
mod commands;
mod direct_line;
mod forwards;
mod health;
mod history;
mod mirror;
mod orphans;
mod race;
mod reporting;
mod reports;
mod rig;
mod scratch;
mod shells;
mod stopping;
mod sync;
mod users;
mod workspace;
