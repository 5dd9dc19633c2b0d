//! The session state machine and its verbs: a project folder, a container and what lives in it, under one name.
//!
//! Invariant: policy is pure (`machine`, `limits`, `spec`, `provision`); only actors and their jobs touch the world.
//! Invariant: one actor owns a session; everyone else reads its facts.
//! Invariant: intent is on disk before the engine is called, and a container carries the nonce of its intent.
//! Invariant: no path, label or argument is built from a name that `SessionName::parse` did not accept.
//! Invariant: nothing in a project folder is written or removed but the session's own files under `.para/state`.

mod actor;
mod archive;
mod carrying;
mod commands;
mod direct_line;
mod dispatch;
mod engines;
mod error;
mod fact;
mod figures;
mod folder;
mod git;
mod health;
mod identity;
pub mod image;
mod job;
mod labels;
mod life;
pub mod limits;
mod listing;
pub mod machine;
mod name;
mod outsider;
mod para;
mod provision;
mod record;
mod registry;
mod reports;
mod sessions;
mod skew;
mod slots;
mod spec;
mod supervisor;
mod wiring;
mod words;
mod workspace;
mod world;

pub use commands::CommandOutput;
pub use engines::{EngineFact, EngineFacts, EngineSource, FindEngine, SelectEngine};
pub use error::{ErrorKind, SessionError, sentence};
pub use fact::{
    CodeServer, Done, Facts, Freshness, Health, Notice, NoticeKind, OnProgress, PhaseFact,
    PhaseReport, PhaseState, Progress, Reason, Report, SessionFact, Unmanaged, deaf,
};
pub use figures::OwnFigures;
pub use identity::Identity;
pub use labels::NONCE_LABEL;
pub use limits::{Limits, SessionSettings};
pub use machine::{Phase, State, Wish};
pub use name::{NameError, SessionName};
pub use outsider::Outsider;
pub use registry::RegistryError;
pub use sessions::{Clock, Sessions, SessionsDeps, StepHook, UpRequest};
pub use supervisor::SupervisorFiles;
pub use workspace::{
    Flushed, Flushing, InStep, Saying, SyncedWorkspace, Syncing, Wires, WorkspaceKind,
};
