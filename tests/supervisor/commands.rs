//! What the host asks for in `commands.json`, carried out by a real supervisor.

use std::fs;
use std::path::Path;

use mizzen_fsx::write_atomic_with;
use mizzen_status::{Ack, AckState, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::{Container, Reports, UID, docker, ready};

struct Rig {
    reports: Reports,
    workspace: TempDir,
    container: Container,
}

impl Rig {
    fn new() -> Self {
        let (reports, workspace, container) = ready();
        Self {
            reports,
            workspace,
            container,
        }
    }

    /// Asks for these, as the host does.
    fn ask(&self, commands: &Value) {
        self.put(json!({ "commands": commands, "processed": [] }).to_string());
    }

    fn put(&self, queue: String) {
        let owner = Some((UID, UID));
        write_atomic_with(self.place("commands.json"), queue.as_bytes(), 0o640, owner).unwrap();
    }

    fn place(&self, name: &str) -> std::path::PathBuf {
        self.reports.folder.path().join(name)
    }

    /// Waits until a command is so far.
    fn until(&self, id: &str, wanted: impl Fn(&Ack) -> bool) -> Ack {
        let found = |status: &Status| find(status, id).filter(&wanted);
        let what = format!("command {id}");
        let status = self.reports.until(&what, |status| found(status).is_some());
        found(&status).unwrap()
    }

    fn end(&self, id: &str) -> Ack {
        self.until(id, |ack| ack.state.is_final())
    }

    fn output(&self, ack: &Ack) -> String {
        let log = ack.log.as_ref().expect("an output");
        fs::read_to_string(self.place("logs").join(log)).unwrap()
    }

    /// Waits until something in the container has made this file.
    fn until_there(&self, name: &str) {
        let is_there = format!("until [ -e /workspace/{name} ]; do :; done");
        self.container
            .exec(&["timeout", "60", "sh", "-c", &is_there]);
    }

    fn in_workspace(&self, name: &str) -> String {
        fs::read_to_string(self.workspace.path().join(name)).unwrap_or_default()
    }
}

fn find(status: &Status, id: &str) -> Option<Ack> {
    status
        .commands
        .iter()
        .find(|ack| ack.id.as_str() == id)
        .cloned()
}

fn exec(id: &str, command: &str) -> Value {
    json!({ "id": id, "type": "exec", "command": command })
}

fn script(id: &str, script: &str) -> Value {
    json!({ "id": id, "type": "exec", "command": script, "shell": true })
}

#[test]
fn a_command_is_run_in_the_workspace_and_its_end_and_output_are_told() {
    let rig = Rig::new();
    let mut one = script(
        "one",
        "pwd; id -u; echo $WORD >&2; echo run >> runs; exit 3",
    );
    one["env"] = json!({ "WORD": "said" });
    rig.ask(&json!([one]));
    let ack = rig.end("one");
    assert_eq!((&ack.state, ack.exit_code), (&AckState::Failed, Some(3)));
    let output = rig.output(&ack);
    for line in ["/workspace", &UID.to_string(), "said"] {
        assert!(output.lines().any(|it| it == line), "{line}: {output}");
    }
    assert!(ack.started_at.unwrap() <= ack.finished_at.unwrap());
    // The same queue once more, and one that is not in the file's order.
    rig.ask(&json!([one, exec("two", "sh -c 'echo two words' name")]));
    let two = rig.end("two");
    assert_eq!((&two.state, two.exit_code), (&AckState::Succeeded, Some(0)));
    assert_eq!(rig.output(&two), "two words\n");
    assert_eq!(rig.in_workspace("runs"), "run\n", "it is run once");
}

#[test]
fn a_command_is_not_run_again_by_a_container_that_starts_again() {
    let rig = Rig::new();
    rig.ask(&json!([
        script("done", "echo done >> runs"),
        script("cut", "echo cut >> runs; sleep 1000"),
        script("waits", "echo waits >> runs"),
    ]));
    rig.end("done");
    rig.until("cut", |ack| ack.state == AckState::Running);
    let waits = rig.until("waits", |ack| ack.state == AckState::Accepted);
    assert_eq!(waits.log, None);
    let begun = "until grep -q cut /workspace/runs; do :; done";
    rig.container.exec(&["timeout", "60", "sh", "-c", begun]);
    docker(&["kill", "--signal=KILL", &rig.container.id]);
    rig.container.wait();
    docker(&["start", &rig.container.id]);
    let cut = rig.until("cut", |ack| ack.state != AckState::Running);
    assert_eq!(cut.state, AckState::Interrupted);
    assert_eq!(rig.end("waits").state, AckState::Succeeded);
    assert_eq!(rig.in_workspace("runs"), "done\ncut\nwaits\n");
}

#[test]
fn row_38_one_that_takes_too_long_or_is_cancelled_is_ended_with_all_that_it_started() {
    let rig = Rig::new();
    let stubborn = "(trap '' TERM; while :; do sleep 1; done) & echo $! > child; wait";
    let mut long = script("long", stubborn);
    long["timeout_seconds"] = json!(1);
    rig.ask(&json!([long, script("next", "echo next")]));
    assert_eq!(rig.end("long").state, AckState::TimedOut);
    assert_eq!(rig.output(&rig.end("next")), "next\n");
    let child = rig.in_workspace("child");
    let is_there = format!(
        "kill -0 {} 2> /dev/null && echo there || echo gone",
        child.trim()
    );
    assert_eq!(rig.container.exec(&["sh", "-c", &is_there]), "gone");

    let cancel = |id: &str, target: &str| json!({ "id": id, "type": "signal", "signal": "cancel", "target": target });
    rig.ask(&json!([
        exec("endless", "sleep 1000"),
        exec("later", "true")
    ]));
    rig.until("endless", |ack| ack.state == AckState::Running);
    rig.ask(&json!([
        exec("endless", "sleep 1000"),
        exec("later", "true"),
        cancel("x", "later"),
        cancel("y", "endless"),
        cancel("z", "nobody"),
    ]));
    assert_eq!(rig.end("endless").state, AckState::Killed);
    assert_eq!(rig.end("later").state, AckState::Killed);
    assert_eq!(rig.end("later").started_at, None);
    assert_eq!(rig.end("y").state, AckState::Succeeded);
    assert_eq!(
        rig.end("z").error.unwrap(),
        "`nobody` neither runs nor waits"
    );
}

/// What leaves the group is a service that somebody wants: it is told of, and nothing more.
#[test]
fn row_38_what_leaves_its_group_is_told_of_and_goes_on() {
    let rig = Rig::new();
    let serve = |file: &str| {
        let apart = format!("echo $$ > {file}; exec sleep 1000");
        format!("setsid sh -c '{apart}' > /dev/null 2>&1 & until [ -s {file} ]; do :; done")
    };
    let service = script("service", &serve("one"));
    let endless = format!("{}; touch ready; exec sleep 1000", serve("two"));
    let endless = script("endless", &endless);
    let queue = json!([service, script("plain", "true | cat"), endless]);
    rig.ask(&queue);
    let service = rig.end("service");
    assert_eq!(
        (&service.state, service.left_running),
        (&AckState::Succeeded, 1)
    );
    assert_eq!(rig.end("plain").left_running, 0);
    rig.until_there("ready");
    let cancel = json!({ "id": "x", "type": "signal", "signal": "cancel", "target": "endless" });
    rig.ask(&json!([queue[2], cancel]));
    let endless = rig.end("endless");
    assert_eq!(
        (&endless.state, endless.left_running),
        (&AckState::Killed, 1)
    );
    for file in ["one", "two"] {
        let pid = rig.in_workspace(file);
        let is_there = format!("kill -0 {} && echo there", pid.trim());
        assert_eq!(
            rig.container.exec(&["sh", "-c", &is_there]),
            "there",
            "{file}"
        );
    }
}

#[test]
fn row_38_what_goes_on_may_go_on_saying_something() {
    let rig = Rig::new();
    let service = "{ until [ -e go ]; do sleep 0.1; done; echo said; touch went-on; } &";
    rig.ask(&json!([script("service", service)]));
    assert!(rig.end("service").left_running > 0);
    fs::File::create(rig.workspace.path().join("go")).unwrap();
    rig.until_there("went-on");
}

/// A shell ends as soon as it is asked to.
#[test]
fn row_38_what_a_command_has_started_has_time_for_its_last_duties() {
    let rig = Rig::new();
    let careful =
        "(trap 'sleep 1; touch tidy; exit' TERM; touch ready; while :; do sleep 0.1; done) & wait";
    let queue = json!([script("careful", careful)]);
    rig.ask(&queue);
    rig.until_there("ready");
    let cancel = json!({ "id": "x", "type": "signal", "signal": "cancel", "target": "careful" });
    rig.ask(&json!([queue[0], cancel]));
    assert_eq!(rig.end("careful").state, AckState::Killed);
    assert!(rig.workspace.path().join("tidy").exists());
}

#[test]
fn one_that_does_not_hear_that_it_is_to_end_is_killed() {
    let rig = Rig::new();
    let mut deaf = script("deaf", "trap '' TERM; echo $$; while :; do sleep 1; done");
    deaf["timeout_seconds"] = json!(1);
    rig.ask(&json!([deaf]));
    let ack = rig.end("deaf");
    assert_eq!(ack.state, AckState::TimedOut);
    let is_there = format!(
        "kill -0 {} 2> /dev/null || echo gone",
        rig.output(&ack).trim()
    );
    assert_eq!(rig.container.exec(&["sh", "-c", &is_there]), "gone");
}

#[test]
fn row_39_of_endless_output_the_beginning_and_the_end_are_kept() {
    let rig = Rig::new();
    rig.ask(&json!([script(
        "much",
        "echo begin; head -c 100000000 /dev/zero; echo end"
    )]));
    let ack = rig.end("much");
    assert_eq!((&ack.state, ack.truncated), (&AckState::Succeeded, true));
    let output = fs::read(rig.place("logs").join(ack.log.unwrap())).unwrap();
    assert!(output.len() < 10 * 1024 * 1024 + 100, "{}", output.len());
    assert!(output.starts_with(b"begin\n") && output.ends_with(b"end\n"));
}

#[test]
fn row_39_a_command_may_ask_for_less_of_its_output() {
    let rig = Rig::new();
    let mut little = script("little", "echo begin; head -c 100000 /dev/zero; echo end");
    little["max_output"] = json!(100);
    rig.ask(&json!([little, script("much", "head -c 1000 /dev/zero")]));
    let ack = rig.end("little");
    assert_eq!((&ack.state, ack.truncated), (&AckState::Succeeded, true));
    let output = rig.output(&ack);
    assert!(
        output.starts_with("begin\n") && output.ends_with("end\n"),
        "{output:?}"
    );
    assert!(
        output.contains("[99910 bytes are left out here]"),
        "{output:?}"
    );
    assert!(!rig.end("much").truncated, "it is that command's own wish");
}

#[test]
fn a_reload_of_settings_says_why_it_is_rejected() {
    let rig = Rig::new();
    rig.ask(&json!([{ "id": "again", "type": "signal", "signal": "reload_config" }]));
    let ack = rig.end("again");
    assert_eq!(ack.state, AckState::Rejected);
    assert_eq!(
        ack.error.as_deref(),
        Some("there are no settings here that could be read again")
    );
}

#[test]
fn rows_36_and_40_what_cannot_be_carried_out_is_told_and_the_others_go_on() {
    let rig = Rig::new();
    let inside = rig.workspace.path().join("inside");
    fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink("/etc", rig.workspace.path().join("out")).unwrap();
    let script = rig.workspace.path().join("script");
    write_atomic_with(script, b"#!/no/such/shell\n", 0o755, Some((UID, UID))).unwrap();
    let at = |id: &str, dir: &str| {
        let mut command = exec(id, "pwd");
        command["working_dir"] = json!(dir);
        command
    };
    rig.ask(&json!([
        at("etc", "/etc"),
        at("up", "/workspace/.."),
        at("link", "/workspace/out"),
        at("gone", "/workspace/gone"),
        exec("missing", "no-such-program"),
        exec("script", "./script"),
        { "id": "odd", "type": "eval" },
        at("good", "/workspace/inside"),
    ]));
    assert_eq!(rig.output(&rig.end("good")), "/workspace/inside\n");
    for (id, why) in [
        ("etc", "`/etc` is no directory of the workspace"),
        ("up", "`/workspace/..` is no directory of the workspace"),
        ("link", "`/workspace/out` is no directory of the workspace"),
        (
            "missing",
            "`no-such-program` is not installed in this container",
        ),
        (
            "script",
            "`./script` cannot be started: what its first line names is not installed in this container",
        ),
        ("odd", "unsupported: type `eval`"),
    ] {
        let ack = rig.end(id);
        assert_eq!(ack.state, AckState::Rejected, "{id}");
        assert_eq!(ack.error.as_deref(), Some(why), "{id}");
    }
    assert_eq!(rig.end("gone").state, AckState::Rejected);
}

#[test]
fn a_queue_that_cannot_be_read_is_told_and_the_last_one_stays() {
    let rig = Rig::new();
    rig.ask(&json!([exec("endless", "sleep 1000")]));
    rig.until("endless", |ack| ack.state == AckState::Running);
    rig.put("[]".to_owned());
    let told = |status: &Status| {
        status
            .errors
            .iter()
            .any(|it| it.message.starts_with("commands.json is not used"))
    };
    let status = rig.reports.until("the error", told);
    assert_eq!(find(&status, "endless").unwrap().state, AckState::Running);
    rig.ask(&json!([exec("endless", "sleep 1000")]));
    rig.reports.until("no error", |status| !told(status));
}

/// As when the disk is full for a while.
#[test]
fn an_end_that_cannot_be_written_down_is_told_as_soon_as_it_can() {
    let rig = Rig::new();
    rig.ask(&json!([script(
        "long",
        "until [ -e go ]; do sleep 0.1; done"
    )]));
    rig.until("long", |ack| ack.state == AckState::Running);
    let (ledger, aside) = (rig.place("logs/commands.jsonl"), rig.place("logs/.aside"));
    rustix::fs::rename(&ledger, &aside).unwrap();
    fs::create_dir(&ledger).unwrap();
    fs::File::create(rig.workspace.path().join("go")).unwrap();
    let told = |status: &Status| {
        let mut errors = status.errors.iter();
        errors.any(|it| {
            it.message
                .starts_with("the end of command long is not told")
        })
    };
    let status = rig.reports.until("why its end is not told", told);
    assert_eq!(find(&status, "long").unwrap().state, AckState::Running);
    fs::remove_dir(&ledger).unwrap();
    rustix::fs::rename(&aside, &ledger).unwrap();
    assert_eq!(rig.end("long").state, AckState::Succeeded);
    rig.reports.until("no error", |status| !told(status));
    rig.ask(&json!([exec("next", "true")]));
    assert_eq!(rig.end("next").state, AckState::Succeeded);
}

#[test]
fn the_host_may_ask_for_the_end_of_everything() {
    let rig = Rig::new();
    rig.ask(&json!([exec("endless", "sleep 1000")]));
    rig.until("endless", |ack| ack.state == AckState::Running);
    rig.ask(&json!([
        exec("endless", "sleep 1000"),
        { "id": "end", "type": "signal", "signal": "shutdown", "deadline_s": 30 },
    ]));
    assert_eq!(rig.container.wait(), "0");
    let last = rig.reports.now().unwrap();
    assert!(last.last);
    assert_eq!(find(&last, "endless").unwrap().state, AckState::Killed);
    assert_eq!(find(&last, "end").unwrap().state, AckState::Succeeded);
    assert!(Path::new(&rig.place("logs/commands.jsonl")).is_file());
}
