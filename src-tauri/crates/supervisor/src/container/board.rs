//! What this container has to say about itself, and how it becomes a report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mizzen_status::{Ack, Health, Notice, Progress, Status, StatusWord};
use serde_json::{Map, Value};
use tokio::sync::watch;

/// Name of the service that every session has.
pub(crate) const CODE_SERVER: &str = "code-server";

/// Facts that the report is made of.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) stage: Stage,
    /// How far the first sync is, before all else starts.
    pub(crate) first_sync: Option<Progress>,
    /// State word of each service.
    pub(crate) services: BTreeMap<String, String>,
    /// What is wrong, by what it is about.
    pub(crate) errors: BTreeMap<&'static str, Notice>,
    /// What is unusual, by what it is about.
    pub(crate) warnings: BTreeMap<&'static str, Notice>,
    /// How far the commands are.
    pub(crate) commands: Vec<Ack>,
}

/// How far this container's life is. It does not go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Starting,
    Ready,
    Stopping,
    Stopped,
}

/// What programs in the container wrote into the last report themselves, to be kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Foreign {
    pub(crate) phase: Option<String>,
    pub(crate) progress: Option<Progress>,
    pub(crate) services: BTreeMap<String, String>,
    pub(crate) extra: Map<String, Value>,
}

/// Where facts are pinned up; the reporter watches it.
#[derive(Clone)]
pub(crate) struct Board(watch::Sender<Facts>);

impl Board {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Facts {
            stage: Stage::Starting,
            first_sync: None,
            services: BTreeMap::new(),
            errors: BTreeMap::new(),
            warnings: BTreeMap::new(),
            commands: Vec::new(),
        }))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Facts> {
        self.0.subscribe()
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        self.0.send_if_modified(|facts| {
            let is_further = stage > facts.stage;
            facts.stage = stage.max(facts.stage);
            is_further
        });
    }

    /// Says how far the first sync is, or that there is none any more.
    pub(crate) fn set_first_sync(&self, progress: Option<Progress>) {
        self.0.send_modify(|facts| facts.first_sync = progress);
    }

    /// Whether everything is about to end, or has.
    pub(crate) fn is_ending(&self) -> bool {
        self.0.borrow().stage >= Stage::Stopping
    }

    /// Everything has ended.
    pub(crate) fn set_stopped(&self) {
        self.0.send_modify(|facts| {
            facts.stage = Stage::Stopped;
            for state in facts.services.values_mut() {
                "stopped".clone_into(state);
            }
        });
    }

    pub(crate) fn set_service(&self, name: &str, state: &str) {
        self.0
            .send_modify(|facts| drop(facts.services.insert(name.into(), state.into())));
    }

    /// Says how far the commands are.
    pub(crate) fn set_commands(&self, commands: Vec<Ack>) {
        self.0.send_if_modified(|facts| {
            let differs = facts.commands != commands;
            facts.commands = commands;
            differs
        });
    }

    /// Has a report made of what is known.
    pub(crate) fn report_now(&self) {
        self.0.send_modify(|_| {});
    }

    /// Pins up what is wrong with something, or takes it down.
    pub(crate) fn set_error(&self, about: &'static str, message: Option<String>) {
        self.0
            .send_if_modified(|facts| pin(&mut facts.errors, about, message));
    }

    /// Pins up what is unusual about something, or takes it down.
    pub(crate) fn set_warning(&self, about: &'static str, message: Option<String>) {
        self.0
            .send_if_modified(|facts| pin(&mut facts.warnings, about, message));
    }
}

fn pin(
    notices: &mut BTreeMap<&'static str, Notice>,
    about: &'static str,
    message: Option<String>,
) -> bool {
    let known = notices.get(about).map(|notice| &notice.message);
    if known == message.as_ref() {
        return false;
    }
    match message {
        Some(message) => {
            let timestamp = Some(Timestamp::now().to_string());
            notices.insert(about, Notice { timestamp, message });
        }
        None => drop(notices.remove(about)),
    }
    true
}

/// Makes the report of some facts.
pub(crate) fn compose(facts: &Facts, foreign: &Foreign, seq: u64, now: Timestamp) -> Status {
    let (word, phase) = match facts.stage {
        Stage::Starting if facts.first_sync.is_some() => (StatusWord::Starting, "sync"),
        Stage::Starting => (StatusWord::Starting, "starting"),
        Stage::Ready => (StatusWord::Running, "ready"),
        Stage::Stopping => (StatusWord::Stopping, "stopping"),
        Stage::Stopped => (StatusWord::Stopped, "stopped"),
    };
    // What others say about their work counts while there is work.
    let working = facts.stage == Stage::Ready;
    let phase = foreign
        .phase
        .clone()
        .filter(|_| working)
        .unwrap_or_else(|| phase.to_owned());
    let mut services = foreign.services.clone();
    services.extend(facts.services.clone());
    Status {
        seq: Some(seq),
        health: Some(health(facts)),
        phase: Some(phase),
        last: facts.stage == Stage::Stopped,
        progress: facts.first_sync.clone().or(foreign.progress.clone()),
        services,
        errors: facts.errors.values().cloned().collect(),
        warnings: facts.warnings.values().cloned().collect(),
        commands: facts.commands.clone(),
        extra: foreign.extra.clone(),
        ..Status::new(word, now)
    }
}

fn health(facts: &Facts) -> Health {
    match facts.stage {
        _ if !facts.errors.is_empty() => Health::Degraded,
        Stage::Starting => Health::Starting,
        Stage::Ready => Health::Healthy,
        Stage::Stopping | Stage::Stopped => Health::None,
    }
}

#[cfg(test)]
mod tests;
