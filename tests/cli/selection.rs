//! Which engine is meant where nobody names one: the one that the Docker command line would use.

use mizzen_core::verb::Verb;
use mizzen_core::view::{AlertKind, EngineState, Snapshot};
use mizzen_tests::far_machine::a_person;
use mizzen_tests::rig::{Mizzen, until};

/// Nothing has to be started anew for it.
#[test]
fn a_context_that_is_selected_while_mizzen_runs_serves_what_names_none() {
    let (mut mizzen, _contexts) = a_person().unwrap();
    for name in ["near", "far"] {
        let host = format!("host={SOCKET}");
        let made = mizzen.docker(&["context", "create", name, "--docker", &host]);
        assert_eq!(made.code, 0, "{made:?}");
    }
    mizzen.set_env("DOCKER_HOST", "");
    mizzen.set_env("DOCKER_CONTEXT", "");
    for name in ["near", "far"] {
        let chosen = mizzen.docker(&["context", "use", name]);
        assert_eq!(chosen.code, 0, "{chosen:?}");
        let folder = mizzen.project(&format!("on-{name}"));
        let up = mizzen.json(&["up", folder.to_str().unwrap()]);
        assert_eq!(up["session"]["engine"], name, "{up}");
        let engines = mizzen.json(&["engines"]);
        let mut all = engines.as_array().unwrap().iter();
        let selected = all.find(|engine| engine["name"] == name).unwrap();
        assert_eq!(selected["selected_by"], "docker context use", "{engines}");
        assert_eq!(selected["state"], "online", "{engines}");
    }
    // A shell that means another one is told that it is not heard.
    mizzen.set_env("DOCKER_CONTEXT", "near");
    let folder = mizzen.project("unheard");
    for args in [&["engines"][..], &["up", folder.to_str().unwrap()]] {
        let said = mizzen.run(args);
        assert_eq!(said.code, 0, "{said:?}");
        let told = "DOCKER_CONTEXT=near of this shell does not count";
        assert!(said.stderr.contains(told), "{said:?}");
    }
}

const SOCKET: &str = "unix:///var/run/docker.sock";

#[test]
fn the_engine_that_the_docker_command_line_would_use_is_selected_and_it_is_said_why() {
    let (mut mizzen, _contexts) = a_person().unwrap();
    for name in ["near", "far"] {
        let host = format!("host={SOCKET}");
        let made = mizzen.docker(&["context", "create", name, "--docker", &host]);
        assert_eq!(made.code, 0, "{made:?}");
    }
    for (host, variable, used, name, by, before) in [
        ("", "", "default", "default", "default", ""),
        ("", "", "far", "far", "docker context use", ""),
        (
            "",
            "near",
            "far",
            "near",
            "DOCKER_CONTEXT",
            "docker context use (far)",
        ),
        (
            SOCKET,
            "near",
            "far",
            "default",
            "DOCKER_HOST",
            "DOCKER_CONTEXT (near) and docker context use (far)",
        ),
    ] {
        mizzen.set_env("DOCKER_HOST", "");
        mizzen.set_env("DOCKER_CONTEXT", "");
        let chosen = mizzen.docker(&["context", "use", used]);
        assert_eq!(chosen.code, 0, "{chosen:?}");
        mizzen.set_env("DOCKER_HOST", host);
        mizzen.set_env("DOCKER_CONTEXT", variable);
        let theirs = mizzen.docker(&["context", "inspect", "--format", "{{.Name}}"]);
        assert_eq!(theirs.stdout.trim(), name, "{theirs:?}");

        let engines = mizzen.json(&["engines"]);
        let selected = engines.as_array().unwrap().iter();
        let selected: Vec<_> = selected
            .filter(|engine| !engine["selected_by"].is_null())
            .map(|engine| (engine["name"].as_str(), engine["selected_by"].as_str()))
            .collect();
        assert_eq!(selected, [(Some(name), Some(by))], "{engines}");
        let beats = engines.as_array().unwrap().iter();
        let beats = beats.flat_map(|engine| engine["beats"].as_array().unwrap());
        let beats = beats.map(|one| [&one["by"], &one["says"]].map(|said| said.as_str().unwrap()));
        let beats: Vec<String> = beats.map(|[by, says]| format!("{by} ({says})")).collect();
        assert_eq!(beats.join(" and "), before, "{engines}");
        let said = mizzen.run(&["engines"]);
        let told = format!("`{name}` is selected by {by}, which goes before {before}");
        let is_told = said.stderr.contains(&told);
        assert_eq!(is_told, !before.is_empty(), "{said:?}");
        assert_eq!(mizzen.run(&["serve", "--stop"]).code, 0);
    }
}

/// Somebody whose shell names a context that is not there when the core starts.
fn a_person_who_means(context: &str) -> (Mizzen, tempfile::TempDir) {
    let (mut mizzen, contexts) = a_person().expect("a scratch home");
    mizzen.set_env("DOCKER_HOST", "");
    mizzen.set_env("DOCKER_CONTEXT", context);
    (mizzen, contexts)
}

fn make(mizzen: &Mizzen, context: &str) {
    let host = format!("host={SOCKET}");
    let made = mizzen.docker(&["context", "create", context, "--docker", &host]);
    assert_eq!(made.code, 0, "{made:?}");
}

/// Whether it is told that no engine could be selected: by an alert, and in an engine's place.
fn told_of_none(snapshot: &Snapshot) -> [bool; 2] {
    let is_alert = |kind| kind == AlertKind::EngineOffline;
    let alerts = snapshot.alerts.iter().filter(|one| is_alert(one.kind));
    let mut alerts = alerts.filter_map(|one| one.engine.as_deref());
    let mut views = snapshot.engines.iter();
    [
        alerts.any(|engine| engine == "none"),
        views.any(|view| view.name == "none"),
    ]
}

fn has_none(snapshot: &Snapshot) -> bool {
    told_of_none(snapshot) == [true; 2]
}

fn is_online(snapshot: &Snapshot, name: &str) -> bool {
    let mut all = snapshot.engines.iter();
    all.any(|one| {
        one.name == name && one.state == EngineState::Online && !one.selected_by.is_empty()
    })
}

#[tokio::test]
async fn an_engine_that_could_not_be_selected_at_the_start_is_put_to_use_once_it_can() {
    let (mizzen, _contexts) = a_person_who_means("late");
    let client = mizzen.client().await;
    until(&client, "no engine is selected", has_none).await;
    make(&mizzen, "late");
    // Nobody asks for anything: it is looked for all the same.
    until(&client, "it is selected and answers", |snapshot| {
        told_of_none(snapshot) == [false; 2] && is_online(snapshot, "late")
    })
    .await;
}

#[tokio::test]
async fn who_asks_for_an_engine_that_could_not_be_selected_is_served_at_once() {
    let (mizzen, _contexts) = a_person_who_means("late");
    let client = mizzen.client().await;
    let engine = "none".to_owned();
    let retry = Verb::RetryEngine { engine };
    let refused = client.run(retry.clone()).await.unwrap_err();
    assert!(refused.message.contains("\"late\""), "{refused:?}");
    make(&mizzen, "late");
    client.run(retry).await.unwrap();
    until(&client, "it is selected and answers", |snapshot| {
        told_of_none(snapshot) == [false; 2] && is_online(snapshot, "late")
    })
    .await;
    // And the other way: the context goes, and nothing that is selected is left.
    let gone = mizzen.docker(&["context", "rm", "-f", "late"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    let engines = mizzen.json(&["engines"]);
    let mut all = engines.as_array().unwrap().iter();
    assert!(all.all(|one| one["selected_by"].is_null()), "{engines}");
    until(&client, "no engine is selected", has_none).await;
}
