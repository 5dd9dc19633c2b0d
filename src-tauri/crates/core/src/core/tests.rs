//! A core without an engine: what holds when nothing else does.

use std::sync::Arc;

use super::*;
use crate::verb::Verb;
use crate::view::Change;
use crate::{Client, ConnectError, Dirs, FollowEnd};

fn config(root: &tempfile::TempDir) -> CoreConfig {
    let nowhere = format!("unix://{}", root.path().join("no-engine.sock").display());
    CoreConfig {
        dirs: Dirs::under(root.path().to_owned()).unwrap(),
        clock: Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        env: Arc::new(move |name| (name == "DOCKER_HOST").then(|| nowhere.clone().into())),
        home: None,
        program_dir: None,
        at_step: None,
    }
}

#[tokio::test]
async fn a_follower_sees_what_another_client_did() {
    let root = tempfile::tempdir().unwrap();
    let config = config(&root);
    let core = Core::start(config.clone()).await.unwrap();
    let follower = Client::connect(&config.dirs).await.unwrap();
    let (mut snapshot, mut events) = follower.follow().await.unwrap();

    let settings = Settings {
        max_running: 7,
        ..Settings::default()
    };
    let other = Client::connect(&config.dirs).await.unwrap();
    other
        .run(Verb::SaveSettings {
            settings: settings.clone(),
        })
        .await
        .unwrap();
    loop {
        let event = events.next().await.unwrap();
        assert!(snapshot.apply(&event), "events have no gap");
        if event.change
            == (Change::Settings {
                settings: settings.clone(),
            })
        {
            break;
        }
    }
    assert_eq!(snapshot.settings, settings);
    core.shut_down().await;
}

#[tokio::test]
async fn a_second_core_is_refused_and_clients_hear_the_end_of_the_first() {
    let root = tempfile::tempdir().unwrap();
    let config = config(&root);
    let core = Core::start(config.clone()).await.unwrap();
    assert!(
        Core::start(config.clone())
            .await
            .is_err_and(|error| error.is_already_running())
    );

    let client = Client::connect(&config.dirs).await.unwrap();
    let (_, mut events) = client.follow().await.unwrap();
    let end = async {
        core.asked_to_stop().await;
        core.shut_down().await;
    };
    tokio::join!(client.stop_core(), end);
    let end = loop {
        if let Err(end) = events.next().await {
            break end;
        }
    };
    assert_eq!(end, FollowEnd::Disconnected);
    let none = Client::connect(&config.dirs).await;
    assert!(matches!(none, Err(ConnectError::NoCore)));
}

#[cfg(unix)]
#[tokio::test]
async fn the_socket_of_a_killed_core_is_taken_over() {
    let root = tempfile::tempdir().unwrap();
    let config = config(&root);
    config.dirs.prepare().unwrap();
    // A listener that dies without unlinking leaves just this: a socket that refuses.
    drop(std::os::unix::net::UnixListener::bind(config.dirs.control_socket()).unwrap());
    assert!(matches!(
        Client::connect(&config.dirs).await,
        Err(ConnectError::NoCore)
    ));

    let core = Core::start(config.clone()).await.unwrap();
    Client::connect(&config.dirs)
        .await
        .unwrap()
        .snapshot()
        .await
        .unwrap();
    core.shut_down().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_core_killed_with_a_client_in_its_queue_is_no_core() {
    use rustix::event::{PollFd, PollFlags, poll};

    let root = tempfile::tempdir().unwrap();
    let dirs = config(&root).dirs;
    dirs.prepare().unwrap();
    let listener = std::os::unix::net::UnixListener::bind(dirs.control_socket()).unwrap();
    let killed = tokio::task::spawn_blocking(move || {
        // Ready means: the client waits to be accepted. Nobody will.
        let mut queue = [PollFd::new(&listener, PollFlags::IN)];
        assert_eq!(poll(&mut queue, None).unwrap(), 1);
    });
    let (client, killed) = tokio::join!(Client::connect(&dirs), killed);
    killed.unwrap();
    assert!(matches!(client.err(), Some(ConnectError::NoCore)));
}

/// The machine's wake reaches all that stands still in its sleep: an engine that is tried again later and later, the link
/// of a synced workspace, and the mirror of contexts, one of whose sides is changed where nobody is told.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_machine_that_wakes_has_engines_links_and_contexts_looked_at_at_once() {
    use crate::view::ContextsQuestion;

    /// What each of them would wait for by itself takes minutes.
    const WAKES: usize = 40;
    const PATIENCE: Duration = Duration::from_secs(60);

    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let engine = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", engine.local_addr().unwrap());
    let way = path("way");
    let turn = |to: &str| {
        std::os::unix::fs::symlink(to, path("new")).unwrap();
        rustix::fs::rename(path("new"), &way).unwrap();
    };
    let places = ["here", "there"];
    for place in places {
        let docker = path(place).join("docker");
        std::fs::create_dir_all(docker.join("contexts/meta")).unwrap();
        let text = format!(r#"{{"currentContext":"{place}"}}"#);
        mizzen_fsx::write_atomic(docker.join("config.json"), text.as_bytes()).unwrap();
    }
    turn(places[0]);
    std::fs::create_dir(path("home")).unwrap();
    let docker = way.join("docker");
    let config = CoreConfig {
        env: Arc::new(move |name| match name {
            "DOCKER_HOST" => Some(address.clone().into()),
            "DOCKER_CONFIG" => Some(docker.clone().into()),
            _ => None,
        }),
        home: Some(path("home")),
        ..config(&root)
    };
    let (woken, wakes) = watch::channel(0);
    let (core, desk) = Core::compose(config, |_| wakes).await.unwrap();
    let orders = desk.links.keep_for_test("web");
    desk.contexts.ask(ContextsQuestion::Setup).await.unwrap();
    let mut contexts = desk.contexts.views();
    let all = async {
        for wake in 1..=WAKES {
            let place = places[wake % 2];
            turn(place);
            woken.send_replace(wake as u64);
            let selects = |view: &ContextsView| view.host.current.as_deref() == Some(place);
            contexts.wait_for(selects).await.unwrap();
            // It hangs up at once: the engine is away, for longer each time.
            drop(engine.accept().await.unwrap());
            while orders.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("at once");
    core.shut_down().await;
}
