//! Engines, and which of them a session could live on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether an engine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum EngineState {
    /// First attempt under way.
    Connecting,
    /// Answers, and its events flow.
    Online,
    /// Does not answer; retried with backoff.
    Offline,
}

/// A choice of an engine that does not count, since another goes before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BeatenChoice {
    /// Where it comes from, e.g. `docker context use`.
    pub by: String,
    /// The context that it names; the address, for `DOCKER_HOST`.
    pub says: String,
}

/// One Docker Engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EngineView {
    /// Context name; `default` without one.
    pub name: String,
    /// Address as the Docker CLI writes it, e.g. `unix:///var/run/docker.sock`.
    pub endpoint: String,
    /// What decided on this engine, e.g. `DOCKER_HOST`; empty for one that is in use beside the selected one.
    pub selected_by: String,
    /// The choices that this goes before, in the order in which they would count.
    #[serde(default)]
    pub beats: Vec<BeatenChoice>,
    /// Whether it answers.
    pub state: EngineState,
    /// Since when it is in this state.
    pub since: String,
    /// Engine version.
    pub version: Option<String>,
    /// Why it is offline, in words.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Processors of the engine's machine.
    pub cpus: Option<u32>,
    /// Memory of the engine's machine.
    pub memory_bytes: Option<u64>,
    /// What speaks against it, each in words with a way out: a version with a known hole, an identity not checked.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// A Docker context, or `default`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EngineChoice {
    /// Its name.
    pub name: String,
    /// Where its engine listens; none when it cannot be used.
    pub endpoint: Option<String>,
    /// Its address where it is another machine's and speaks in the clear: it is used only where a person allows that.
    #[serde(default)]
    pub exposed: Option<String>,
    /// What selected it; none for all but one.
    pub selected_by: Option<String>,
    /// The choices that this goes before, in the order in which they would count.
    #[serde(default)]
    pub beats: Vec<BeatenChoice>,
    /// Whether Mizzen follows it; the others are put to use when a session names them.
    pub in_use: bool,
    /// Whether it answers; known of one in use.
    pub state: Option<EngineState>,
    /// Why it cannot be used, or does not answer.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What speaks against one that answers.
    #[serde(default)]
    pub warnings: Vec<String>,
}
