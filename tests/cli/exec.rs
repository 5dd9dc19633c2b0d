//! Commands through a session's queue, end to end.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mizzen_tests::rig::{Mizzen, Said};

/// A Mizzen with a session `p` whose folder is mounted.
fn up() -> (Mizzen, std::path::PathBuf) {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let dir = folder.to_str().expect("UTF-8");
    mizzen.json(&["up", dir, "--workspace", "bind"]);
    (mizzen, folder)
}

/// `mizzen exec` that goes on, with its standard output.
fn begin(mizzen: &Mizzen, args: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = mizzen.command([&["exec", "p"], args].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("mizzen runs");
    let stdout = child.stdout.take().expect("piped");
    (child, BufReader::new(stdout))
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("a line");
    line
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(kill.expect("kill runs").success());
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}

#[test]
fn a_command_says_what_it_says_and_its_code_comes_back() {
    let (mizzen, folder) = up();
    let script = "pwd; id -u; echo $WORD $1; printf '\\033[31m\\377' >&2; echo run >> runs; exit 7";
    let args = [
        "exec",
        "p",
        "--shell",
        "--env",
        "WORD=said",
        "--",
        script,
        "a b",
    ];
    let output = mizzen.command(args).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert!(
        output.stdout.starts_with(b"/workspace\n4321\nsaid a b\n"),
        "{output:?}"
    );
    assert!(
        output.stdout.ends_with(b"\x1b[31m\xff"),
        "bytes go out as they are"
    );
    assert_eq!(text(&folder, "runs"), "run\n");

    let words = mizzen.run(&["exec", "p", "--", "echo", "$x; y", "a  b"]);
    assert_eq!(
        (words.code, words.stdout.as_str()),
        (0, "$x; y a  b\n"),
        "{words:?}"
    );
    let line = mizzen.run(&["exec", "p", "--", "echo a; echo b"]);
    assert_eq!(line.code, 1, "{line:?}");
    assert!(
        line.stderr.contains("not installed") && line.stderr.contains("--shell"),
        "{line:?}"
    );
    let killed = mizzen.run(&["exec", "p", "--shell", "--", "kill -9 $$"]);
    assert_eq!(killed.code, 137, "{killed:?}");
    let late = mizzen.run(&["exec", "p", "--timeout", "1", "--", "sleep", "100"]);
    assert_eq!(late.code, 124, "{late:?}");

    fs::create_dir(folder.join("inside")).unwrap();
    let inside = ["exec", "p", "--json", "--dir", "inside", "--", "pwd"];
    let json = mizzen.run(&inside).json();
    assert_eq!(json["output"], "/workspace/inside\n", "{json}");
    assert_eq!(
        (&json["state"], &json["exit_code"]),
        (&"succeeded".into(), &0.into())
    );

    let shown = mizzen.json(&["show", "p"]);
    let commands = shown["commands"].as_array().unwrap();
    let states: Vec<_> = commands
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        [
            "succeeded",
            "timed_out",
            "killed",
            "rejected",
            "succeeded",
            "failed"
        ]
    );
    assert_eq!(commands[0]["command"], "pwd");
    let first = commands[5]["id"].as_str().unwrap();
    let told = mizzen.run(&["show", "p"]).stdout;
    assert!(
        told.contains(&format!("{first}: failed with exit code 7")),
        "{told}"
    );
    let log = mizzen.run(&["logs", "p", "--command", first, "-n", "1", "--json"]);
    assert_eq!(log.json()["text"], "\u{fffd}", "{log:?}");

    // Row 34: it is told as it is handed over, not when it has ended.
    let piped = mizzen.run(&["exec", "p", "--detach", "--", "echo", "a", "|", "sh"]);
    assert!(
        piped.code == 0 && piped.stderr.contains("no shell reads `|` here"),
        "{piped:?}"
    );
}

#[test]
fn what_is_not_taken_is_refused_with_the_next_step() {
    let (mizzen, _folder) = up();
    for (args, code) in [
        (&["exec", "nobody", "--", "true"][..], 5),
        (&["exec", "p", "--env", "PATH=/tmp", "--", "true"], 2),
        (&["exec", "p", "--env", "PATH", "--", "true"], 2),
        (&["exec", "p", "--dir", "/etc", "--", "true"], 2),
        (&["exec", "p", "--timeout", "0", "--", "true"], 2),
        (&["exec", "p"], 2),
        (&["logs", "p", "--command", "nothing"], 5),
        (&["logs", "p", "--command", "../x"], 2),
    ] {
        let said = mizzen.run(&[&["--json"], args].concat());
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        assert!(
            !said.error()["hint"].as_str().unwrap().is_empty(),
            "{args:?}: {said:?}"
        );
    }
    mizzen.json(&["pause", "p"]);
    let frozen = mizzen.run(&["exec", "p", "--json", "--", "true"]);
    assert_eq!(frozen.code, 6, "{frozen:?}");
    assert_eq!(frozen.error()["hint"], "Resume it: mizzen resume p.");
    mizzen.json(&["stop", "p"]);
    let down = mizzen.run(&["exec", "p", "--json", "--", "true"]);
    assert_eq!(down.code, 6, "{down:?}");
    assert_eq!(down.error()["hint"], "Start it: mizzen start p.");
}

/// Stops code-server's processes where they stand; says which they are.
const HANG: &str = "for it in /proc/[0-9]*; do
    case $(cat $it/comm 2> /dev/null) in code-server*) kill -STOP ${it#/proc/} && echo ${it#/proc/};; esac; done";

#[test]
fn it_waits_neither_for_code_server_nor_for_the_agent() {
    let (mizzen, _folder) = up();
    let id = mizzen.session("p")["container_id"].clone();
    let id = id.as_str().expect("a container");
    // The agent has all processors of the session.
    let busy = "for n in 1 2 3 4; do (while :; do :; done) & done; wait";
    let agent = mizzen.docker(&["exec", "--detach", id, "sh", "-c", busy]);
    assert_eq!(agent.code, 0, "{agent:?}");
    let hung = mizzen.docker(&["exec", id, "sh", "-c", HANG]).stdout;
    let ran = mizzen.run(&["exec", "p", "--", "echo", "said"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "said\n"), "{ran:?}");
    for pid in hung.split_whitespace() {
        let stat = format!("cat /proc/{pid}/stat");
        let stat = mizzen.docker(&["exec", id, "sh", "-c", &stat]).stdout;
        assert!(stat.contains(") T "), "it did not hang: {stat}");
    }
    assert!(!hung.is_empty(), "no code-server");
}

#[test]
fn ctrl_c_cancels_and_those_that_wait_take_their_turn() {
    let (mizzen, folder) = up();
    let script = "echo begun; trap 'echo ended; exit 3' TERM; while :; do sleep 0.1; done";
    let (endless, mut said) = begin(&mizzen, &["--shell", "--", script]);
    assert_eq!(line(&mut said), "begun\n");
    let detached = |priority: &str, word: &str| {
        let script = format!("echo {word} >> order");
        let args = [
            "exec",
            "p",
            "--detach",
            "--shell",
            "--priority",
            priority,
            "--",
            &script,
        ];
        mizzen.run(&args).stdout.trim().to_owned()
    };
    let (low, high) = (detached("low", "low"), detached("high", "high"));
    interrupt(&endless);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("ended\n"), "{rest:?}");
    let ended = endless.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "{ended:?}");
    for id in [&high, &low] {
        let followed = mizzen.run(&["logs", "p", "--follow", "--command", id]);
        assert_eq!(followed.code, 0, "{followed:?}");
    }
    assert_eq!(text(&folder, "order"), "high\nlow\n");
}

#[test]
fn the_end_of_its_session_is_told_and_nothing_is_begun_at_the_next_start() {
    let (mizzen, folder) = up();
    let script = "echo begun; echo $1 >> runs; sleep 1000";
    let (running, mut said) = begin(&mizzen, &["--shell", "--", script, "running"]);
    assert_eq!(line(&mut said), "begun\n");
    let (waiting, _nothing) = begin(&mizzen, &["--shell", "--", script, "waiting"]);
    // It is taken once it is shown.
    while mizzen.session("p")["commands"].as_array().unwrap().len() < 2 {}
    mizzen.json(&["stop", "p"]);
    let ended = Said::from(running.wait_with_output().unwrap());
    assert_eq!(ended.code, 143, "{ended:?}");
    let taken_back = Said::from(waiting.wait_with_output().unwrap());
    assert_eq!(taken_back.code, 1, "{taken_back:?}");
    assert!(
        taken_back.stderr.contains("before it was begun"),
        "{taken_back:?}"
    );
    mizzen.json(&["start", "p"]);
    assert_eq!(mizzen.run(&["exec", "p", "--", "true"]).code, 0);
    assert_eq!(text(&folder, "runs"), "running\n");
}

#[tokio::test]
async fn a_core_that_is_killed_meanwhile_costs_no_output_and_runs_nothing_twice() {
    let (mizzen, folder) = up();
    let script = "echo run >> runs; for n in 1 2 3; do echo $n; until [ -e go$n ]; do sleep 0.05; done; done; exit 5";
    let (child, mut said) = begin(&mizzen, &["--shell", "--", script]);
    for (number, go) in [("1\n", "go1"), ("2\n", "go2"), ("3\n", "go3")] {
        assert_eq!(line(&mut said), number);
        let client = mizzen.client().await;
        mizzen.kill_core(&client).await;
        mizzen_fsx::write_atomic(folder.join(go), b"").unwrap();
    }
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let ended = Said::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, rest.as_str()), (5, ""), "{ended:?}");
    assert_eq!(text(&folder, "runs"), "run\n");
}

#[test]
fn a_container_that_rewrites_its_queue_takes_nothing_away() {
    let (mizzen, folder) = up();
    let status = folder.join(".para/state/docker/p");
    let (running, mut said) = begin(
        &mizzen,
        &[
            "--shell",
            "--",
            "echo begun; until [ -e go ]; do sleep 0.05; done",
        ],
    );
    assert_eq!(line(&mut said), "begun\n");
    let args = ["exec", "p", "--detach", "--shell", "--", "echo run >> runs"];
    let id = mizzen.run(&args).stdout.trim().to_owned();
    let forged = format!(r#"{{"commands":[],"processed":["{id}"]}}"#);
    mizzen_fsx::write_atomic_with(status.join("commands.json"), forged.as_bytes(), 0o644, None)
        .unwrap();
    mizzen_fsx::write_atomic(folder.join("go"), b"").unwrap();
    assert_eq!(Said::from(running.wait_with_output().unwrap()).code, 0);
    let followed = mizzen.run(&["logs", "p", "--follow", "--command", &id]);
    assert_eq!(followed.code, 0, "{followed:?}");
    assert_eq!(text(&folder, "runs"), "run\n");
    assert!(
        mizzen.log().contains("others had changed commands.json"),
        "{}",
        mizzen.log()
    );
}
