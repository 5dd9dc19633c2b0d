//! Engines that are no longer in use, and engines of another kind.

use std::sync::Arc;

use mizzen_docker::Endpoint;
use mizzen_sessions::{
    ErrorKind, SessionSettings, Sessions, SessionsDeps, State, StepHook, SupervisorFiles,
    UpRequest, Wish, deaf,
};
use mizzen_tasks::Owner;
use mizzen_testkit::fake_engine::{FakeEngine, Reply, well};
use mizzen_tests::engines::{Contexts, only};

use tokio::sync::mpsc;

use crate::rig::{Rig, Root, SOON, deps, mounted, of_folder, settings};

const FORGET: Wish = Wish::Remove {
    force: true,
    volumes: false,
};

/// An engine that is well, but for what it replies to requests that name this.
fn fake(named: &'static str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> FakeEngine {
    let script = move |request: &str| {
        if request.contains(named) {
            reply()
        } else {
            well(request, Reply::StreamThenSilence(Vec::new()))
        }
    };
    FakeEngine::start(script).unwrap()
}

fn own_image() -> SessionSettings {
    SessionSettings {
        image: None,
        ..settings()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hangs_holds_nobody_up_on_another() {
    let (asked, mut builds) = mpsc::unbounded_channel();
    let silent = fake("/version", || Reply::Never);
    let stuck = fake("/build", move || {
        asked.send(()).unwrap();
        Reply::Never
    });
    let quick = fake("/build", || {
        Reply::Json(500, r#"{"message":"no"}"#.to_owned())
    });
    let (root, owner) = (Root::new(), Owner::root("test"));
    let fakes = [("silent", &silent), ("stuck", &stuck), ("quick", &quick)];
    let fakes = fakes.map(|(name, fake)| (name, Endpoint::Unix(fake.socket())));
    let engines = Contexts::of(fakes).source("silent");
    let supervisor = root.path().join("supervisor");
    mizzen_fsx::write_atomic(&supervisor, b"\x7fELF").unwrap();
    let deps = SessionsDeps {
        supervisors: SupervisorFiles::One(supervisor),
        ..deps(&root, engines, own_image())
    };
    let sessions = Sessions::spawn(&owner, deps).unwrap();
    let unheard = sessions.engine(None).await.unwrap();
    let heard = sessions.engine(Some("quick")).await.unwrap();

    // The supervisor for an engine that does not say what it is.
    tokio::select! {
        biased;
        recipe = sessions.recipe(&unheard) => panic!("it hangs: {:?}", recipe.map(|it| it.tag())),
        recipe = sessions.recipe(&heard) => drop(recipe.expect("nothing is missing")),
    }

    // An image that an engine never finishes.
    let up = |engine: &str| {
        let request = UpRequest {
            dir: root.project(engine),
            engine: Some(engine.to_owned()),
            ..mounted()
        };
        sessions.up(request, deaf())
    };
    let after = async {
        builds.recv().await.expect("it builds");
        up("quick").await
    };
    tokio::select! {
        stuck = up("stuck") => panic!("it hangs: {stuck:?}"),
        refused = tokio::time::timeout(SOON, after) => {
            let error = refused.expect("in time").expect_err("no image");
            assert!(error.message.contains("could not be built"), "{error}");
        }
    }
    owner.shut_down(SOON).await;
}

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
    let none = deps(&root, Contexts::default().source("default"), settings());
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
    assert!(
        done.message.contains("`default` was out of reach"),
        "{done:?}"
    );
    assert!(done.message.contains(&containers[0]), "{done:?}");
    assert!(sessions.watch().borrow().is_empty());
    let project = root.path().join("projects/web");
    assert!(!project.join(".para").exists());
    assert!(project.join("main.rs").exists());
    let again = sessions.wish("web", FORGET, deaf()).await;
    assert_eq!(again.expect_err("it is gone").kind, ErrorKind::NotFound);
    assert_eq!(root.on_engine("container"), containers, "left alone");
    owner.shut_down(SOON).await;

    // The engine is back: nothing is taken over that was forgotten.
    let rig = Rig::on(root, crate::rig::SOCKET, settings());
    let mut unmanaged = rig.sessions.unmanaged();
    let shown = unmanaged.wait_for(|all| !all.is_empty()).await.unwrap()[0].clone();
    assert_eq!(shown.name, containers[0]);
    assert_eq!(rig.state("web"), None);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_forgotten_holds_up_no_other_and_its_name_is_nobody_s_meanwhile() {
    let rig = Rig::new();
    rig.up("web").await;
    rig.up("api").await;
    let root = rig.root.clone();
    rig.end().await;

    // Its files are on a slow disk.
    let (begun, mut is_begun) = mpsc::unbounded_channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let at_step: StepHook = Arc::new(move |step| {
        if step == "forget: files" && begun.send(()).is_ok() {
            let _released = wait.lock().unwrap().recv();
        }
    });
    let owner = Owner::root("without");
    let none = SessionsDeps {
        at_step: Some(at_step),
        ..deps(&root, Contexts::default().source("default"), settings())
    };
    let sessions = Sessions::spawn(&owner, none).unwrap();
    let forget = sessions.wish("web", FORGET, deaf());
    let meanwhile = async {
        is_begun.recv().await.unwrap();
        // It asks for its engine, which is nowhere.
        let refused = sessions.wish("api", Wish::Start, deaf()).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
        for wish in [Wish::Start, FORGET] {
            let refused = sessions.wish("web", wish, deaf()).await.unwrap_err();
            assert_eq!(refused.message, "Session `web` is being removed.");
        }
        let again = sessions.up(of_folder(&root.project("web")), deaf()).await;
        assert_eq!(again.unwrap_err().kind, ErrorKind::State);
        go_on.send(()).unwrap();
    };
    let both = async { tokio::join!(forget, meanwhile) };
    let (forgotten, ()) = tokio::time::timeout(SOON, both).await.expect("no waiting");
    assert!(forgotten.unwrap().message.starts_with("Forgot `web`."));
    drop(go_on);
    let api = sessions.wish("api", FORGET, deaf()).await.unwrap();
    assert!(api.message.starts_with("Forgot `api`."), "{api:?}");
    assert!(sessions.watch().borrow().is_empty());
    owner.shut_down(SOON).await;
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
    let fake = fake("/version", move || Reply::Json(200, arm.to_owned()));
    let root = Root::new();
    let programs = root.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let amd64 = programs.join("mizzen-supervisor-linux-amd64");
    mizzen_fsx::write_atomic(amd64, b"\x7fELF").unwrap();

    let owner = Owner::root("test");
    let engine = only("pi", Endpoint::Unix(fake.socket()));
    let deps = SessionsDeps {
        supervisors: SupervisorFiles::Folder(programs),
        ..deps(&root, engine, own_image())
    };
    let sessions = Sessions::spawn(&owner, deps).unwrap();
    let request = of_folder(&root.project("web"));
    let error = sessions.up(request, deaf()).await.expect_err("no file");
    assert_eq!(error.kind, ErrorKind::Failed);
    for part in ["`pi` runs arm64", "programs/mizzen-supervisor-linux-arm64"] {
        assert!(error.message.contains(part), "{error}");
    }
    assert!(error.hint.contains("mizzen-supervisor-linux-arm64"));
    assert!(error.hint.contains("cargo xtask supervisor"));
    assert!(sessions.watch().borrow().is_empty(), "nothing half-made");
    owner.shut_down(SOON).await;
}
