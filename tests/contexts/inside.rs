//! The Docker command line in a container that was given the container side, as a session or a devcontainer has it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use mizzen_tests::own_core::tiny_image;
use mizzen_tests::rig::Said;

use crate::rig::{Person, Side};

/// Where a container has it; `DOCKER_CONFIG` says so.
const CONFIG: &str = "/home/coder/.docker-cai";

#[tokio::test]
async fn a_container_has_the_hosts_contexts_its_own_engine_and_its_changes_come_home() {
    let (person, client) = Person::mirrored().await;
    person.context(
        Side::Host,
        &["create", "prod", "--docker", "host=ssh://prod"],
    );
    person.in_step(&client).await;

    let listed = inside(&person, &["context", "ls", "--format", "{{.Name}}"]);
    assert_eq!(
        listed.stdout.split_whitespace().collect::<Vec<_>>(),
        ["containai-docker", "default", "prod"],
        "{listed:?}"
    );
    let engine = ["version", "--format", "{{.Server.Version}}"];
    let outside = person.docker(Side::Host, &engine);
    let within = inside(&person, &engine);
    assert_eq!(
        (within.code, within.stdout),
        (0, outside.stdout),
        "nothing is selected by hand: containai-docker leads to the socket that was mounted"
    );

    let made = inside(
        &person,
        &["context", "create", "mine", "--docker", "host=ssh://mine"],
    );
    assert_eq!(made.code, 0, "{made:?}");
    person.in_step(&client).await;
    let seen = person.docker(Side::Host, &["context", "inspect", "mine"]);
    assert_eq!(
        seen.json()[0]["Endpoints"]["docker"]["Host"],
        "ssh://mine",
        "{seen:?}"
    );
    assert_eq!(person.own(Side::Host), None);
}

/// Runs the Docker command line in a container of its own.
fn inside(person: &Person, args: &[&str]) -> Said {
    let volume = |from: PathBuf, to: &str| format!("--volume={}:{to}", from.display());
    let mut command = Command::new("docker");
    command
        .args(["run", "--rm", "--entrypoint=docker", "--user=0"])
        .arg(volume(command_line(), "/usr/local/bin/docker:ro"))
        .arg(volume(person.path(Side::Container), CONFIG))
        .arg(volume(
            "/var/run/docker.sock".into(),
            "/var/run/docker.sock",
        ))
        .arg(format!("--env=DOCKER_CONFIG={CONFIG}"))
        .arg(tiny_image().expect("the tiny image"))
        .args(args)
        .stdin(Stdio::null());
    command.output().expect("the Docker CLI runs").into()
}

/// The program that `docker` is on this machine.
fn command_line() -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path)
        .map(|folder| folder.join("docker"))
        .find(|program| program.is_file())
        .expect("the Docker CLI is installed")
}
