use std::fs;
use std::path::Path;

use jiff::Timestamp;
use mizzen_fsx::write_atomic;

use super::{Verdict, check};

const NOW: &str = "2024-01-20T10:30:10Z";

/// Verdicts and words of a directory with these files.
fn checked(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_atomic(path, text.as_bytes()).unwrap();
    }
    lines(dir.path())
}

fn lines(dir: &Path) -> Vec<String> {
    let now: Timestamp = NOW.parse().unwrap();
    let findings = check(dir, now).unwrap().into_iter();
    let shown =
        findings.filter(|it| it.message != "fine" && !it.message.starts_with("there is none"));
    shown
        .map(|it| {
            assert_eq!(it.next.is_some(), it.verdict != Verdict::Fine, "{it:?}");
            format!("{:?} {}: {}", it.verdict, it.file, it.message)
        })
        .collect()
}

const GOOD: &str = r#"{"timestamp":"2024-01-20T10:30:00Z","status":"running","errors":["x"],
    "progress":{"current":0,"total":0,"message":"m"},"custom":{"a":[]},"services":{}}"#;

#[test]
fn what_is_read_as_it_is_meant_is_fine() {
    let queue = r#"{"commands":[{"id":"a","type":"exec","command":"true","args":["b"]},
        {"id":"b","type":"signal","signal":"reload_config"}],"processed":["c"]}"#;
    let files = [
        ("status.json", GOOD),
        ("commands.json", queue),
        (
            "metrics.json",
            r#"{"timestamp":"t","cpu_percent":1,"gpu":2}"#,
        ),
        (
            "logs/commands.jsonl",
            "{\"id\":\"a\",\"state\":\"running\"}\n{\"id\"",
        ),
        ("logs/a.log", "said"),
    ];
    assert_eq!(checked(&files), [""; 0]);
}

#[test]
fn what_is_not_read_is_named() {
    let status = r#"{"timestamp":"2024-01-20T10:30:00Z","status":"running","phase":"a\nb",
        "progress":{"current":11,"total":10},"warnings":["w",7],"services":{"db":5}}"#;
    let found = checked(&[
        ("status.json", status),
        (
            "commands.json",
            r#"{"commands":[{"id":"a","type":"eval"},{"id":"b","type":"exec","command":"true"},{"id":"c"},{"id":"d e"}]}"#,
        ),
        ("metrics.json", "[]"),
        (
            "logs/commands.jsonl",
            "what\n{\"id\":\"a\",\"state\":\"running\"}\n\n[]\n",
        ),
    ]);
    assert_eq!(
        found,
        [
            "Wrong status.json: `phase`: \"a\\nb\" is not used; `progress.current`: 11 is read as 10.0; \
             `services`: {\"db\":5} is not used; `warnings`: 1 of 2 entries are used",
            "Wrong commands.json: command `a` is refused: unsupported: type `eval`; \
             command `c` is refused: it has no `type`; \
             1 entries of `commands` have no good `id`, or come after the first 100",
            "Wrong metrics.json: invalid type: sequence, expected an object at line 1 column 0",
            "Wrong logs/commands.jsonl: 2 lines are not used, the first is line 1",
        ]
    );
}

#[test]
fn a_report_without_a_time_of_today_is_noted() {
    let at = |time: &str| {
        let status = format!(r#"{{"timestamp":"{time}","status":"running"}}"#);
        checked(&[("status.json", &status)])
    };
    assert_eq!(at("2024-01-20T10:30:00Z"), [""; 0]);
    assert_eq!(at("2024-01-20T10:29:00Z").len(), 1);
    assert_eq!(at("2024-01-20T10:32:00Z").len(), 1);
    assert!(at("yesterday")[0].starts_with("Wrong status.json: `timestamp` is missing"));
    let last = r#"{"timestamp":"2024-01-19T10:30:00Z","status":"stopped","final":true}"#;
    assert_eq!(checked(&[("status.json", last)]), [""; 0]);
}

#[test]
fn a_word_of_nobodys_is_noted_with_those_that_there_are() {
    let noted = |more: &str| {
        let time = r#""timestamp":"2024-01-20T10:30:00Z""#;
        let dir = tempfile::tempdir().unwrap();
        let status = format!("{{{time},{more}}}");
        write_atomic(dir.path().join("status.json"), status.as_bytes()).unwrap();
        let found = check(dir.path(), NOW.parse().unwrap()).unwrap();
        (found[0].verdict, found[0].next.clone())
    };
    let use_one = |words: &str| (Verdict::Note, Some(format!("use one of {words}")));
    assert_eq!(noted(r#""status":"idle","health":"none""#).0, Verdict::Fine);
    assert_eq!(
        noted(r#""status":"runing""#),
        use_one("starting, running, idle, paused, stopping, stopped, error")
    );
    assert_eq!(
        noted(r#""status":"idle","health":"well""#),
        use_one("starting, healthy, degraded, unhealthy, none")
    );
}

#[test]
fn output_that_was_cut_is_fine_and_a_ledger_that_nobody_reads_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let sized = |name: &str, size| {
        fs::File::create(logs.join(name))
            .unwrap()
            .set_len(size)
            .unwrap();
    };
    sized("a.log", crate::OUTPUT_MAX + 100);
    assert_eq!(lines(dir.path()), [""; 0]);
    sized("commands.jsonl", crate::LEDGER_MAX + 1);
    assert_eq!(
        lines(dir.path()),
        ["Wrong logs/commands.jsonl: larger than 4194304 bytes"]
    );
}

#[test]
fn what_stands_where_a_directory_should_be_is_named_and_the_rest_is_looked_at() {
    let found = checked(&[
        ("docker/notes", "x"),
        ("docker/shared", "x"),
        ("docker/web/status.json", GOOD),
        ("docker/web/logs", "x"),
    ]);
    let why = "it cannot be used as a directory";
    let files = ["docker/notes", "docker/shared", "docker/web/logs"];
    assert_eq!(found.len(), files.len(), "{found:?}");
    for (line, file) in found.iter().zip(files) {
        assert!(line.starts_with(&format!("Wrong {file}: {why}")), "{line}");
    }
}

#[test]
fn a_whole_state_directory_is_looked_at() {
    let found = checked(&[
        ("web.state", r#"{"name":"web"}"#),
        ("web.docker", "{}"),
        ("docker/web/status.json", "{"),
        ("docker/shared/registry.json", r#"{"containers":[5]}"#),
    ]);
    let files: Vec<_> = found
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    let expected = [
        "Wrong web.docker",
        "Wrong web.state",
        "Wrong docker/shared/registry.json",
        "Wrong docker/web/status.json",
    ];
    assert_eq!(files, expected);
}

#[cfg(unix)]
#[test]
fn rows_1_and_43_links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("logs")).unwrap();
    for name in ["status.json", "logs/passwd"] {
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join(name)).unwrap();
    }
    let found = lines(dir.path());
    assert!(
        found.iter().all(|line| line.contains("a link")),
        "{found:?}"
    );
    assert_eq!(found.len(), 2);
    check(&dir.path().join("gone"), Timestamp::UNIX_EPOCH).unwrap_err();
}
