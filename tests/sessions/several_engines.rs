//! Sessions on several engines at once: the selected one, and those that a session or a person names.

use std::path::PathBuf;
use std::sync::Arc;

use mizzen_docker::{Endpoint, Link};
use mizzen_sessions::{
    Done, EngineFacts, ErrorKind, SessionError, SessionFact, SessionSettings, Sessions, State,
    UpRequest, Wish, deaf,
};
use mizzen_tasks::Owner;
use mizzen_testkit::fake_engine::{FakeEngine, Reply, well};
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

    async fn up(&self, name: &str, engine: &str) -> Result<(), SessionError> {
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

/// Takes a session away, and what its home keeps.
async fn removed(cores: &Cores, name: &str, force: bool) -> Result<Done, SessionError> {
    let wish = Wish::Remove {
        force,
        volumes: false,
    };
    cores.sessions.wish(name, wish, deaf()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_not_gone_because_its_context_leads_to_another_engine() {
    let another = FakeEngine::start(|request| match request.contains("/info") {
        true => Reply::Json(200, r#"{"ID":"ANOTHER","NCPU":2,"MemTotal":1}"#.to_owned()),
        false => well(request, Reply::StreamThenSilence(Vec::new())),
    });
    let another = another.unwrap();
    let cores = Cores::new(settings());
    cores.up("api", "far").await.unwrap();
    cores.up("web", "far").await.unwrap();
    cores
        .sessions
        .wish("web", Wish::Stop, deaf())
        .await
        .unwrap();
    let engine = cores.sessions.engine_in_use("far").unwrap();

    cores.contexts.put("far", Endpoint::Unix(another.socket()));
    engine.retry_now();
    for name in ["api", "web"] {
        let lost = cores.until(name, |fact| fact.out_of_reach).await;
        assert_eq!(lost.state, State::Lost);
        let reason = lost.reason.as_ref().unwrap();
        assert!(reason.message.contains("another engine"), "{reason:?}");
        let forget = format!("mizzen rm --force {name}");
        assert!(reason.hint.contains(&forget), "{reason:?}");
        assert!(lost.container_id.is_some(), "it is remembered");
    }
    // Nothing is made anew there, and nothing taken for gone, also by a core that starts meanwhile.
    let asked = another.requests();
    let cores = cores.restart().await;
    let lost = cores.until("api", |fact| fact.out_of_reach).await;
    let message = lost.reason.as_ref().unwrap().message.clone();
    assert!(another.requests() > asked);
    for refused in [
        cores.sessions.wish("api", Wish::Start, deaf()).await,
        cores.up("api", "far").await.map(|()| unreachable!()),
        removed(&cores, "api", false).await,
    ] {
        let refused = refused.expect_err("another engine");
        assert_eq!(refused.kind, ErrorKind::EngineUnreachable);
        assert!(refused.message.contains(&message), "{refused}");
    }

    // One is given up for good.
    let done = removed(&cores, "web", true).await.unwrap();
    assert!(done.message.contains("`far` was out of reach"), "{done:?}");
    assert_eq!(cores.root.on_engine("container").len(), 2, "left alone");

    // The other is back with its engine.
    cores.contexts.put("far", Endpoint::Unix(far(&cores.root)));
    cores.sessions.engine_in_use("far").unwrap().retry_now();
    let back = cores
        .until("api", |fact| fact.state == State::Running && fact.wired)
        .await;
    assert!(!back.out_of_reach && back.reason.is_none(), "{back:?}");
    let mut unmanaged = cores.sessions.unmanaged();
    unmanaged.wait_for(|all| !all.is_empty()).await.unwrap();
    cores.owner.shut_down(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_has_the_container_is_the_session_s_whatever_it_calls_itself() {
    let cores = Cores::new(settings());
    cores.up("api", "far").await.unwrap();
    cores.owner.shut_down(SOON).await;
    let registry = cores.root.state_dir().join("registry.json");
    let text = std::fs::read_to_string(&registry).unwrap();
    let renamed: Vec<String> = text
        .lines()
        .map(
            |line| match line.trim_start().starts_with("\"engine_id\"") {
                true => "\"engine_id\": \"BEFORE\",".to_owned(),
                false => line.to_owned(),
            },
        )
        .collect();
    assert_ne!(renamed.join("\n"), text.trim_end(), "it was written down");
    mizzen_fsx::write_atomic(&registry, renamed.join("\n").as_bytes()).unwrap();

    let cores = Cores::on(cores.root, cores.contexts, settings());
    cores
        .until("api", |fact| fact.state == State::Running)
        .await;
    cores
        .sessions
        .wish("api", Wish::Stop, deaf())
        .await
        .unwrap();
    cores
        .sessions
        .wish("api", Wish::Start, deaf())
        .await
        .unwrap();
    assert!(
        !std::fs::read_to_string(&registry)
            .unwrap()
            .contains("BEFORE")
    );
    cores.owner.shut_down(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_context_vanished_while_in_use_can_be_forgotten() {
    let cores = Cores::new(settings());
    cores.up("api", "far").await.unwrap();
    let engine = cores.sessions.engine_in_use("far").unwrap();
    cores.contexts.remove("far");
    engine.retry_now();
    let lost = cores.until("api", |fact| fact.out_of_reach).await;
    let hint = &lost.reason.as_ref().unwrap().hint;
    assert!(hint.contains("mizzen rm --force api"), "{hint}");
    let refused = removed(&cores, "api", false).await.expect_err("no engine");
    assert_eq!(&refused.hint, hint);

    let containers = cores.root.on_engine("container");
    let done = removed(&cores, "api", true).await.unwrap();
    assert!(done.message.contains(&containers[0]), "{done:?}");
    assert!(cores.sessions.watch().borrow().is_empty());
    let project = cores.root.path().join("projects/api");
    assert!(project.join("main.rs").exists() && !project.join(".para").exists());
    assert_eq!(cores.root.on_engine("container"), containers, "left alone");

    // Nobody serves it any more: its name is free, also on an engine of that name.
    cores.contexts.put("far", Endpoint::Unix(far(&cores.root)));
    engine.retry_now();
    cores.until_engine(|facts| is_online(facts, "far")).await;
    cores.up("api", "far").await.unwrap();
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
