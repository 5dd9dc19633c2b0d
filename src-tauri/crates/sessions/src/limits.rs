//! How much sessions may use, each and together.

use std::collections::BTreeMap;

use mizzen_sync_core::sized;

use crate::error::{ErrorKind, SessionError};

/// Least memory a container is given: below it the supervisor itself cannot live.
pub const MIN_MEMORY_BYTES: u64 = 16 << 20;

/// What one session may use.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Memory, swap included.
    pub memory_bytes: u64,
    /// Processors, e.g. 1.5.
    pub cpus: f64,
    /// Processes.
    pub pids: u32,
}

/// What sessions may use together, and what new ones get.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSettings {
    /// How many sessions may run at once on one engine; paused ones count, since they hold their memory.
    pub max_running: u32,
    /// How much memory running sessions may be promised together on one engine; none means only a warning above the engine's own.
    pub memory_budget_bytes: Option<u64>,
    /// Engines that see no files of this machine, although their address says otherwise.
    pub remote_engines: Vec<String>,
    /// Image for new sessions; none means Mizzen's own.
    pub image: Option<String>,
    /// Memory limit for new sessions.
    pub memory_bytes: u64,
    /// Processors for new sessions.
    pub cpus: f64,
}

/// Room was found; what a person should still know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The promise exceeds the engine's memory.
    pub warning: Option<String>,
}

impl Limits {
    /// Refuses limits that no container could live with.
    pub fn check(&self) -> Result<(), SessionError> {
        let usage =
            |message: String, hint: &str| Err(SessionError::new(ErrorKind::Usage, message, hint));
        if self.memory_bytes < MIN_MEMORY_BYTES {
            let message = format!(
                "A memory limit of {} is too small for a session.",
                sized(self.memory_bytes)
            );
            return usage(message, "Give at least 16 MiB; 4 GiB suits most projects.");
        }
        if !(self.cpus.is_finite() && (0.01..=1024.0).contains(&self.cpus)) {
            return usage(
                format!("`{}` is not a number of processors.", self.cpus),
                "Give a number such as 2 or 1.5.",
            );
        }
        Ok(())
    }
}

/// Decides whether one more session may run on an engine beside those that do (their promised memory by name).
pub fn find_room(
    engine: &str,
    running: &BTreeMap<String, u64>,
    newcomer: u64,
    settings: &SessionSettings,
    engine_memory: Option<u64>,
) -> Result<Room, SessionError> {
    let limit =
        |message: String, hint: String| Err(SessionError::new(ErrorKind::Limit, message, hint));
    if running.len() >= settings.max_running as usize {
        let names = running
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        return limit(
            format!(
                "{} sessions run already on the engine `{engine}` ({names}) and `max_running` is {}.",
                running.len(),
                settings.max_running
            ),
            "Stop one (paused ones count too), or raise `max_running` in the settings.".to_owned(),
        );
    }
    let promised = running.values().sum::<u64>().saturating_add(newcomer);
    if let Some(budget) = settings
        .memory_budget_bytes
        .filter(|budget| promised > *budget)
    {
        return limit(
            format!(
                "With this session {} of memory would be promised on the engine `{engine}`, and `memory_budget_bytes` is {}.",
                sized(promised),
                sized(budget)
            ),
            "Stop one, give this one less with --memory, or raise `memory_budget_bytes` in the settings.".to_owned(),
        );
    }
    let warning = engine_memory
        .filter(|memory| promised > *memory)
        .map(|memory| {
            format!(
                "Running sessions may use {} of memory together; the engine has {}.",
                sized(promised),
                sized(memory)
            )
        });
    Ok(Room { warning })
}

#[cfg(test)]
mod tests;
