//! `mizzen protocol`, on directories and on images.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mizzen_tests::own_core::{docker, full_image, tiny_image};
use mizzen_tests::rig::{Mizzen, Said};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn kit() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol")
}

/// Containers of trials of an image that are there.
fn left(image: &str) -> usize {
    let listed = docker(&[
        "ps",
        "--all",
        "--format",
        "{{.Image}}",
        "--filter",
        "label=dev.mizzen.agent-test",
    ]);
    let listed = listed.expect("a list");
    listed.lines().filter(|line| *line == image).count()
}

/// Makes an image from another one.
fn image(tag: &str, recipe: &str, agent: Option<&str>) {
    let context = tempfile::tempdir().expect("a temp directory");
    if let Some(agent) = agent {
        fs::copy(kit().join(agent), context.path().join(agent)).expect("the kit is there");
    }
    let path = context.path().join("Dockerfile");
    mizzen_fsx::write_atomic(path, recipe.as_bytes()).expect("a recipe");
    let path = context.path().to_str().expect("a plain path");
    docker(&["build", "--quiet", "--tag", tag, path]).expect("an image");
}

fn standings(said: &Said) -> Vec<(String, String)> {
    let told: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let found = told["found"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    found
        .map(|it| (text(&it["name"]), text(&it["standing"])))
        .collect()
}

#[test]
fn a_directory_is_checked_file_by_file() {
    let mizzen = Mizzen::new();
    let dir = tempfile::tempdir().unwrap();
    let golden = kit().join("golden");
    fs::copy(
        golden.join("status/negative.json"),
        dir.path().join("status.json"),
    )
    .unwrap();
    fs::copy(
        golden.join("commands/sample.json"),
        dir.path().join("commands.json"),
    )
    .unwrap();
    let path = dir.path().to_str().unwrap();
    let said = mizzen.run(&["protocol", "check", path]);
    assert_eq!(said.code, 1, "{said:?}");
    let lines: Vec<_> = said.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "WRONG  status.json    `progress.current`: -1 is not used"
    );
    assert!(
        lines[1]
            .trim()
            .starts_with("fix: write these as the schema says"),
        "{lines:?}"
    );
    let said = mizzen.run(&["protocol", "check", path, "--json"]);
    assert_eq!(said.code, 1);
    let expected = [
        ("status.json", "wrong"),
        ("commands.json", "fine"),
        ("metrics.json", "fine"),
    ];
    assert_eq!(
        standings(&said),
        expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    let said = mizzen.run(&["protocol", "check", "/no/where"]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(
        said.stderr.contains("Name a session's status directory"),
        "{said:?}"
    );
}

#[test]
fn our_own_supervisor_passes() {
    let tiny = tiny_image().unwrap();
    let said = Mizzen::new().run(&["protocol", "agent-test", &tiny, "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(standings(&said).len(), 7);
    assert_eq!(left(&tiny), 0);
}

#[test]
fn the_kits_agent_passes_in_an_image_that_has_jq() {
    let base = full_image().unwrap();
    let recipe = format!("FROM {base}\nCOPY agent.sh /agent.sh\nENTRYPOINT [\"/agent.sh\"]\n");
    image("mizzen-test-agent", &recipe, Some("agent.sh"));
    let said = Mizzen::new().run(&["protocol", "agent-test", "mizzen-test-agent"]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn an_image_without_an_agent_is_told_what_it_lacks() {
    let tiny = tiny_image().unwrap();
    let recipe = format!("FROM {tiny}\nENTRYPOINT [\"sh\", \"-c\", \"echo no agent; exit 3\"]\n");
    image("mizzen-test-no-agent", &recipe, None);
    let mizzen = Mizzen::new();
    let said = mizzen.run(&["protocol", "agent-test", "mizzen-test-no-agent"]);
    assert_eq!(said.code, 1, "{said:?}");
    let first = said.stdout.lines().next().unwrap();
    let why = "the container ended with exit code 3: no agent";
    assert!(first.ends_with(why), "{said:?}");
    assert!(said.stdout.contains("-      shutdown"), "{said:?}");
    let said = mizzen.run(&["protocol", "agent-test", "no-such-image:1"]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(said.stderr.contains("docker pull"), "{said:?}");
}

#[test]
fn an_agent_whose_reports_cannot_be_used_is_told_why() {
    let tiny = tiny_image().unwrap();
    let agent = "while :; do echo [] > /para/status/status.json; sleep 1; done";
    let recipe = format!("FROM {tiny}\nENTRYPOINT [\"sh\", \"-c\", \"{agent}\"]\n");
    image("mizzen-test-list", &recipe, None);
    let said = Mizzen::new().run(&["protocol", "agent-test", "mizzen-test-list"]);
    assert_eq!(said.code, 1, "{said:?}");
    let first = said.stdout.lines().next().unwrap();
    let why = "status.json: invalid type: sequence, expected an object at line 1 column 0";
    assert!(first.ends_with(why), "{said:?}");
    assert!(
        said.stdout.contains("docs/protocol/schema/status.json"),
        "{said:?}"
    );
}

/// An image whose container says nothing, and a trial of it that has just started one.
fn silent_trial(tag: &str, mizzen: &Mizzen) -> Child {
    let tiny = tiny_image().expect("the tiny image");
    let recipe = format!("FROM {tiny}\nENTRYPOINT [\"sleep\", \"1000\"]\n");
    image(tag, &recipe, None);
    let filter = format!("image={tag}");
    let mut events = Command::new("docker")
        .args([
            "events",
            "--filter",
            "event=start",
            "--filter",
            &filter,
            "--since",
            "1s",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("docker runs");
    let mut trial = mizzen.command(["protocol", "agent-test", tag]);
    let trial = trial.stderr(Stdio::piped()).spawn().expect("mizzen runs");
    let events_now = events.stdout.take().expect("a pipe");
    let started = BufReader::new(events_now).lines().next();
    assert!(started.is_some_and(|line| line.is_ok()));
    events.kill().expect("it runs");
    events.wait().expect("it ran");
    trial
}

#[test]
fn an_interrupted_trial_leaves_no_container() {
    let tag = "mizzen-test-silent";
    let trial = silent_trial(tag, &Mizzen::new());
    kill_process(Pid::from_child(&trial), Signal::INT).unwrap();
    let said = trial.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(130), "{said:?}");
    assert_eq!(left(tag), 0);
}

#[test]
fn what_a_killed_trial_left_goes_with_the_next_one() {
    let tag = "mizzen-test-silenced";
    let mizzen = Mizzen::new();
    let mut trial = silent_trial(tag, &mizzen);
    let next = || {
        assert_eq!(
            mizzen
                .run(&["protocol", "agent-test", "no-such-image:1"])
                .code,
            5
        )
    };
    next();
    assert_eq!(left(tag), 1, "one that lives is left alone");
    trial.kill().unwrap();
    trial.wait().unwrap();
    assert_eq!(left(tag), 1);
    let another = Mizzen::new();
    assert_eq!(
        another
            .run(&["protocol", "agent-test", "no-such-image:1"])
            .code,
        5
    );
    assert_eq!(left(tag), 1, "another person's is left alone");
    next();
    assert_eq!(left(tag), 0);
}
