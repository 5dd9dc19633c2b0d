//! The user's settings as clients see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The user's settings, kept in `settings.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many sessions may run at once (`max_running`).
    pub max_running: u32,
    /// Memory that running sessions may be promised together; none only warns above the engine's own.
    pub memory_budget_bytes: Option<u64>,
    /// Port the gateway tries first.
    pub gateway_port: u16,
    /// Open sessions at `NAME.localhost`; without it at `127.0.0.1`, each on a port of its own.
    pub gateway_names: bool,
    /// Image for new sessions; none builds Mizzen's own.
    pub image: Option<String>,
    /// Memory limit for new sessions.
    pub memory_bytes: u64,
    /// Processors for new sessions.
    pub cpus: f64,
    /// Show toasts.
    pub notifications: bool,
    /// Names of engines that see no files of this machine, although their address says otherwise: those behind a
    /// forwarded socket.
    pub remote_engines: Vec<String>,
    /// Engines of other machines that may be spoken to in the clear, each with the one address that this goes for.
    pub exposed_engines: BTreeMap<String, String>,
    /// Changes that containers make to where Docker contexts lead wait for a person.
    pub contexts_strict: bool,
    /// Names of Docker contexts that are not mirrored.
    pub contexts_no_sync: Vec<String>,
    /// Where `containai-docker` leads on the container side.
    pub contexts_socket: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_running: 5,
            memory_budget_bytes: None,
            gateway_port: 8743,
            gateway_names: true,
            image: None,
            memory_bytes: 4 << 30,
            cpus: 2.0,
            notifications: true,
            remote_engines: Vec::new(),
            exposed_engines: BTreeMap::new(),
            contexts_strict: false,
            contexts_no_sync: Vec::new(),
            contexts_socket: "unix:///var/run/docker.sock".to_owned(),
        }
    }
}
