//! What an engine task tells the rest.

use jiff::Timestamp;

use crate::{ContainerFact, DockerErrorKind, Health};

/// Whether an engine answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// First attempt under way.
    Connecting,
    /// Answers, and its events flow.
    Online(EngineInfo),
    /// Does not answer; retried with backoff.
    Offline(Offline),
}

/// What an engine says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// What it calls itself, wherever it is reached; none where it makes a new one up for each answer.
    pub id: Option<String>,
    /// Version of the engine.
    pub version: String,
    /// Newest version of its API.
    pub api_version: String,
    /// Operating system that it runs containers on: `linux`.
    pub os: String,
    /// Architecture in the engine's words: `amd64`.
    pub arch: String,
    /// Processors of its machine.
    pub cpus: u32,
    /// Memory of its machine.
    pub memory_bytes: u64,
    /// Whether it runs without root.
    pub rootless: bool,
    /// What speaks against it, each in words with a way out: a version with a known hole, an identity that is not
    /// checked.
    pub warnings: Vec<String>,
}

/// Why an engine does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offline {
    /// What kind of failure.
    pub cause: DockerErrorKind,
    /// Why, in words.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Since when, by our own clock.
    pub since: Timestamp,
    /// Attempts that failed in a row.
    pub attempts: u32,
}

/// What happened on an engine; events arrive in the order in which they were learnt.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineEvent {
    /// The engine answers; a list follows.
    Online(EngineInfo),
    /// The engine went away, or another attempt failed.
    Offline(Offline),
    /// The whole truth: a container that is not in it is gone.
    Listed(Vec<ContainerFact>),
    /// One container, looked at just now.
    Changed(ContainerFact),
    /// A container is gone.
    Removed {
        /// Its id.
        id: String,
    },
    /// The kernel killed a process of a container for want of memory; the container may live on.
    OomKill {
        /// The container.
        id: String,
    },
    /// The first process of a container ended; told before a look at it, which the engine lets wait until it has
    /// cleaned up. Whether it was for want of memory, only that look can tell.
    Died {
        /// The container.
        id: String,
        /// How it ended.
        exit_code: Option<i64>,
        /// When, by the engine's clock.
        at: Timestamp,
    },
    /// The image's own check changed its mind.
    Health {
        /// The container.
        id: String,
        /// What it says now.
        health: Health,
    },
}
