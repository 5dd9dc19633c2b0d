//! No engine: every command still answers, and says so.

use std::os::unix::net::UnixListener;
use std::process::Command;

use mizzen_core::view::{AlertKind, EngineState};
use mizzen_tests::rig::{Mizzen, Said, program, until};

#[tokio::test]
async fn a_dead_engine_is_told_and_shown() {
    let mizzen = Mizzen::on("unix:///nowhere/docker.sock");
    let folder = mizzen.project("p");
    let said = mizzen.run(&["up", folder.to_str().unwrap(), "--json"]);
    let error = said.error();
    assert_eq!(
        (said.code, &error["code"]),
        (4, &"engine_unreachable".into()),
        "{said:?}"
    );
    assert_ne!(error["hint"], "");

    let client = mizzen.client().await;
    let (snapshot, _) = until(&client, "the engine is offline", |snapshot| {
        snapshot
            .alerts
            .iter()
            .any(|alert| alert.kind == AlertKind::EngineOffline)
    })
    .await;
    assert_eq!(snapshot.engines[0].state, EngineState::Offline);
    assert_eq!(snapshot.sessions.len(), 0, "nothing half-made");
    let doctor = mizzen.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.stdout.contains("/nowhere/docker.sock"), "{doctor:?}");
}

#[test]
fn an_engine_that_cannot_be_spoken_to_is_named() {
    let mizzen = Mizzen::on("ssh://build@far.example");
    let folder = mizzen.project("p");
    let said = mizzen.run(&["up", folder.to_str().unwrap(), "--json"]);
    assert_eq!(
        (said.code, &said.error()["code"]),
        (4, &"engine_unreachable".into()),
        "{said:?}"
    );
    assert!(said.stderr.contains("far.example"), "{said:?}");
}

#[test]
fn a_list_does_not_wait_for_an_engine_that_accepts_and_never_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let mizzen = Mizzen::on(format!("unix://{}", path.display()));
    let _deaf = UnixListener::bind(&path).unwrap();
    assert_eq!(mizzen.json(&["list"]).as_array().unwrap().len(), 0);
    assert_eq!(mizzen.run(&["serve", "--stop"]).code, 0);
    assert!(
        mizzen.log().contains("core ended"),
        "in order, and in time: {}",
        mizzen.log()
    );
    assert!(
        !mizzen.log().contains("some tasks did not"),
        "{}",
        mizzen.log()
    );
}

#[test]
fn a_session_on_a_context_that_is_gone_can_be_forgotten() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let config = tempfile::tempdir().unwrap();
    let docker = |args: &[&str]| {
        let config = ["--config", config.path().to_str().unwrap()];
        let said = mizzen.docker(&[&config[..], args].concat());
        assert_eq!(said.code, 0, "{said:?}");
    };
    let without = |args: &[&str]| -> Said {
        let mut command = mizzen.command(args);
        let command = command.env("DOCKER_CONFIG", config.path());
        command.output().unwrap().into()
    };
    let host = "host=unix:///var/run/docker.sock";
    docker(&["context", "create", "far", "--docker", host]);
    let up = without(&["up", folder.to_str().unwrap(), "--engine", "far"]);
    assert_eq!(up.code, 0, "{up:?}");
    let engines = without(&["engines", "--json"]).json();
    let far = engines
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "far");
    assert_eq!(far.unwrap()["state"], "online", "{engines}");
    mizzen.run(&["serve", "--stop"]);
    docker(&["context", "rm", "--force", "far"]);
    let list = without(&["list", "--json"]).json();
    assert_eq!(list[0]["state"], "lost", "{list}");
    let refused = without(&["rm", "p"]);
    assert_eq!(refused.code, 5, "{refused:?}");

    let forgotten = without(&["rm", "--force", "p"]);
    assert_eq!(forgotten.code, 0, "{forgotten:?}");
    assert!(forgotten.stdout.contains("stays there"), "{forgotten:?}");
    assert_eq!(without(&["rm", "--force", "p"]).code, 5);
    assert!(folder.join("hello.txt").exists());
    assert!(!folder.join(".para").exists());
    assert_eq!(mizzen.leftovers("container").len(), 1);
}

/// The limit of a user in a namespace of their own counts beside the machine's.
#[cfg(target_os = "linux")]
#[test]
fn a_doctor_tells_how_few_file_watchers_are_left_and_what_to_raise() {
    let mizzen = Mizzen::on("unix:///nowhere/docker.sock");
    let mut doctor = Command::new("unshare");
    let script = "echo 4 >/proc/sys/user/max_inotify_instances && exec \"$0\" doctor --json";
    doctor.args(["--user", "--map-root-user", "sh", "-c", script]);
    doctor.arg(program("mizzen"));
    for (name, value) in mizzen.command(["doctor"]).get_envs() {
        match value {
            Some(value) => doctor.env(name, value),
            None => doctor.env_remove(name),
        };
    }
    let said = Said::from(doctor.output().unwrap()).json();
    let mut checks = said["checks"].as_array().unwrap().iter();
    let watchers = checks.find(|check| check["id"] == "watchers").unwrap();
    assert_eq!(watchers["state"], "warning", "{watchers}");
    let message = watchers["message"].as_str().unwrap();
    assert!(message.contains("a session takes 3"), "{watchers}");
    let fix = watchers["fix"].as_str().unwrap();
    assert!(
        fix.contains("sysctl fs.inotify.max_user_instances="),
        "{watchers}"
    );
}
