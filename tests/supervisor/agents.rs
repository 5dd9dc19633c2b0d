//! Agents that are not ours, in real containers, as the host reads them.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, Instant};

use mizzen_fsx::{SafeDir, write_atomic_with};
use mizzen_status::{Ack, Command, CommandId, Exec, Order};
use mizzen_status::{Freshness, Reading, Status, StatusWord, read_status, write_commands};
use mizzen_tests::own_core::full_image;
use serde_json::{Value, json};

use crate::rig::{Container, Reports, SOON, TINY, UID, docker, folder};

fn kit() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol")
}

/// The option that mounts a file of the kit.
fn mounted(file: &str) -> String {
    format!(
        "type=bind,source={},target=/agent,readonly",
        kit().join(file).display()
    )
}

/// What a reader that looks again at half a report has by the time that it is as wanted.
fn until(dir: &Path, wanted: impl Fn(&Status) -> bool) -> Status {
    let dir = SafeDir::open(dir).unwrap();
    let begun = Instant::now();
    let mut last = None;
    while begun.elapsed() < SOON {
        if let Reading::Good(status) = read_status(&dir, Some(UID)) {
            if wanted(&status) {
                return status;
            }
            last = Some(status);
        }
        std::thread::yield_now();
    }
    panic!("{last:?}");
}

/// The agent of the protocol's document, letter by letter: it writes into the file itself, knows no end of a command and
/// calls itself healthy whatever happens.
#[test]
fn the_first_agent_is_shown_as_what_it_says() {
    let workspace = folder();
    let dir = workspace.path().join(".para/state/docker/feature-auth");
    fs::create_dir_all(&dir).unwrap();
    for dir in dir.ancestors().take(4) {
        chown(dir, Some(UID), Some(UID)).unwrap();
    }
    let command = Command::new(
        CommandId::new("cmd-1").unwrap(),
        Order::Exec(Exec {
            command: "npm test".to_owned(),
            ..Exec::default()
        }),
    );
    write_commands(&dir, &[command], &[], Some((UID, UID))).unwrap();
    let mount = format!(
        "type=bind,source={},target=/workspace",
        workspace.path().display()
    );
    let (user, agent) = (format!("{UID}:{UID}"), mounted("golden/first-agent.sh"));
    let image = full_image().expect("an image");
    let container = Container::run(&[
        "--user",
        &user,
        "--mount",
        &mount,
        "--mount",
        &agent,
        "--env",
        "PARA_SESSION_NAME=feature-auth",
        "--entrypoint",
        "/agent",
        &image,
    ]);
    let first = until(&dir, |_| true);
    assert_eq!(first.status, StatusWord::Running);
    assert_eq!(first.phase.as_deref(), Some("idle"));
    let progress = first.progress.clone().unwrap();
    assert_eq!(progress.message.as_deref(), Some("Waiting for commands..."));
    assert_eq!(progress.total, None, "0 of 0 is not known");
    let begun = Instant::now();
    until(&dir, |status| status.beat() != first.beat());
    assert_eq!(
        Freshness::of(begun.elapsed().saturating_sub(Duration::from_secs(2))),
        Freshness::Fresh
    );
    container.log_until(|line| line.contains("Processing command"));
    let found = mizzen_status::check(&dir, jiff::Timestamp::now()).unwrap();
    let wrong = found
        .iter()
        .filter(|it| it.verdict == mizzen_status::Verdict::Wrong);
    // RACE: the look may meet the file while it is written; nothing else may be wrong.
    assert!(
        wrong
            .clone()
            .all(|it| it.message == "not written to its end"),
        "{found:?}"
    );
}

#[test]
fn the_kits_agent_reports_without_jq_and_says_that_it_runs_no_commands() {
    let reports = Reports::new();
    let (user, mount, agent) = (format!("{UID}:{UID}"), reports.mount(), mounted("agent.sh"));
    let container = Container::run(&[
        "--user",
        &user,
        "--mount",
        &mount,
        "--mount",
        &agent,
        "--entrypoint",
        "/agent",
        TINY.as_str(),
    ]);
    let phase = r#"printf 'build "x"\\ \033[31m\n' > /para/status/.phase"#;
    container.exec(&["sh", "-c", phase]);
    let status = reports.until("the phase", |status| {
        status.phase.as_deref() == Some("build \"x\"\\ [31m")
    });
    assert_eq!(
        status.warnings[0].message,
        "commands are not run: this image has no jq"
    );
    assert_eq!(container.stop(), "0");
    let last = reports.now().unwrap();
    assert!(last.last && last.status == StatusWord::Stopped, "{last:?}");
}

/// Where the kit's agent runs, in an image that has all that it needs, and what it is asked for.
struct Kit {
    reports: Reports,
    container: Container,
}

impl Kit {
    fn start(workspace: &Path) -> Self {
        let reports = Reports::new();
        let (user, mount, agent) = (format!("{UID}:{UID}"), reports.mount(), mounted("agent.sh"));
        let workspace = format!("type=bind,source={},target=/workspace", workspace.display());
        let image = full_image().expect("an image");
        let start = ["--user", &user, "--mount", &mount, "--mount", &workspace];
        let what = ["--mount", &agent, "--entrypoint", "/agent", &image];
        let container = Container::run(&[&start[..], &what].concat());
        Self { reports, container }
    }

    fn ask(&self, commands: &Value) {
        let queue = json!({ "commands": commands, "processed": ["seen"] }).to_string();
        let file = self.reports.folder.path().join("commands.json");
        write_atomic_with(file, queue.as_bytes(), 0o640, Some((UID, UID))).unwrap();
    }

    /// Waits until a command is so far.
    fn until(&self, id: &str, state: &str) -> Ack {
        let found = |status: &Status| {
            let mut acks = status.commands.iter();
            acks.find(|ack| ack.id.as_str() == id && ack.state.as_str() == state)
                .cloned()
        };
        let what = format!("{id} {state}");
        let status = self.reports.until(&what, |status| found(status).is_some());
        found(&status).unwrap()
    }

    fn output(&self, id: &str) -> String {
        let log = self
            .reports
            .folder
            .path()
            .join("logs")
            .join(format!("{id}.log"));
        fs::read_to_string(log).unwrap()
    }
}

fn exec(id: &str, command: &str) -> Value {
    json!({ "id": id, "type": "exec", "command": command })
}

fn with(mut command: Value, key: &str, value: Value) -> Value {
    command[key] = value;
    command
}

#[test]
fn the_kits_agent_runs_what_it_can_and_says_what_it_cannot() {
    let workspace = folder();
    let kit = Kit::start(workspace.path());
    let stubborn = "(trap '' TERM; while :; do sleep 1; done) & echo $! > child; wait";
    let long = with(exec("long", stubborn), "shell", json!(true));
    kit.ask(&json!([
        with(exec("last", "echo  a   b"), "args", json!(["c d", "'x'; echo no"])),
        with(exec("fails", "sh -c"), "args", json!(["pwd; exit 3"])),
        with(with(long, "timeout_seconds", json!(1)), "priority", json!("high")),
        with(exec("late", "true"), "expires_at", json!("2024-01-01T00:00:00Z")),
        with(exec("zero", "true"), "timeout_seconds", json!(0)),
        with(exec("dressed", "true"), "env", json!({ "A": "b" })),
        with(exec("out", "pwd"), "working_dir", json!("/etc")),
        exec("quoted", "echo 'a b'"),
        with(exec("form", "true"), "args", json!("no list")),
        { "id": "odd", "type": "eval" },
        { "id": "nothing", "type": "signal", "signal": "dance" },
        exec("seen", "touch seen"),
        exec("../up", "touch up"),
    ]));
    kit.until("last", "succeeded");
    assert_eq!(kit.output("last"), "a b c d 'x'; echo no\n");
    assert_eq!(kit.until("fails", "failed").exit_code, Some(3));
    assert_eq!(kit.output("fails"), "/workspace\n");
    kit.until("late", "expired");
    for id in ["zero", "dressed", "out", "quoted", "form", "odd", "nothing"] {
        assert!(kit.until(id, "rejected").error.is_some(), "{id}");
    }
    // It was the first, and is gone with what it had started.
    let long = kit.until("long", "timed_out");
    assert!(long.finished_at <= kit.until("last", "succeeded").started_at);
    let child = fs::read_to_string(workspace.path().join("child")).unwrap();
    let is_there = format!(
        "kill -0 {} 2> /dev/null && echo there || echo gone",
        child.trim()
    );
    assert_eq!(kit.container.exec(&["sh", "-c", &is_there]), "gone");
    for name in ["seen", "up"] {
        assert!(!workspace.path().join(name).exists(), "{name}");
    }
}

#[test]
fn the_kits_agent_runs_nothing_twice_and_can_be_told_to_stop() {
    let workspace = folder();
    let kit = Kit::start(workspace.path());
    let cut = with(
        exec("cut", "echo cut >> runs; sleep 1000"),
        "shell",
        json!(true),
    );
    kit.ask(&json!([cut]));
    kit.until("cut", "running");
    docker(&["kill", "--signal=KILL", &kit.container.id]);
    kit.container.wait();
    // The line of a command that was not begun yet.
    let ledger = kit.reports.folder.path().join("logs/commands.jsonl");
    let mut lines = fs::OpenOptions::new().append(true).open(ledger).unwrap();
    std::io::Write::write_all(&mut lines, br#"{"id":"next","state":"runn"#).unwrap();
    docker(&["start", &kit.container.id]);
    kit.until("cut", "interrupted");
    let next = exec("other", "sleep 1000");
    kit.ask(&json!([cut, next]));
    kit.until("other", "running");
    let cancel = |id: &str, target: &str| json!({ "id": id, "type": "signal", "signal": "cancel", "target": target });
    kit.ask(&json!([
        cut,
        next,
        cancel("x", "other"),
        cancel("y", "nobody")
    ]));
    kit.until("other", "killed");
    kit.until("x", "succeeded");
    kit.until("y", "rejected");
    let last = exec("last", "sleep 1000");
    kit.ask(&json!([cut, last]));
    kit.until("last", "running");
    kit.ask(&json!([cut, last, { "id": "end", "type": "signal", "signal": "shutdown" }]));
    assert_eq!(kit.container.wait(), "0");
    kit.until("last", "killed");
    assert!(kit.reports.now().unwrap().last);
    let runs = fs::read_to_string(workspace.path().join("runs")).unwrap_or_default();
    assert!(["", "cut\n"].contains(&runs.as_str()), "{runs}");
}

/// People copy it: it has to be read in one go.
#[test]
fn the_kits_agent_stays_short() {
    let text = fs::read_to_string(kit().join("agent.sh")).unwrap();
    assert!(text.lines().count() <= 120, "it has grown");
}
