//! Sessions on a real engine, with the tiny image: `cargo xtask image tiny` makes it.
#![allow(clippy::unwrap_used, reason = "a test ends where its rig fails")]

mod adoption;
mod crash;
mod direct_line;
mod engines;
mod hostile;
mod life;
mod offline;
mod outside;
mod refusals;
mod rig;
mod several_engines;
mod side_by_side;
