//! Turns facts into numbered changes of the snapshot: the only writer of engines, sessions and alerts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::stream::{SelectAll, StreamExt};
use mizzen_docker::Link;
use mizzen_sessions::{Facts, Notice, SessionFact, Sessions, Unmanaged};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_stream::wrappers::WatchStream;

use crate::store::Store;
use crate::translate::{self, Beside, EngineIdentity, Usage};
use crate::view::{Change, SessionView};
use crate::world::Clock;

use crate::alerts::Alerts;

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
    pub(crate) engines: Vec<(EngineIdentity, watch::Receiver<Link>)>,
    pub(crate) sessions: Sessions,
    pub(crate) usages: watch::Receiver<Usages>,
    /// Address of a session's code-server; none while there is no gateway.
    pub(crate) url: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
}

pub(crate) struct Publisher {
    store: Arc<Store>,
    clock: Clock,
    alerts: Alerts,
    /// What the snapshot was last made from.
    folded: Arc<Facts>,
    shown_usages: Usages,
    url: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
}

impl Publisher {
    pub(crate) fn new(
        store: Arc<Store>,
        clock: Clock,
        alerts: Alerts,
        url: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
    ) -> Self {
        let (folded, shown_usages) = (Arc::default(), Usages::default());
        Self {
            store,
            clock,
            alerts,
            folded,
            shown_usages,
            url,
        }
    }

    /// Follows the sources until one of them ends.
    pub(crate) async fn run(mut self, sources: Sources, mut asks: mpsc::Receiver<Ask>) {
        let Sources {
            engines,
            sessions,
            mut usages,
            ..
        } = sources;
        let mut links: SelectAll<_> = engines
            .into_iter()
            .map(|(identity, link)| {
                WatchStream::new(link)
                    .map(move |link| (identity.clone(), link))
                    .boxed()
            })
            .collect();
        let (mut facts, mut unmanaged) = (sessions.watch(), sessions.unmanaged());
        let mut notices = sessions.notices();
        facts.mark_changed();
        unmanaged.mark_changed();
        loop {
            let due = self.alerts.next_due().map(tokio::time::Instant::from_std);
            let quiet = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((identity, link)) = links.next() => self.on_link(&identity, &link),
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
                Some(ask) = asks.recv() => match ask {
                    Ask::CatchUp(done) => {
                        let now = facts.borrow_and_update().clone();
                        self.on_facts(now);
                        while let Ok(notice) = notices.try_recv() {
                            self.on_notice(&notice);
                        }
                        let _left = done.send(());
                    }
                    Ask::Dismiss(id, done) => {
                        let change = self.alerts.dismiss(&id);
                        let stood = change.is_some();
                        self.store.publish(change);
                        let _left = done.send(stood);
                    }
                },
                () = quiet => self.store.publish(self.alerts.tick(Instant::now())),
            }
        }
    }

    fn on_link(&mut self, identity: &EngineIdentity, link: &Link) {
        let previous = self.store.read(|snapshot| {
            snapshot
                .engines
                .iter()
                .find(|view| view.name == identity.name)
                .cloned()
        });
        let engine = translate::engine(identity, link, previous.as_ref(), (self.clock)());
        let alerts = self.alerts.on_engine(&engine, Instant::now());
        let changed = (previous.as_ref() != Some(&engine)).then_some(Change::Engine { engine });
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

    /// The change of one session's view, if it is a real one.
    fn changed_view(&self, fact: &SessionFact) -> Option<Change> {
        let name = fact.name.to_string();
        self.store.read(|snapshot| {
            let previous = find(&snapshot.sessions, &name);
            let view = translate::session(
                fact,
                &Beside {
                    previous,
                    url: (self.url)(&name),
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

/// Finds a session in a snapshot's list, which is sorted by name.
fn find<'a>(sessions: &'a [SessionView], name: &str) -> Option<&'a SessionView> {
    let found = sessions
        .binary_search_by(|view| view.name.as_str().cmp(name))
        .ok()?;
    sessions.get(found)
}
