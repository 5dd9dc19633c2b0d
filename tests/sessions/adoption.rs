//! A core that comes back finds its sessions, and touches nobody else's.

use mizzen_sessions::State;

use crate::rig::{REMOVE_ALL, Rig, docker, tiny};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_taken_over_as_their_containers_stand() {
    let rig = Rig::new();
    let ids: Vec<_> = [
        rig.up("runs").await,
        rig.up("stopped").await,
        rig.up("died").await,
        rig.up("gone").await,
    ]
    .map(|fact| fact.container_id.unwrap())
    .into();
    rig.wish("stopped", mizzen_sessions::Wish::Stop)
        .await
        .expect("stopped");
    let root = rig.root.clone();
    rig.end().await;
    docker(&["kill", &ids[2]]);
    docker(&["rm", "--force", &ids[3]]);
    let rig = Rig::on(root, crate::rig::SOCKET, crate::rig::settings());
    let fact = rig
        .until("runs", "running and wired", |fact| {
            fact.state == State::Running && fact.wired
        })
        .await;
    assert_eq!(fact.container_id.as_ref(), Some(&ids[0]));
    let fact = rig.until_state("stopped", State::Stopped).await;
    assert_eq!(fact.reason, None, "it was wished");
    rig.until_state("died", State::Failed).await;
    let fact = rig.until_state("gone", State::Failed).await;
    assert_eq!(
        fact.reason.as_ref().unwrap().message,
        "Its container was removed outside Mizzen."
    );
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_registry_is_rebuilt_from_labels_and_the_projects_files() {
    let rig = Rig::new();
    let before = rig.up("web").await;
    let root = rig.root.clone();
    rig.end().await;
    for file in ["registry.json", "registry.previous.json"] {
        std::fs::File::create(root.state_dir().join(file)).unwrap();
    }
    let rig = Rig::on(root, crate::rig::SOCKET, crate::rig::settings());
    let after = rig
        .until("web", "running and wired", |fact| {
            fact.state == State::Running && fact.wired
        })
        .await;
    assert_eq!(after.container_id, before.container_id);
    assert_eq!(
        (after.limits, &after.project, &after.image),
        (before.limits, &before.project, &before.image)
    );
    assert_eq!(after.created_at.as_second(), before.created_at.as_second());
    rig.end().await;
}

/// Bad input 56 of the security research: a container that wears our labels is shown and never touched.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_in_our_clothes_is_unmanaged_and_others_are_invisible() {
    let rig = Rig::new();
    rig.up("web").await;
    let run = |owner: &str, session: &str| {
        let labels = [
            "dev.mizzen.app=mizzen".to_owned(),
            "dev.mizzen.schema=1".to_owned(),
            format!("dev.mizzen.session={session}"),
            "dev.mizzen.project=/srv/forged".to_owned(),
            format!("dev.mizzen.owner={owner}"),
            "dev.mizzen.nonce=ffffffffffffffff".to_owned(),
        ];
        let labels: Vec<&str> = labels
            .iter()
            .flat_map(|label| ["--label", label.as_str()])
            .collect();
        docker(
            &[
                &[
                    "run",
                    "--detach",
                    "--network",
                    "none",
                    "--entrypoint",
                    "sleep",
                ],
                &labels[..],
                &[&tiny(), "600"],
            ]
            .concat(),
        )
    };
    let forged = run(rig.root.identity.as_str(), "web");
    let foreign = run("0123456789abcdef", "web");
    let mut unmanaged = rig.sessions.unmanaged();
    let found =
        tokio::time::timeout(crate::rig::SOON, unmanaged.wait_for(|all| !all.is_empty())).await;
    let shown = found.expect("shown in time").unwrap().clone();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(
        (&shown[0].container_id, shown[0].session.as_str()),
        (&forged, "web")
    );
    assert_eq!(shown[0].reason, "Mizzen does not remember making it.");
    let rig = rig.restart().await;
    rig.until_state("web", State::Running).await;
    rig.wish("web", REMOVE_ALL).await.expect("removed");
    for id in [&forged, &foreign] {
        assert_eq!(
            docker(&["inspect", "--format", "{{.State.Running}}", id]),
            "true",
            "untouched"
        );
        docker(&["rm", "--force", id]);
    }
    rig.end().await;
}
