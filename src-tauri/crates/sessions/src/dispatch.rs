//! What an engine tells, brought to the sessions concerned; and containers that belong to none.

use std::collections::BTreeMap;
use std::sync::Arc;

use mizzen_docker::{ContainerFact, Engine, EngineEvent};
use mizzen_status::sanitise;
use tokio::sync::mpsc;

use crate::actor::{Away, Told};
use crate::error::{advice, sentence};
use crate::fact::{Reason, Unmanaged};
use crate::folder::{self, Folder, OffLimits};
use crate::labels::{self, Claim, Reading};
use crate::machine::Wanted;
use crate::para::{self, Recalled};
use crate::record::{ContainerRef, Record};
use crate::sessions::Sessions;
use crate::words;
use crate::world::World;

/// Follows one engine until it is shut down.
pub(crate) async fn follow(
    sessions: Sessions,
    engine: Engine,
    mut events: mpsc::Receiver<EngineEvent>,
) {
    let mut dispatch = Dispatch {
        sessions,
        engine,
        engine_id: None,
    };
    while let Some(event) = events.recv().await {
        dispatch.take(event).await;
    }
}

struct Dispatch {
    sessions: Sessions,
    engine: Engine,
    /// What the engine calls itself of which is told.
    engine_id: Option<String>,
}

impl Dispatch {
    async fn take(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Listed(facts) => self.on_list(facts).await,
            EngineEvent::Changed(fact) => self.on_changed(fact).await,
            EngineEvent::Removed { id } => {
                self.forget_unmanaged(&id);
                self.tell_by_id(&id, Told::Gone).await;
            }
            EngineEvent::OomKill { id } => self.tell_by_id(&id, Told::OomKill).await,
            EngineEvent::Health { id, health } => self.tell_by_id(&id, Told::Health(health)).await,
            EngineEvent::Died { id, exit_code, at } => {
                self.tell_by_id(&id, Told::Died { exit_code, at }).await;
            }
            // A list follows.
            EngineEvent::Online(info) => self.engine_id = info.id,
            EngineEvent::Offline(offline) => {
                let engine = self.engine.name();
                let message = format!(
                    "The engine `{engine}` cannot be reached. {}",
                    sentence(&offline.message)
                );
                let reason = Reason {
                    message,
                    hint: advice(&offline.hint),
                };
                let nowhere = self.sessions.world().engines.find(engine).err();
                for Record { name, .. } in self.records().await {
                    let nowhere = nowhere.as_ref();
                    let nowhere = nowhere.map(|error| words::no_engine(error, &name, engine));
                    let away = Away {
                        is_nowhere: nowhere.is_some(),
                        reason: nowhere
                            .as_ref()
                            .map_or_else(|| reason.clone(), Reason::from),
                    };
                    self.sessions.tell(&name.key(), Told::Offline(away)).await;
                }
                self.replace_unmanaged(Vec::new());
            }
        }
    }

    /// Records of sessions on this engine.
    async fn records(&self) -> Vec<Record> {
        let all = self.sessions.world().registry.records().await;
        all.into_values()
            .filter(|record| record.engine == self.engine.name())
            .collect()
    }

    async fn on_list(&self, facts: Vec<ContainerFact>) {
        let mut by_nonce = BTreeMap::new();
        let mut unmanaged = Vec::new();
        for fact in facts {
            match labels::read(&fact.labels, &self.sessions.world().identity) {
                Reading::Foreign => {}
                Reading::Unreadable(why) => unmanaged.push(self.unmanaged(&fact, why)),
                Reading::Claims(claim) => {
                    by_nonce.insert(claim.nonce.clone(), (claim, fact));
                }
            }
        }
        let all = self.sessions.world().registry.records().await;
        for record in all.into_values() {
            let container = record.container.as_ref();
            let found = container.and_then(|container| by_nonce.remove(&container.nonce));
            if record.engine != self.engine.name() {
                // Known here: two contexts lead to one engine. A session is told of by the one it was made through.
                continue;
            }
            let told = found.map_or(Told::Gone, |(_, fact)| self.fact(fact));
            self.sessions.tell(&record.name.key(), told).await;
        }
        for (claim, fact) in by_nonce.into_values() {
            if let Err(why) = self.recognise(&claim, &fact).await {
                unmanaged.push(self.unmanaged(&fact, why));
            }
        }
        self.replace_unmanaged(unmanaged);
    }

    async fn on_changed(&self, fact: ContainerFact) {
        let claim = match labels::read(&fact.labels, &self.sessions.world().identity) {
            Reading::Foreign => return,
            Reading::Unreadable(why) => return self.show_unmanaged(&fact, why),
            Reading::Claims(claim) => claim,
        };
        let carries = |record: &Record| {
            record
                .container
                .as_ref()
                .is_some_and(|c| c.nonce == claim.nonce)
        };
        match self.sessions.world().registry.find(carries).await {
            Some(record) if record.engine == self.engine.name() => {
                self.sessions
                    .tell(&record.name.key(), self.fact(fact))
                    .await
            }
            Some(_) => {}
            None => self.show_unmanaged(&fact, NO_MEMORY),
        }
    }

    async fn tell_by_id(&self, id: &str, told: Told) {
        let has = |record: &Record| {
            let container = record.container.as_ref();
            record.engine == self.engine.name()
                && container.is_some_and(|container| container.id.as_deref() == Some(id))
        };
        if let Some(record) = self.sessions.world().registry.find(has).await {
            self.sessions.tell(&record.name.key(), told).await;
        }
    }

    /// Takes over a container whose record was lost, when its project vouches for it.
    async fn recognise(&self, claim: &Claim, fact: &ContainerFact) -> Result<(), &'static str> {
        let (recalled, folder) = look_up(self.sessions.world(), claim).await?;
        let record = Record {
            name: claim.session.clone(),
            project: folder.path,
            engine: self.engine.name().to_owned(),
            engine_id: self.engine_id.clone(),
            created_at: recalled.created_at,
            user: folder.user,
            limits: recalled.limits,
            workspace: claim.workspace,
            branch: None,
            history_is_due: false,
            only_there: words::only_there_unless_told(claim.workspace),
            requested_image: recalled.requested_image,
            image: recalled.image,
            wanted: if fact.is_up() {
                Wanted::Up
            } else {
                Wanted::Down
            },
            intent: None,
            container: Some(ContainerRef {
                nonce: claim.nonce.clone(),
                id: Some(fact.id.clone()),
                carried: claim.carried,
            }),
        };
        let key = record.name.key();
        if !self.sessions.adopt(record, &self.engine).await {
            return Err("another session has its name");
        }
        tracing::info!(session = %claim.session, "recognised a session whose record was lost");
        self.sessions.tell(&key, self.fact(fact.clone())).await;
        Ok(())
    }

    fn fact(&self, fact: ContainerFact) -> Told {
        Told::Fact(Box::new(fact), self.engine_id.clone())
    }

    fn unmanaged(&self, fact: &ContainerFact, why: &str) -> Unmanaged {
        Unmanaged {
            engine: self.engine.name().to_owned(),
            container_id: fact.id.clone(),
            name: sanitise(&fact.name, 120),
            session: labels::shown_session(&fact.labels),
            reason: sentence(why),
        }
    }

    fn show_unmanaged(&self, fact: &ContainerFact, why: &str) {
        let shown = self.unmanaged(fact, why);
        self.sessions.unmanaged_sender().send_if_modified(|all| {
            if all.contains(&shown) {
                return false;
            }
            let all = Arc::make_mut(all);
            all.retain(|other| {
                !(other.engine == shown.engine && other.container_id == shown.container_id)
            });
            all.push(shown.clone());
            true
        });
    }

    fn forget_unmanaged(&self, id: &str) {
        self.sessions.unmanaged_sender().send_if_modified(|all| {
            let is_it =
                |other: &Unmanaged| other.engine == self.engine.name() && other.container_id == id;
            let has = all.iter().any(is_it);
            if has {
                Arc::make_mut(all).retain(|other| !is_it(other));
            }
            has
        });
    }

    /// Replaces this engine's part of the list.
    fn replace_unmanaged(&self, fresh: Vec<Unmanaged>) {
        self.sessions.unmanaged_sender().send_if_modified(|all| {
            let mut next: Vec<Unmanaged> = all
                .iter()
                .filter(|other| other.engine != self.engine.name())
                .cloned()
                .collect();
            next.extend(fresh);
            let changed = **all != next;
            *all = Arc::new(next);
            changed
        });
    }
}

/// What a container's project remembers of it. The folder is on whatever disk its labels name.
async fn look_up(world: &World, claim: &Claim) -> Result<(Recalled, Folder), &'static str> {
    let (home, state_dir) = (world.home.clone(), world.state_dir.clone());
    let claim = claim.clone();
    let look = move || {
        let recalled = para::recall(&claim.project, &claim.session, &claim.nonce);
        let off_limits = OffLimits {
            home: home.as_deref(),
            state_dir: &state_dir,
        };
        let folder = folder::inspect(&claim.project, &off_limits);
        let folder = folder.map_err(|_| "its project folder cannot be used");
        Ok((recalled.ok_or(NO_MEMORY)?, folder?))
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.expect("BUG: looking does not panic")
}

const NO_MEMORY: &str = "Mizzen does not remember making it";
