//! What is done on one side is seen on the other.

use std::fs;

use mizzen_core::view::{AlertKind, ContextState, ContextsState};
use serde_json::Value;

use crate::rig::{BOTH, Person, Side};

#[tokio::test]
async fn setup_makes_the_container_side_and_leaves_the_host_alone() {
    let person = Person::new();
    let client = person.start().await;
    let status = person.mizzen(&["contexts", "status", "--json"]);
    assert_eq!((status.code, &status.json()["state"]), (0, &"off".into()));
    assert!(!person.path(Side::Container).exists(), "never made unasked");
    let refused = person.mizzen(&["contexts", "sync"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(
        refused.stderr.contains("mizzen contexts setup"),
        "{refused:?}"
    );

    person.context(
        Side::Host,
        &[
            "create",
            "containai-docker",
            "--docker",
            "host=ssh://user@host",
        ],
    );
    person.context(
        Side::Host,
        &["create", "prod", "--docker", "host=ssh://prod"],
    );
    for expected in ["Made ~/.docker-cai", "It was set up already."] {
        let said = person.mizzen(&["contexts", "setup"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.stdout.starts_with(expected), "{said:?}");
    }
    person.in_step(&client).await;
    let current = person.docker(Side::Container, &["context", "show"]);
    assert_eq!(current.stdout.trim(), "containai-docker");
    let listed = person.docker(Side::Container, &["context", "inspect", "containai-docker"]);
    let endpoint = |inspected: &Value| inspected[0]["Endpoints"]["docker"]["Host"].clone();
    assert_eq!(endpoint(&listed.json()), "unix:///var/run/docker.sock");
    let host = person.docker(Side::Host, &["context", "inspect", "containai-docker"]);
    assert_eq!(endpoint(&host.json()), "ssh://user@host");
}

#[tokio::test]
async fn every_command_of_docker_is_carried_over_in_both_directions() {
    let (person, client) = Person::mirrored().await;
    let one = person.tls("one");
    let two = person.tls("two");
    for (from, to) in [(Side::Host, Side::Container), (Side::Container, Side::Host)] {
        let endpoint = |tls: &str| format!("host=tcp://10.0.0.1:2376,{tls}");
        person.context(
            from,
            &[
                "create",
                "prod",
                "--description",
                "d",
                "--docker",
                &endpoint(&one),
            ],
        );
        let files = person.in_step(&client).await;
        assert_eq!(files.len(), 4, "{:?}", files.keys());
        let shown = person.docker(to, &["context", "inspect", "prod"]).json();
        assert_eq!(
            shown[0]["TLSMaterial"]["docker"].as_array().map(Vec::len),
            Some(3),
            "{shown}"
        );
        assert_eq!(shown[0]["Metadata"]["Description"], "d");

        person.context(from, &["update", "prod", "--docker", &endpoint(&two)]);
        person.in_step(&client).await;
        let key = fs::read(person.home().join("pem/two-key.pem")).unwrap();
        assert!(person.store(to).into_values().any(|bytes| bytes == key));

        person.context(to, &["update", "prod", "--description", "other"]);
        person.in_step(&client).await;
        assert!(
            person
                .docker(from, &["context", "ls"])
                .stdout
                .contains("other")
        );

        person.context(
            from,
            &[
                "export",
                "prod",
                &person.home().join("prod.tar").display().to_string(),
            ],
        );
        person.context(
            from,
            &[
                "import",
                "copy",
                &person.home().join("prod.tar").display().to_string(),
            ],
        );
        person.in_step(&client).await;
        assert!(
            person
                .docker(to, &["context", "ls", "-q"])
                .stdout
                .contains("copy")
        );
        BOTH.iter().for_each(|side| person.check_modes(*side));

        person.context(to, &["rm", "prod", "copy"]);
        assert_eq!(person.in_step(&client).await.len(), 0);
        fs::remove_file(person.home().join("prod.tar")).unwrap();
    }
    assert_eq!(person.own(Side::Host), None);
}

#[tokio::test]
async fn a_container_s_change_is_an_alert_and_undone_by_a_command() {
    let (person, client) = Person::mirrored().await;
    person.context(
        Side::Host,
        &["create", "prod", "--docker", "host=ssh://prod"],
    );
    person.in_step(&client).await;
    person.context(
        Side::Container,
        &["update", "prod", "--docker", "host=tcp://evil:2375"],
    );
    let told = |kind| {
        move |snapshot: &mizzen_core::view::Snapshot| {
            snapshot.alerts.iter().any(|alert| alert.kind == kind)
        }
    };
    let snapshot = person
        .until(&client, "it is told", told(AlertKind::ContextChanged))
        .await;
    let alert = snapshot
        .alerts
        .iter()
        .find(|alert| alert.kind == AlertKind::ContextChanged)
        .unwrap();
    assert!(
        alert
            .message
            .contains("it leads to tcp://evil:2375 now, not to ssh://prod"),
        "{alert:?}"
    );
    let id = alert.hint.rsplit(' ').next().unwrap().to_owned();

    // The same again: the alert tells of the last change, and all since the first go together.
    person.context(
        Side::Container,
        &["update", "prod", "--docker", "host=tcp://worse:2375"],
    );
    let of_the_last = |snapshot: &mizzen_core::view::Snapshot| {
        let mut alerts = snapshot.alerts.iter();
        alerts.any(|alert| {
            alert.message.contains("it leads to tcp://worse:2375 now")
                && alert.undo.map(|first| first.to_string()) == Some(id.clone())
        })
    };
    person
        .until(&client, "the last one is told", of_the_last)
        .await;
    let undone = person.mizzen(&["contexts", "undo", &id, "--json"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(undone.json()["contexts"]["state"], "in_step");
    let is_over = |snapshot: &mizzen_core::view::Snapshot| {
        snapshot
            .alerts
            .iter()
            .all(|alert| alert.kind != AlertKind::ContextChanged)
    };
    person.until(&client, "the alert is over", is_over).await;
    for side in BOTH {
        assert!(
            person
                .docker(side, &["context", "ls"])
                .stdout
                .contains("ssh://prod")
        );
    }
    let again = person.mizzen(&["contexts", "undo", &id]);
    assert_eq!(again.code, 6, "{again:?}");
    assert_eq!(person.mizzen(&["contexts", "undo", "999"]).code, 5);
    let trash = person.mizzen(&["contexts", "trash", "--json"]).json();
    let evil = trash
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["endpoint"] == "tcp://evil:2375")
        .unwrap();
    let restored = person.mizzen(&["contexts", "trash", "restore", evil["id"].as_str().unwrap()]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(
        person
            .docker(Side::Host, &["context", "ls"])
            .stdout
            .contains("tcp://evil:2375")
    );
    let history = person.mizzen(&["contexts", "history", "--json"]).json();
    let actions: Vec<&str> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["restored", "undone", "changed", "changed", "created"]
    );
}

#[tokio::test]
async fn a_conflict_is_told_and_the_other_version_one_command_away() {
    let person = Person::new();
    fs::create_dir(person.path(Side::Container)).unwrap();
    person.context(
        Side::Host,
        &["create", "prod", "--docker", "host=ssh://host"],
    );
    person.context(
        Side::Container,
        &["create", "prod", "--docker", "host=ssh://other"],
    );
    let client = person.start().await;
    let told = |snapshot: &mizzen_core::view::Snapshot| {
        let mut alerts = snapshot.alerts.iter();
        alerts.any(|alert| alert.hint == "Take the other version: mizzen contexts undo 1")
    };
    person.until(&client, "it is told", told).await;
    let listed = |side| person.docker(side, &["context", "ls"]).stdout;
    assert!(listed(Side::Container).contains("ssh://host"));
    assert_eq!(person.mizzen(&["contexts", "undo", "1"]).code, 0);
    assert!(listed(Side::Host).contains("ssh://other"));
    assert!(listed(Side::Container).contains("ssh://other"));
}

#[tokio::test]
async fn strict_waits_for_the_person() {
    let person = Person::new();
    person.set("contexts_strict = true\ncontexts_no_sync = [\"own\"]\ncontexts_socket = \"unix:///run/other.sock\"\n");
    let client = person.start().await;
    assert_eq!(person.mizzen(&["contexts", "setup"]).code, 0);
    let listed = person.docker(Side::Container, &["context", "ls"]).stdout;
    assert!(listed.contains("unix:///run/other.sock"), "{listed}");
    person.context(
        Side::Host,
        &["create", "prod", "--docker", "host=ssh://prod"],
    );
    person.context(Side::Host, &["create", "own", "--docker", "host=ssh://own"]);
    let alone = |snapshot: &mizzen_core::view::Snapshot| {
        let find = |name: &str| {
            snapshot
                .contexts
                .contexts
                .iter()
                .find(|one| one.name == name)
                .map(|one| one.state)
        };
        find("own") == Some(ContextState::NotSynced) && find("prod") == Some(ContextState::InStep)
    };
    person
        .until(&client, "one is in step, one left alone", alone)
        .await;
    person.context(
        Side::Container,
        &["update", "prod", "--docker", "host=ssh://evil"],
    );
    let held = |snapshot: &mizzen_core::view::Snapshot| {
        snapshot.contexts.state == ContextsState::Held
            && snapshot
                .alerts
                .iter()
                .any(|alert| alert.kind == AlertKind::ContextsHeld)
    };
    person.until(&client, "it is held", held).await;
    assert!(
        person
            .docker(Side::Host, &["context", "ls"])
            .stdout
            .contains("ssh://prod")
    );
    assert_eq!(person.mizzen(&["contexts", "status"]).code, 3);
    let holds = person.mizzen(&["contexts", "hold", "--json"]);
    assert_eq!(holds.code, 3, "{holds:?}");
    let id = holds.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        person
            .mizzen(&["contexts", "hold", "approve", "nothing"])
            .code,
        5
    );
    assert_eq!(
        person.mizzen(&["contexts", "hold", "approve"]).code,
        2,
        "one of them, or --all"
    );
    let dropped = person.mizzen(&["contexts", "hold", "drop", &id]);
    assert_eq!(dropped.code, 0, "{dropped:?}");
    assert!(
        person
            .docker(Side::Container, &["context", "ls"])
            .stdout
            .contains("ssh://prod")
    );
    person.context(Side::Container, &["rm", "prod"]);
    person.until(&client, "the deletion is held", held).await;
    assert_eq!(
        person
            .mizzen(&["contexts", "hold", "approve", "--all"])
            .code,
        0
    );
    assert!(
        !person
            .docker(Side::Host, &["context", "ls"])
            .stdout
            .contains("ssh://prod")
    );
    assert!(
        person
            .docker(Side::Host, &["context", "ls"])
            .stdout
            .contains("ssh://own")
    );
}

#[tokio::test]
async fn every_verb_answers_in_json() {
    let (person, client) = Person::mirrored().await;
    person.context(Side::Host, &["create", "prod", "--docker", "host=ssh://a"]);
    person.in_step(&client).await;
    let json = |args: &[&str]| {
        let said = person.mizzen(&[&["contexts"], args, &["--json"]].concat());
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said.json()
    };
    for args in [&["setup"][..], &["sync"]] {
        assert_eq!(json(args)["contexts"]["state"], "in_step", "{args:?}");
    }
    assert_eq!(json(&["status"])["state"], "in_step");
    person.context(Side::Host, &["update", "prod", "--docker", "host=ssh://b"]);
    person.in_step(&client).await;
    let trash = json(&["trash"]);
    let id = trash[0]["id"].as_str().unwrap();
    assert!(json(&["trash", "restore", id])["message"].is_string());
    let last = json(&["history", "-n", "1"]);
    assert_eq!(last.as_array().map(Vec::len), Some(1), "{last}");
    let last = last[0]["id"].to_string();
    assert!(json(&["undo", &last])["message"].is_string());
    assert_eq!(json(&["hold"]), serde_json::json!([]));
    for verb in ["approve", "drop"] {
        let done = json(&["hold", verb, "--all"]);
        assert_eq!(done["contexts"]["state"], "in_step", "{verb}");
    }
}
