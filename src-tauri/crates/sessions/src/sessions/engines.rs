//! Engines put to use, with the sessions that live on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mizzen_docker::Engine;
use tokio::sync::watch;

use super::{Handles, Sessions};
use crate::actor::{Actor, Told};
use crate::dispatch;
use crate::engines::{EngineFacts, Events};
use crate::error::SessionError;
use crate::fact::{Reason, SessionFact};
use crate::record::Record;
use crate::words;

/// Between two attempts to find an engine that could not be found: one on which sessions are remembered, or one to select.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Sessions {
    /// Every engine in use, now and as they change.
    #[must_use]
    pub fn engines(&self) -> watch::Receiver<Arc<EngineFacts>> {
        self.world().engines.watch()
    }

    /// The engine of this name, the selected one without; put to use where it was not.
    ///
    /// # Errors
    /// There is none of this name that could be used. One that does not answer is no error.
    pub async fn engine(&self, name: Option<&str>) -> Result<Engine, SessionError> {
        let engines = &self.world().engines;
        let name = engines.meant(name)?;
        if let Some(engine) = engines.in_use(&name) {
            return Ok(engine);
        }
        // From here on nothing is waited for: an engine in use is an engine that is followed.
        let mut handles = self.inner.handles.lock().await;
        let records = self.world().registry.records().await;
        let (engine, events) = engines.engage(&name)?;
        if let Some(events) = events {
            self.follow(&engine, events, records, &mut handles);
        }
        Ok(engine)
    }

    /// The engine of this name, if it is in use.
    #[must_use]
    pub fn engine_in_use(&self, name: &str) -> Option<Engine> {
        self.world().engines.in_use(name)
    }

    /// This machine slept: every engine in use is looked for or listed again without waiting for its turn, and no session
    /// is blamed for its silence for a while.
    pub async fn woke(&self) {
        let facts = self.watch().borrow().clone();
        for key in facts.keys() {
            self.tell(key, Told::Woke).await;
        }
        self.look_at_engines();
    }

    /// Has every engine in use looked for again, or listed again, without waiting for its turn.
    pub fn look_at_engines(&self) {
        let facts = self.engines().borrow().clone();
        let engines = facts.keys().filter_map(|name| self.engine_in_use(name));
        engines.for_each(|engine| engine.retry_now());
    }

    /// Has engines looked for that could not be found: a context may be usable by now.
    pub fn look_for_missing_engines(&self) {
        self.inner.may_be_found.notify_one();
    }

    /// Puts the selected engine to use and each on which a session is remembered. A session whose engine cannot be
    /// found is shown with the reason.
    pub(super) fn take_over(&self, records: &BTreeMap<String, Record>) {
        let engines = &self.world().engines;
        let of_records = records.values().map(|record| record.engine.clone());
        let mut names: BTreeSet<String> = of_records.collect();
        let selected = engines.meant(None);
        let mut are_all_found = selected.is_ok();
        names.extend(selected.ok());
        let mut handles = self
            .inner
            .handles
            .try_lock()
            .expect("BUG: nobody else has these sessions yet");
        for name in names {
            match engines.engage(&name) {
                Ok((engine, Some(events))) => {
                    self.follow(&engine, events, records.clone(), &mut handles);
                }
                Ok((_, None)) => {}
                Err(error) => {
                    are_all_found = false;
                    self.show_without_engine(&name, records, &error);
                }
            }
        }
        if !are_all_found {
            let sessions = self.clone();
            let look = async move { sessions.look_for_engines().await };
            self.inner.owner.spawn("look-for-engines", look);
        }
    }

    /// Serves what is remembered on an engine that was not in use before, and brings it what the engine tells.
    fn follow(
        &self,
        engine: &Engine,
        events: Events,
        records: BTreeMap<String, Record>,
        handles: &mut Handles,
    ) {
        let is_here = |record: &Record| record.engine == engine.name();
        for (key, record) in records.into_iter().filter(|(_, record)| is_here(record)) {
            // One that is being forgotten is served no more.
            if handles.contains_key(&key) {
                continue;
            }
            let (actor, handle) = Actor::of(
                self.inner.world.clone(),
                &self.inner.owner,
                engine.clone(),
                record,
            );
            actor.publish();
            self.host(key.clone(), &handle, actor.run());
            handles.insert(key, Some(handle));
        }
        let name = format!("dispatch:{}", engine.name());
        let follow = dispatch::follow(self.clone(), engine.clone(), events);
        self.inner.owner.spawn(&name, follow);
    }

    fn show_without_engine(
        &self,
        engine: &str,
        records: &BTreeMap<String, Record>,
        error: &SessionError,
    ) {
        let here = records.iter().filter(|(_, record)| record.engine == engine);
        for (key, record) in here {
            let mut fact = SessionFact::of(record);
            fact.reason = Some(Reason::from(&words::no_engine(error, &record.name, engine)));
            fact.out_of_reach = true;
            self.world().publish(key, Some(Arc::new(fact)));
        }
    }

    /// Looks now and then for engines that could not be found, until one is selected and no session is remembered on any
    /// other.
    async fn look_for_engines(&self) {
        loop {
            let hinted = self.inner.may_be_found.notified();
            // Either of them is a reason to look.
            let _waited = tokio::time::timeout(LOOK_AGAIN, hinted).await;
            let records = self.world().registry.records().await;
            let of_records: BTreeSet<&String> =
                records.values().map(|record| &record.engine).collect();
            let mut are_all_found = self.engine(None).await.is_ok();
            for name in of_records {
                if let Err(error) = self.engine(Some(name)).await {
                    are_all_found = false;
                    self.show_without_engine(name, &records, &error);
                }
            }
            if are_all_found {
                return;
            }
        }
    }
}
