//! What this container has to say about itself, and how it becomes a report.

mod reported;

use std::collections::BTreeMap;

use jiff::Timestamp;
use mizzen_status::{Ack, Health, NOTICES, Notice, Progress, Report, Status, StatusWord};
use tokio::sync::watch;

pub(crate) use reported::{Reported, Steady};

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

/// Where facts are pinned up; the reporter watches it. What others report is apart: it is in no hurry.
#[derive(Clone)]
pub(crate) struct Board {
    facts: watch::Sender<Facts>,
    reported: watch::Sender<Reported>,
}

impl Board {
    pub(crate) fn new() -> Self {
        let facts = Facts {
            stage: Stage::Starting,
            first_sync: None,
            services: BTreeMap::new(),
            errors: BTreeMap::new(),
            warnings: BTreeMap::new(),
            commands: Vec::new(),
        };
        Self {
            facts: watch::Sender::new(facts),
            reported: watch::Sender::default(),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Facts> {
        self.facts.subscribe()
    }

    pub(crate) fn watch_reported(&self) -> watch::Receiver<Reported> {
        self.reported.subscribe()
    }

    /// Takes what a program in the container says; says whether that changes anything.
    pub(crate) fn take(&self, report: Report) -> bool {
        self.reported.send_if_modified(|reported| {
            let before = reported.clone();
            reported.take(report, Timestamp::now());
            *reported != before
        })
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        self.facts.send_if_modified(|facts| {
            let is_further = stage > facts.stage;
            facts.stage = stage.max(facts.stage);
            is_further
        });
    }

    /// Says how far the first sync is, or that there is none any more.
    pub(crate) fn set_first_sync(&self, progress: Option<Progress>) {
        self.facts.send_modify(|facts| facts.first_sync = progress);
    }

    /// Whether everything is about to end, or has.
    pub(crate) fn is_ending(&self) -> bool {
        self.facts.borrow().stage >= Stage::Stopping
    }

    /// Everything has ended.
    pub(crate) fn set_stopped(&self) {
        self.facts.send_modify(|facts| {
            facts.stage = Stage::Stopped;
            for state in facts.services.values_mut() {
                "stopped".clone_into(state);
            }
        });
    }

    pub(crate) fn set_service(&self, name: &str, state: &str) {
        self.facts
            .send_if_modified(|facts| put(&mut facts.services, name, Some(state)));
    }

    /// Says all of a check in one report: how its service is, and what is wrong with that or unusual.
    pub(crate) fn set_check(
        &self,
        name: &'static str,
        state: Option<&str>,
        error: Option<String>,
        warning: Option<String>,
    ) {
        self.facts.send_if_modified(|facts| {
            put(&mut facts.services, name, state)
                | pin(&mut facts.errors, name, error)
                | pin(&mut facts.warnings, name, warning)
        });
    }

    /// Says how far the commands are.
    pub(crate) fn set_commands(&self, commands: Vec<Ack>) {
        self.facts.send_if_modified(|facts| {
            let differs = facts.commands != commands;
            facts.commands = commands;
            differs
        });
    }

    /// Has a report made of what is known.
    pub(crate) fn report_now(&self) {
        self.facts.send_modify(|_| {});
    }

    /// Pins up what is wrong with something, or takes it down.
    pub(crate) fn set_error(&self, about: &'static str, message: Option<String>) {
        self.facts
            .send_if_modified(|facts| pin(&mut facts.errors, about, message));
    }

    /// Pins up what is unusual about something, or takes it down.
    pub(crate) fn set_warning(&self, about: &'static str, message: Option<String>) {
        self.facts
            .send_if_modified(|facts| pin(&mut facts.warnings, about, message));
    }
}

/// Writes down how a service is, or takes it off the list.
fn put(services: &mut BTreeMap<String, String>, name: &str, state: Option<&str>) -> bool {
    let before = match state {
        Some(state) => services.insert(name.to_owned(), state.to_owned()),
        None => services.remove(name),
    };
    before.as_deref() != state
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

/// Makes the report of some facts and of what others say, who are as well as `said`.
pub(crate) fn compose(
    facts: &Facts,
    reported: &Reported,
    said: Option<Health>,
    seq: u64,
    now: Timestamp,
) -> Status {
    let (word, phase) = match facts.stage {
        Stage::Starting if facts.first_sync.is_some() => (StatusWord::Starting, "sync"),
        Stage::Starting => (StatusWord::Starting, "starting"),
        Stage::Ready => (StatusWord::Running, "ready"),
        Stage::Stopping => (StatusWord::Stopping, "stopping"),
        Stage::Stopped => (StatusWord::Stopped, "stopped"),
    };
    // What others say about their work counts while there is work.
    let working = facts.stage == Stage::Ready;
    let phase = reported
        .phase
        .clone()
        .filter(|_| working)
        .unwrap_or_else(|| phase.to_owned());
    let mut services = reported.services.clone();
    services.extend(facts.services.clone());
    Status {
        seq: Some(seq),
        health: Some(health(facts, said)),
        phase: Some(phase),
        last: facts.stage == Stage::Stopped,
        progress: facts.first_sync.clone().or(reported.progress.clone()),
        services,
        errors: together(&reported.errors, &facts.errors),
        warnings: together(&reported.warnings, &facts.warnings),
        commands: facts.commands.clone(),
        extra: reported.extra(),
        ..Status::new(word, now)
    }
}

/// Ours last: where there are too many, the first ones are left out.
fn together(others: &[Notice], ours: &BTreeMap<&'static str, Notice>) -> Vec<Notice> {
    let room = NOTICES.saturating_sub(ours.len());
    let others = &others[others.len().saturating_sub(room)..];
    others.iter().chain(ours.values()).cloned().collect()
}

fn health(facts: &Facts, said: Option<Health>) -> Health {
    let own = match facts.stage {
        _ if !facts.errors.is_empty() => Health::Degraded,
        Stage::Starting => Health::Starting,
        Stage::Ready => Health::Healthy,
        Stage::Stopping | Stage::Stopped => Health::None,
    };
    match (&own, said) {
        // Others may say that it is worse, never that it is better.
        (Health::Healthy, Some(said)) => said,
        (Health::Degraded, Some(Health::Unhealthy)) => Health::Unhealthy,
        _ => own,
    }
}

#[cfg(test)]
mod tests;
