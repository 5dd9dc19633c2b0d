//! A core without an engine: what holds when nothing else does.

use std::sync::Arc;

use crate::verb::Verb;
use crate::view::{Change, Settings};
use crate::{Client, ConnectError, Core, CoreConfig, Dirs, FollowEnd};

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
