//! Sessions on several engines at once: the selected one, and those that a session or a person names.

use std::path::PathBuf;
use std::sync::Arc;

use mizzen_docker::{Endpoint, Link};
use mizzen_sessions::{
    EngineFacts, ErrorKind, SessionFact, SessionSettings, Sessions, State, UpRequest, Wish, deaf,
};
use mizzen_tasks::Owner;
use mizzen_testkit::fake_engine::{FakeEngine, Reply};
use mizzen_tests::engines::Contexts;

use crate::rig::{Root, SOCKET, SOON, deps, mounted, settings};

/// A core's sessions that know the real engine as `default` and, by another path, as `far`.
struct Cores {
    root: Arc<Root>,
    contexts: Contexts,
    sessions: Sessions,
    owner: Owner,
}

impl Cores {
    fn new(settings: SessionSettings) -> Self {
        let root = Root::new();
        std::os::unix::fs::symlink(SOCKET, far(&root)).unwrap();
        let contexts = Contexts::of([
            ("default", Endpoint::Unix(SOCKET.into())),
            ("far", Endpoint::Unix(far(&root))),
        ]);
        Self::on(root, contexts, settings)
    }

    fn on(root: Arc<Root>, contexts: Contexts, settings: SessionSettings) -> Self {
        let owner = Owner::root("test");
        let deps = deps(&root, contexts.source("default"), settings);
        let sessions = Sessions::spawn(&owner, deps).unwrap();
        Self {
            root,
            contexts,
            sessions,
            owner,
        }
    }

    async fn restart(self) -> Self {
        self.owner.shut_down(SOON).await;
        Self::on(self.root, self.contexts, settings())
    }

    async fn up(&self, name: &str, engine: &str) -> Result<(), mizzen_sessions::SessionError> {
        let request = UpRequest {
            dir: self.root.project(name),
            engine: Some(engine.to_owned()),
            ..mounted()
        };
        self.sessions.up(request, deaf()).await.map(drop)
    }

    fn in_use(&self) -> Vec<String> {
        self.sessions.engines().borrow().keys().cloned().collect()
    }

    async fn until(&self, name: &str, is: impl Fn(&SessionFact) -> bool) -> Arc<SessionFact> {
        let mut facts = self.sessions.watch();
        let found = facts.wait_for(|facts| facts.get(name).is_some_and(|fact| is(fact)));
        match tokio::time::timeout(SOON, found).await {
            Ok(facts) => facts.expect("sessions live")[name].clone(),
            Err(_) => panic!("{name}: {:#?}", self.sessions.watch().borrow().get(name)),
        }
    }

    async fn until_engine(&self, is: impl Fn(&EngineFacts) -> bool) -> Arc<EngineFacts> {
        let mut engines = self.sessions.engines();
        let found = tokio::time::timeout(SOON, engines.wait_for(|facts| is(facts))).await;
        found.expect("in time").expect("sessions live").clone()
    }
}

fn far(root: &Root) -> PathBuf {
    root.path().join("far.sock")
}

fn is_online(facts: &EngineFacts, name: &str) -> bool {
    matches!(facts.get(name), Some(fact) if matches!(fact.link, Link::Online(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_are_put_to_use_as_sessions_need_them_and_each_has_its_own_limit() {
    let one_each = SessionSettings {
        max_running: 1,
        ..settings()
    };
    let cores = Cores::new(one_each);
    assert_eq!(cores.in_use(), ["default"]);
    let refused = cores.up("lost", "nowhere").await.expect_err("no context");
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert!(refused.message.contains("nowhere"), "{refused}");
    assert_eq!(cores.in_use(), ["default"]);

    let (here, there) = tokio::join!(cores.up("web", "default"), cores.up("api", "far"));
    here.unwrap();
    there.unwrap();
    assert_eq!(cores.in_use(), ["default", "far"]);
    let refused = cores.up("more", "far").await.expect_err("one is there");
    assert_eq!(refused.kind, ErrorKind::Limit);
    assert!(refused.message.contains("`far` (api)"), "{refused}");

    // Both contexts lead to one engine: each session is told of by its own, and no other finds it unmanaged.
    cores.until_engine(|facts| is_online(facts, "far")).await;
    let engines = |facts: &Sessions| -> Vec<(String, String, State)> {
        let facts = facts.watch().borrow().clone();
        let all = facts.values();
        all.map(|fact| (fact.name.to_string(), fact.engine.clone(), fact.state))
            .collect()
    };
    let expected = [("api", "far"), ("web", "default")]
        .map(|(name, engine)| (name.to_owned(), engine.to_owned(), State::Running));
    assert_eq!(engines(&cores.sessions), expected);
    assert!(cores.sessions.unmanaged().borrow().is_empty());

    // A new core uses what its sessions need.
    let cores = cores.restart().await;
    assert_eq!(cores.in_use(), ["default", "far"]);
    for name in ["web", "api"] {
        cores.until(name, |fact| fact.state == State::Running).await;
    }
    assert!(cores.sessions.unmanaged().borrow().is_empty());
    cores.owner.shut_down(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_vanishes_and_comes_back_takes_its_sessions_with_it() {
    let cores = Cores::new(settings());
    cores.up("api", "far").await.unwrap();
    let engine = cores.sessions.engine_in_use("far").unwrap();

    cores.contexts.remove("far");
    engine.retry_now();
    let lost = cores.until("api", |fact| fact.state == State::Lost).await;
    let reason = lost.reason.as_ref().unwrap();
    assert!(
        reason.message.contains("There is no context far"),
        "{reason:?}"
    );
    let is_nowhere =
        |link: &Link| matches!(link, Link::Offline(off) if off.message.contains("no context"));
    cores
        .until_engine(|facts| is_nowhere(&facts["far"].link))
        .await;
    let facts = cores.sessions.engines().borrow().clone();
    assert!(is_online(&facts, "default"), "{facts:?}");

    // A core that starts meanwhile does not know where it is, and finds it when it is asked for a session there.
    let cores = cores.restart().await;
    assert_eq!(cores.in_use(), ["default"]);
    let refused = cores.sessions.wish("api", Wish::Stop, deaf()).await;
    let refused = refused.expect_err("no context");
    assert!(
        refused.message.contains("`far` cannot be used"),
        "{refused}"
    );
    assert!(
        refused.hint.contains("mizzen rm --force api"),
        "{refused:?}"
    );
    cores.contexts.put("far", Endpoint::Unix(far(&cores.root)));
    cores
        .sessions
        .wish("api", Wish::Stop, deaf())
        .await
        .unwrap();
    assert_eq!(cores.in_use(), ["default", "far"]);
    cores
        .until("api", |fact| fact.state == State::Stopped)
        .await;

    // And one that was in use is found again by itself.
    let engine = cores.sessions.engine_in_use("far").unwrap();
    cores.contexts.remove("far");
    engine.retry_now();
    cores.until("api", |fact| fact.state == State::Lost).await;
    cores.contexts.put("far", Endpoint::Unix(far(&cores.root)));
    cores
        .until("api", |fact| fact.state == State::Stopped)
        .await;
    cores.owner.shut_down(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_never_answers_delays_neither_another_nor_the_end() {
    let hangs = FakeEngine::start(|_| Reply::Never).unwrap();
    let cores = Cores::new(settings());
    cores.contexts.put("far", Endpoint::Unix(hangs.socket()));
    let stuck = cores.sessions.engine(Some("far")).await.unwrap();
    tokio::select! {
        biased;
        up = cores.up("api", "far") => panic!("it hangs: {up:?}"),
        up = tokio::time::timeout(SOON, cores.up("web", "default")) => up.expect("in time").unwrap(),
    }
    assert_eq!(*stuck.link().borrow(), Link::Connecting);
    let stragglers = cores
        .owner
        .shut_down(std::time::Duration::from_secs(3))
        .await;
    assert!(stragglers.is_empty(), "{stragglers:?}");
}
