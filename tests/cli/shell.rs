//! Terminals and logs.

use mizzen_tests::rig::Mizzen;

#[test]
fn a_command_runs_in_the_session_and_its_code_comes_back() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let said = mizzen.run(&[
        "shell",
        "p",
        "--",
        "sh",
        "-c",
        "id -u; cat hello.txt; exit 7",
    ]);
    assert_eq!(said.code, 7, "{said:?}");
    let lines: Vec<&str> = said.stdout.lines().map(str::trim_end).collect();
    assert!(lines.ends_with(&["4321", "hello"]), "{said:?}");
    let missing = mizzen.run(&["shell", "p", "--", "no-such-program"]);
    assert_ne!(missing.code, 0, "{missing:?}");
    mizzen.json(&["stop", "p"]);
    assert_eq!(mizzen.run(&["shell", "p"]).code, 6);
}

#[test]
fn the_log_is_the_containers_and_cannot_steer_a_terminal() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let log = mizzen.run(&["logs", "p"]);
    assert_eq!(log.code, 0, "{log:?}");
    let all = format!("{}{}", log.stdout, log.stderr);
    assert!(all.contains("code-server"), "{log:?}");
    let loud = "printf '\\033[2Jred\\007\\n' > /proc/1/fd/2";
    mizzen.run(&["shell", "p", "--", "sh", "-c", loud]);
    let tail = mizzen.run(&["logs", "p", "-n", "5", "--json"]);
    assert!(!tail.stdout.contains("\\u001b"), "{tail:?}");
    let lines = tail.stdout.lines().count();
    assert!((1..=5).contains(&lines), "{tail:?}");
}
