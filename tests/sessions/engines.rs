//! Engines that are no longer in use, and engines of another kind.

use mizzen_docker::{Endpoint, Engine, EngineOptions};
use mizzen_sessions::{
    ErrorKind, SessionSettings, Sessions, SessionsDeps, State, SupervisorFiles, UpRequest, Wish,
    deaf,
};
use mizzen_tasks::Owner;
use mizzen_testkit::fake_engine::{FakeEngine, Reply, well};

use crate::rig::{Rig, Root, deps, settings};

const FORGET: Wish = Wish::Remove {
    force: true,
    volumes: false,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_engine_is_no_longer_in_use_can_be_forgotten() {
    let rig = Rig::new();
    rig.up("web").await;
    let root = rig.root.clone();
    rig.end().await;
    let containers = root.on_engine("container");
    assert_eq!(containers.len(), 1);

    // Its context is gone: no engine is selected.
    let owner = Owner::root("without");
    let none = deps(&root, Vec::new(), settings());
    let sessions = Sessions::spawn(&owner, none).unwrap();
    let fact = sessions.watch().borrow()["web"].clone();
    assert_eq!(fact.state, State::Lost);
    let hint = fact.reason.as_ref().unwrap().hint.clone();
    assert!(hint.contains("mizzen rm --force web"), "{hint}");
    let careful = Wish::Remove {
        force: false,
        volumes: false,
    };
    for wish in [Wish::Start, careful] {
        let refused = sessions.wish("web", wish, deaf()).await;
        let refused = refused.expect_err("no engine");
        assert_eq!((refused.kind, &refused.hint), (ErrorKind::NotFound, &hint));
    }

    let done = sessions.wish("WEB", FORGET, deaf()).await.unwrap();
    assert!(done.message.contains("`default` is not in use"), "{done:?}");
    assert!(done.message.contains(&containers[0]), "{done:?}");
    assert!(sessions.watch().borrow().is_empty());
    let project = root.path().join("projects/web");
    assert!(!project.join(".para").exists());
    assert!(project.join("main.rs").exists());
    let again = sessions.wish("web", FORGET, deaf()).await;
    assert_eq!(again.expect_err("it is gone").kind, ErrorKind::NotFound);
    assert_eq!(root.on_engine("container"), containers, "left alone");
    owner.shut_down(crate::rig::SOON).await;

    // The engine is back: nothing is taken over that was forgotten.
    let rig = Rig::on(root, crate::rig::SOCKET, settings());
    let mut unmanaged = rig.sessions.unmanaged();
    let shown = unmanaged.wait_for(|all| !all.is_empty()).await.unwrap()[0].clone();
    assert_eq!(shown.name, containers[0]);
    assert_eq!(rig.state("web"), None);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_in_use_is_asked_and_nothing_is_forgotten() {
    let rig = Rig::new();
    rig.up("web").await;
    rig.wish("web", FORGET).await.unwrap();
    assert_eq!(rig.root.on_engine("container"), Vec::<String>::new());
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_of_another_architecture_needs_a_supervisor_of_its_own() {
    let arm = r#"{"Version":"1.2.3","ApiVersion":"1.41","Os":"linux","Arch":"arm64"}"#;
    let fake = FakeEngine::start(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        match path.rsplit('/').next() {
            Some("version") => Reply::Json(200, arm.to_owned()),
            _ => well(request, Reply::StreamThenSilence(Vec::new())),
        }
    })
    .unwrap();
    let root = Root::new();
    let programs = root.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let amd64 = programs.join("mizzen-supervisor-linux-amd64");
    mizzen_fsx::write_atomic(amd64, b"\x7fELF").unwrap();

    let owner = Owner::root("test");
    let options = EngineOptions {
        label: root.identity.label(),
        now: jiff::Timestamp::now,
    };
    let engine = Engine::spawn(&owner, "pi", Endpoint::Unix(fake.socket()), options);
    let own_image = SessionSettings {
        image: None,
        ..settings()
    };
    let deps = SessionsDeps {
        supervisors: SupervisorFiles::Folder(programs),
        ..deps(&root, vec![engine], own_image)
    };
    let sessions = Sessions::spawn(&owner, deps).unwrap();
    let request = UpRequest {
        dir: root.project("web"),
        ..UpRequest::default()
    };
    let error = sessions.up(request, deaf()).await.expect_err("no file");
    assert_eq!(error.kind, ErrorKind::Failed);
    for part in ["`pi` runs arm64", "programs/mizzen-supervisor-linux-arm64"] {
        assert!(error.message.contains(part), "{error}");
    }
    assert!(error.hint.contains("mizzen-supervisor-linux-arm64"));
    assert!(error.hint.contains("cargo xtask supervisor"));
    assert!(sessions.watch().borrow().is_empty(), "nothing half-made");
    owner.shut_down(crate::rig::SOON).await;
}
