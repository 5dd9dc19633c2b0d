//! What the engine says about the session's container.

use jiff::Timestamp;
use mizzen_docker::{ContainerFact, Health as EngineHealth, Link};
use mizzen_sync_core::sized;

use super::{Actor, Away};
use crate::carrying::{self, Ends};
use crate::fact::{Health, NoticeKind};
use crate::job::Task;
use crate::machine::{Cause, Ending, Input, Next, Seen, State, next_state};
use crate::record::Intent;
use crate::words;

impl Actor {
    pub(super) async fn on_fact(&mut self, fact: ContainerFact, engine_id: Option<String>) {
        self.offline = None;
        // Known here: the nonce matches, so this is the session's engine, whatever it calls itself by now.
        if self.job.is_none() && engine_id.is_some() && engine_id != self.record.engine_id {
            self.record.engine_id = engine_id;
            self.remember().await;
        }
        if let Some(container) = self
            .record
            .container
            .as_mut()
            .filter(|container| container.id.is_none())
        {
            // Known here: the nonce matches. Mizzen was killed between making the container and writing its id down.
            container.id = Some(fact.id.clone());
        }
        self.on_seen(words::seen(&fact), Some(fact)).await;
    }

    /// Stands where an end puts it, at once: the engine lets nobody look before it has cleaned up.
    /// Files wait for that look.
    pub(super) fn on_died(&mut self, exit_code: Option<i64>, at: Timestamp) {
        // RACE: events lag behind our own calls, so an end may be that of the run before this one.
        let this_run = self.fact.started_at.is_some_and(|started| at >= started);
        let stands_up = matches!(self.fact.state, State::Running | State::Paused);
        let Some(ending) = words::told_ending(exit_code).filter(|_| this_run && stands_up) else {
            return;
        };
        let input = Input::Seen(Seen::Ended(ending), self.record.wanted);
        if let Next::Become(state, cause) = next_state(self.fact.state, input) {
            self.stand(state, cause);
            self.adopt_wish();
            self.unconfirmed = true;
        }
    }

    pub(super) async fn on_gone(&mut self) {
        self.offline = None;
        self.on_seen(self.missing(), None).await;
    }

    /// What it means that there is no container: the engine that says so may be another one.
    fn missing(&self) -> Seen {
        match &*self.engine.link().borrow() {
            Link::Online(info) if self.record.is_not_on(info.id.as_deref()) => Seen::Elsewhere,
            Link::Online(_) => Seen::Gone,
            // It is on its way to somewhere else, or away: a list follows.
            Link::Connecting | Link::Offline(_) => Seen::Unreachable,
        }
    }

    pub(super) async fn on_offline(&mut self, away: Away) {
        self.offline = Some(away);
        self.on_seen(Seen::Unreachable, None).await;
    }

    async fn on_seen(&mut self, seen: Seen, told: Option<ContainerFact>) {
        self.seen.send_replace(Some(seen));
        if self.job.is_some() {
            return;
        }
        if self.resolve_intent(seen) {
            return;
        }
        if self.learn_of_oom(seen) {
            return;
        }
        match next_state(self.fact.state, Input::Seen(seen, self.record.wanted)) {
            Next::Become(..) => self.confirm(seen, told).await,
            _ if self.unconfirmed => self.confirm(seen, told).await,
            _ => self.note(told.as_ref()),
        }
        self.take_waiting(None);
    }

    /// Follows a change once a fresh look agrees.
    ///
    /// RACE: what is told may have been read before the last thing this session did itself.
    async fn confirm(&mut self, told_seen: Seen, told: Option<ContainerFact>) {
        let (seen, fact) = match told_seen {
            Seen::Elsewhere | Seen::Unreachable => (told_seen, None),
            _ => self.look(told).await,
        };
        let unconfirmed = std::mem::take(&mut self.unconfirmed);
        if matches!(seen, Seen::Ended(_)) {
            self.fetch_last_words().await;
        }
        match next_state(self.fact.state, Input::Seen(seen, self.record.wanted)) {
            Next::Become(state, cause) if (state, cause) != (self.fact.state, self.cause) => {
                self.settle(state, cause, fact.as_ref()).await;
            }
            // Said again: an engine that is still away may have another reason by now.
            Next::Become(_, Some(Cause::Unreachable)) => self.give_cause(Cause::Unreachable),
            _ => {
                self.note(fact.as_ref());
                if unconfirmed {
                    self.keep().await;
                }
            }
        }
    }

    /// What a container wrote of itself until its end, where it did not write it here.
    async fn fetch_last_words(&mut self) {
        let container = self.record.container.as_ref();
        let carried = container.filter(|container| container.carried);
        if let Some(id) = carried.and_then(|container| container.id.as_deref()) {
            carrying::fetch(&self.engine, id, &Ends::of(&self.record)).await;
            self.commands.read_last_words(&self.record);
        }
    }

    /// A fresh look at the container. What was told is kept when it is as new, since the events know more about the end.
    pub(super) async fn look(&self, told: Option<ContainerFact>) -> (Seen, Option<ContainerFact>) {
        let Some(id) = self
            .record
            .container
            .as_ref()
            .and_then(|container| container.id.as_deref())
        else {
            return (self.missing(), None);
        };
        match self.engine.inspect(id).await {
            Ok(Some(fresh)) => {
                let same = |told: &ContainerFact| {
                    (told.state, told.finished_at) == (fresh.state, fresh.finished_at)
                };
                let fact = told.filter(same).unwrap_or(fresh);
                (words::seen(&fact), Some(fact))
            }
            Ok(None) => (self.missing(), None),
            Err(error) => {
                tracing::debug!(session = %self.record.name, %error, "no look at the container");
                (Seen::Unreachable, None)
            }
        }
    }

    /// Deals with what a crash of Mizzen left half-made; answers whether a job has begun.
    fn resolve_intent(&mut self, seen: Seen) -> bool {
        let Some(intent) = self
            .record
            .intent
            .clone()
            .filter(|_| !matches!(seen, Seen::Elsewhere | Seen::Unreachable))
        else {
            return false;
        };
        let task = match (intent, seen) {
            // A container that runs was provisioned before: the rest follows by itself.
            (Intent::Create { .. } | Intent::Make, Seen::Running | Seen::Paused) => {
                self.record.intent = None;
                return false;
            }
            (Intent::Create { .. } | Intent::Make, _) => Task::Undo,
            (Intent::Remove { volumes }, _) => Task::Remove { volumes },
        };
        tracing::info!(session = %self.record.name, ?task, "resolves what was interrupted");
        self.begin(task, State::Removing, Vec::new());
        true
    }

    /// The engine may tell a death first and only then that it was for want of memory.
    fn learn_of_oom(&mut self, seen: Seen) -> bool {
        let died = matches!(self.cause, Some(Cause::Died(_))) && self.fact.state == State::Failed;
        let is_oom = seen == Seen::Ended(Ending::OutOfMemory);
        if died && is_oom {
            self.give_cause(Cause::OutOfMemory);
        }
        died && is_oom
    }

    pub(super) fn on_oom_kill(&mut self) {
        let limit = sized(self.record.limits.memory_bytes);
        let name = &self.record.name;
        let message =
            format!("A process in session `{name}` was killed: out of memory (limit {limit}).");
        let hint = format!("Give it more: mizzen stop {name}, then mizzen up with --memory");
        self.notify(NoticeKind::OutOfMemory, message, hint);
    }

    pub(super) fn on_health(&mut self, health: EngineHealth) {
        // Known here: the engine calls every container unhealthy that has a check and has ended.
        if !matches!(self.fact.state, State::Running | State::Paused) {
            return;
        }
        let said = match health {
            // Nothing is checked by the engine: the container's own word stands.
            EngineHealth::None => None,
            EngineHealth::Starting => Some(Health::Starting),
            EngineHealth::Healthy => Some(Health::Healthy),
            EngineHealth::Unhealthy => Some(Health::Unhealthy),
        };
        let counts = self.verdict.engine_says(said);
        self.set_health(counts);
    }

    /// Takes over what a fact says beside the state.
    pub(super) fn note(&mut self, fact: Option<&ContainerFact>) {
        if let Some(fact) = fact {
            self.fact.started_at = fact.started_at;
            self.fact.container_id = Some(fact.id.clone());
            self.fact.image_id = Some(fact.image_id.clone()).filter(|id| !id.is_empty());
            self.on_health(fact.health);
        }
    }
}
