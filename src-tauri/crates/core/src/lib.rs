//! Composes the engine tasks, sessions and gateway; verbs in, snapshots and events out.
//!
//! Invariant: only this crate's view types reach a client; domain types never do.
//! Invariant: every change of the snapshot has a number, and clients fold it as the core did.
//! Invariant: a client, however slow or hostile, never makes the core wait.
//! Invariant: one core runs per state directory; only its user can speak to it.

mod alerts;
mod attention;
mod client;
mod contexts;
mod control;
mod core;
mod desk;
mod dirs;
mod doctor;
mod engines;
mod lock;
mod log;
mod login;
pub mod menu;
mod order;
mod outside;
pub mod protocol;
mod publisher;
mod settings;
mod store;
mod sync;
pub mod toast;
mod translate;
mod upstream;
pub mod verb;
pub mod view;
mod world;

pub use client::{
    Client, ConnectError, EventStream, FollowEnd, Keys, LineStream, LogLine, LogOptions, Look,
    OutputOptions, OutputPiece, OutputSaid, OutputStream, OutputText, Screen, ShellSpec, Terminal,
    TerminalOutput,
};
pub use core::{Core, StartError};
pub use dirs::{Dirs, DirsError};
pub use doctor::{CheckState, DoctorCheck, DoctorReport, examine};
pub use lock::LockError;
pub use log::{LogError, start_log};
pub use login::login_entry;
pub use outside::{CONTAINER_SCHEME, Outside};
pub use settings::SettingsError;
pub use world::{Clock, CoreConfig, Env};
