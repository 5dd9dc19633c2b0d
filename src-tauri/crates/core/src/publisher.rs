//! Turns facts into numbered changes of the snapshot: the only writer of engines, sessions and alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use mizzen_sessions::{EngineFacts, Facts, Notice, SessionFact, Sessions, Unmanaged};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::alerts::Alerts;
use crate::contexts::News;
use crate::engines::{Choice, Choose, Chosen, NONE};
use crate::store::Store;
use crate::sync::SyncViews;
use crate::translate::{self, Beside, Usage};
use crate::view::{Change, ContextsView, EngineView, Settings};
use crate::world::Clock;

/// What the desk asks of the publisher.
pub(crate) enum Ask {
    /// Answered once everything known now is in the snapshot, so that a client that was told of
    /// a verb's outcome finds it there.
    CatchUp(oneshot::Sender<()>),
    /// Puts an alert away; answers whether it stood.
    Dismiss(String, oneshot::Sender<bool>),
}

/// What each session that somebody looks at uses.
pub(crate) type Usages = BTreeMap<String, Usage>;

/// Where facts come from.
pub(crate) struct Sources {
    pub(crate) sessions: Sessions,
    pub(crate) usages: watch::Receiver<Usages>,
    pub(crate) syncs: watch::Receiver<SyncViews>,
    pub(crate) contexts: watch::Receiver<ContextsView>,
    /// They may select another engine.
    pub(crate) context_moves: watch::Receiver<()>,
    pub(crate) news: mpsc::Receiver<News>,
    /// They say what kind of address a session has.
    pub(crate) settings: watch::Receiver<Settings>,
    pub(crate) asks: mpsc::Receiver<Ask>,
}

/// Address of a session's code-server; none while the gateway has none for it.
pub(crate) type UrlOf = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

pub(crate) struct Publisher {
    sessions: Sessions,
    store: Arc<Store>,
    clock: Clock,
    alerts: Alerts,
    choose: Choose,
    /// The selected engine as it was shown last.
    shown_choice: Option<Choice>,
    /// What the snapshot was last made from.
    folded: Arc<Facts>,
    shown_engines: Arc<EngineFacts>,
    shown_usages: Usages,
    shown_syncs: SyncViews,
    url_of: UrlOf,
}

impl Publisher {
    pub(crate) fn new(
        sessions: Sessions,
        store: Arc<Store>,
        clock: Clock,
        alerts: Alerts,
        choose: Choose,
        url_of: UrlOf,
    ) -> Self {
        let (folded, shown_usages) = (Arc::default(), Usages::default());
        let shown_syncs = SyncViews::default();
        Self {
            sessions,
            store,
            clock,
            alerts,
            choose,
            shown_choice: None,
            folded,
            shown_engines: Arc::default(),
            shown_usages,
            shown_syncs,
            url_of,
        }
    }

    /// Folds in what is known before anything is followed.
    pub(crate) fn catch_up(&mut self, sources: &Sources) {
        self.on_engines(sources.sessions.engines().borrow().clone());
        self.on_facts(sources.sessions.watch().borrow().clone());
        self.on_unmanaged(&sources.sessions.unmanaged().borrow().clone());
    }

    /// Follows the sources until one of them ends.
    pub(crate) async fn run(mut self, sources: Sources) {
        let Sources {
            sessions,
            mut usages,
            mut syncs,
            mut contexts,
            mut context_moves,
            mut news,
            mut settings,
            mut asks,
        } = sources;
        let (mut facts, mut unmanaged) = (sessions.watch(), sessions.unmanaged());
        let mut engines = sessions.engines();
        let mut notices = sessions.notices();
        // RACE: they may have changed between the catching up and the subscription.
        engines.mark_changed();
        facts.mark_changed();
        unmanaged.mark_changed();
        loop {
            tokio::select! {
                Ok(()) = engines.changed() => {
                    let now = engines.borrow_and_update().clone();
                    self.on_engines(now);
                }
                Ok(()) = facts.changed() => {
                    let now = facts.borrow_and_update().clone();
                    self.on_facts(now);
                }
                Ok(()) = unmanaged.changed() => {
                    let now = unmanaged.borrow_and_update().clone();
                    self.on_unmanaged(&now);
                }
                notice = notices.recv() => match notice {
                    Ok(notice) => self.on_notice(&notice),
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "notices came too fast");
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                Ok(()) = usages.changed() => {
                    let now = usages.borrow_and_update().clone();
                    self.on_usages(now);
                }
                Ok(()) = syncs.changed() => {
                    let now = syncs.borrow_and_update().clone();
                    self.on_syncs(now);
                }
                Ok(()) = contexts.changed() => {
                    let now = contexts.borrow_and_update().clone();
                    self.on_contexts(now);
                }
                Ok(()) = context_moves.changed() => self.on_engines(self.shown_engines.clone()),
                Some(one) = news.recv() => self.on_news(&one),
                Ok(()) = settings.changed() => self.on_settings(),
                Some(ask) = asks.recv() => {
                    // Facts first, then the notices about them, then the answer.
                    let now = engines.borrow_and_update().clone();
                    self.on_engines(now);
                    let now = facts.borrow_and_update().clone();
                    self.on_facts(now);
                    let now = syncs.borrow_and_update().clone();
                    self.on_syncs(now);
                    let now = contexts.borrow_and_update().clone();
                    self.on_contexts(now);
                    while let Ok(one) = news.try_recv() {
                        self.on_news(&one);
                    }
                    if settings.has_changed().unwrap_or(false) {
                        settings.mark_unchanged();
                        self.on_settings();
                    }
                    while let Ok(notice) = notices.try_recv() {
                        self.on_notice(&notice);
                    }
                    self.answer(ask);
                }
                () = until(self.alerts.next_due()) => {
                    self.store.publish(self.alerts.tick(Instant::now()));
                }
            }
        }
    }

    fn answer(&mut self, ask: Ask) {
        // Whoever asked may have left.
        match ask {
            Ask::CatchUp(done) => {
                let _left = done.send(());
            }
            Ask::Dismiss(id, done) => {
                let change = self.alerts.dismiss(&id);
                let stood = change.is_some();
                self.store.publish(change);
                let _left = done.send(stood);
            }
        }
    }

    fn on_engines(&mut self, now: Arc<EngineFacts>) {
        let before = std::mem::replace(&mut self.shown_engines, now.clone());
        let chosen = self.chosen();
        let is_other = self.shown_choice != chosen;
        self.shown_choice.clone_from(&chosen);
        for (name, fact) in now
            .iter()
            .filter(|(name, fact)| is_other || before.get(*name) != Some(fact))
        {
            let previous = self.store.read(|snapshot| {
                let of_name = |view: &&EngineView| view.name == *name;
                snapshot.engines.iter().find(of_name).cloned()
            });
            let choice = chosen.as_ref().filter(|choice| choice.name == *name);
            let at = (self.clock)();
            self.on_engine(translate::engine(name, fact, choice, previous.as_ref(), at));
        }
    }

    /// The selected engine. Where there is none, that is shown in its place, until there is one.
    fn chosen(&mut self) -> Option<Choice> {
        let chosen: Chosen = (self.choose)();
        let stands_in = |view: &&EngineView| view.name == NONE && view.endpoint.is_empty();
        let shown = self
            .store
            .read(|snapshot| snapshot.engines.iter().find(stands_in).cloned());
        match (&chosen, shown) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => {
                let name = NONE.to_owned();
                let alerts = self.alerts.on_engine_removed(NONE, Instant::now());
                let removed = Change::EngineRemoved { name };
                self.store.publish([removed].into_iter().chain(alerts));
                self.sessions.look_for_missing_engines();
            }
            (Err(now), Some(shown)) if now.reason == shown.reason => {}
            (Err(now), _) => self.on_engine(EngineView::clone(now)),
        }
        chosen.ok()
    }

    fn on_engine(&mut self, engine: EngineView) {
        let alerts = self.alerts.on_engine(&engine, Instant::now());
        let known = self
            .store
            .read(|snapshot| snapshot.engines.contains(&engine));
        let changed = (!known).then_some(Change::Engine { engine });
        self.store.publish(changed.into_iter().chain(alerts));
    }

    fn on_notice(&mut self, notice: &Notice) {
        self.store
            .publish(self.alerts.on_notice(notice, Instant::now()));
    }

    fn on_unmanaged(&mut self, facts: &[Unmanaged]) {
        let unmanaged: Vec<_> = facts.iter().map(translate::unmanaged).collect();
        if self.store.read(|snapshot| snapshot.unmanaged != unmanaged) {
            self.store.publish([Change::Unmanaged { unmanaged }]);
        }
    }

    fn on_facts(&mut self, now: Arc<Facts>) {
        let before = std::mem::replace(&mut self.folded, now.clone());
        let mut changes = Vec::new();
        for (key, old) in before.iter() {
            // A name may come back in another case: to clients that is another session.
            if now.get(key).is_none_or(|new| new.name != old.name) {
                let name = old.name.to_string();
                changes.extend(self.alerts.on_session_removed(&name));
                changes.push(Change::SessionRemoved { name });
            }
        }
        for (key, fact) in now.iter() {
            // Facts are shared until they change: most of hundreds cost one comparison of pointers.
            if before.get(key).is_none_or(|old| !Arc::ptr_eq(old, fact)) {
                changes.extend(self.changed_view(fact));
                let at = (self.clock)();
                changes.extend(self.alerts.on_report(fact, at, Instant::now()));
                changes.extend(self.alerts.on_history(fact, at, Instant::now()));
            }
        }
        self.store.publish(changes);
    }

    fn on_usages(&mut self, now: Usages) {
        let before = std::mem::replace(&mut self.shown_usages, now);
        let touched = before.keys().chain(self.shown_usages.keys());
        let mut touched: Vec<&String> = touched.collect();
        touched.dedup();
        let facts = touched.into_iter().filter_map(|key| self.folded.get(key));
        let changes: Vec<Change> = facts.filter_map(|fact| self.changed_view(fact)).collect();
        self.store.publish(changes);
    }

    fn on_syncs(&mut self, now: SyncViews) {
        let before = std::mem::replace(&mut self.shown_syncs, now);
        let keys: BTreeSet<&String> = before.keys().chain(self.shown_syncs.keys()).collect();
        let differ = |key: &&&String| before.get(**key) != self.shown_syncs.get(**key);
        let facts = keys
            .iter()
            .filter(differ)
            .filter_map(|key| self.folded.get(*key));
        let facts: Vec<_> = facts.cloned().collect();
        let mut changes = Vec::new();
        for fact in facts {
            changes.extend(self.changed_view(&fact));
            let view = self.shown_syncs.get(&fact.name.key());
            let at = (self.clock)();
            changes.extend(self.alerts.on_sync(&fact, view, at, Instant::now()));
        }
        self.store.publish(changes);
    }

    fn on_contexts(&mut self, contexts: ContextsView) {
        if self.store.read(|snapshot| snapshot.contexts == contexts) {
            return;
        }
        let alerts = self
            .alerts
            .on_contexts(&contexts, (self.clock)(), Instant::now());
        let contexts = Box::new(contexts);
        let change = Change::Contexts { contexts };
        self.store.publish([change].into_iter().chain(alerts));
        // Another context may be selected on the host.
        self.on_engines(self.shown_engines.clone());
    }

    fn on_news(&mut self, news: &News) {
        let told = self.alerts.on_news(news, (self.clock)(), Instant::now());
        self.store.publish(told);
    }

    fn on_settings(&self) {
        let facts = self.folded.values();
        let changes: Vec<Change> = facts.filter_map(|fact| self.changed_view(fact)).collect();
        self.store.publish(changes);
    }

    /// The change of one session's view, if it is a real one.
    fn changed_view(&self, fact: &SessionFact) -> Option<Change> {
        let name = fact.name.to_string();
        let url = translate::answers(fact).then(|| (self.url_of)(&name));
        self.store.read(|snapshot| {
            let previous = snapshot.sessions.iter().find(|view| view.name == name);
            let view = translate::session(
                fact,
                &Beside {
                    previous,
                    url: url.flatten(),
                    sync: self.shown_syncs.get(&fact.name.key()),
                    usage: self.shown_usages.get(&name.to_ascii_lowercase()).copied(),
                    now: (self.clock)(),
                },
            );
            (previous != Some(&view)).then(|| Change::Session {
                session: Box::new(view),
            })
        })
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
