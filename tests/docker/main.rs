//! The docker crate against real engines.

mod build;
mod errors;
mod events;
mod exec;
mod far;
mod files;
mod hostile;
mod life;
mod logs;
mod networks;
mod restart;
mod ssh;
mod stats;
mod tls;
