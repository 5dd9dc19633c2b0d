//! The conformance kit in `docs/protocol`: its golden files are read as it says, its schemas hold for them and for all
//! that our own writers write.
#![allow(clippy::unwrap_used, reason = "a test ends where its rig fails")]

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jsonschema::Validator;
use mizzen_fsx::SafeDir;
use mizzen_status::{
    Ack, AckState, Command, CommandId, Commands, Exec, Health, Keep, Metrics, Notice, Order,
    Progress, Reading, Signal, Status, StatusWord, read_commands, read_docker_file, read_metrics,
    read_registry, read_session_file, read_status, write_commands, write_json, write_metrics,
    write_status,
};
use serde_json::{Map, Value, json};

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/protocol")
}

fn schema(name: &str) -> Validator {
    let text = fs::read_to_string(kit().join("schema").join(name)).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    options
        .build(&serde_json::from_str(&text).unwrap())
        .unwrap()
}

/// The kinds of golden files, with the names that their readers look for and their schemas.
const KINDS: [(&str, &str, &str); 6] = [
    ("status", "status.json", "status.json"),
    ("commands", "commands.json", "commands.json"),
    ("metrics", "metrics.json", "metrics.json"),
    ("registry", "registry.json", "registry.json"),
    ("state", "feature-auth.state", "session.state.json"),
    ("docker", "feature-auth.docker", "session.docker.json"),
];

fn kind(file: &str) -> (&'static str, &'static str, &'static str) {
    let folder = file.split('/').next().unwrap();
    *KINDS.iter().find(|kind| kind.0 == folder).unwrap()
}

fn cases() -> Vec<Map<String, Value>> {
    let text = fs::read_to_string(kit().join("golden/cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// How a file is read, and as what, in the form that its writer would give it.
fn reading(kind: &str, dir: &SafeDir) -> (&'static str, Value) {
    fn told<T>(reading: Reading<T>, as_json: impl FnOnce(T) -> Value) -> (&'static str, Value) {
        match reading {
            Reading::Good(value) => ("good", as_json(value)),
            Reading::Absent => ("absent", Value::Null),
            Reading::Keep(Keep::Torn) => ("torn", Value::Null),
            Reading::Keep(Keep::Invalid(_)) => ("invalid", Value::Null),
            Reading::Keep(Keep::Newer(_)) => ("newer", Value::Null),
            Reading::Keep(Keep::Unsafe(_)) => ("unsafe", Value::Null),
        }
    }
    match kind {
        "status" => told(read_status(dir, None), |it| json!(it)),
        "commands" => told(read_commands(dir, None), queue),
        "metrics" => told(read_metrics(dir, None), |it| json!(it)),
        "registry" => told(read_registry(dir, None), |it| json!(it)),
        "state" => told(read_session_file(dir, "feature-auth", None), |it| json!(it)),
        _ => told(read_docker_file(dir, "feature-auth", None), |it| json!(it)),
    }
}

/// A queue with what its first command would run, or why that is refused.
fn queue(queue: Commands) -> Value {
    let first = queue.queued.first().map(|it| it.command.clone());
    let refused = first.as_ref().and_then(|it| it.as_ref().err());
    let argv = match &first {
        Some(Ok(Command {
            order: Order::Exec(exec),
            ..
        })) => exec.argv().ok(),
        _ => None,
    };
    let good = queue
        .queued
        .iter()
        .filter_map(|it| it.command.as_ref().ok());
    json!({
        "commands": good.collect::<Vec<_>>(), "processed": queue.processed,
        "refused": refused, "argv": argv,
    })
}

#[test]
fn every_golden_file_is_read_as_the_kit_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        let file = case["file"].as_str().unwrap();
        let (kind, name, _) = kind(file);
        let dir = tempfile::tempdir().unwrap();
        fs::copy(kit().join("golden").join(file), dir.path().join(name)).unwrap();
        let (found, read) = reading(kind, &SafeDir::open(dir.path()).unwrap());
        if found != case["reading"] {
            wrong.push(format!("{file}: {found}"));
        }
        let expected = case.get("read").and_then(Value::as_object);
        for (key, expected) in expected.into_iter().flatten() {
            let read = read.get(key).unwrap_or(&Value::Null);
            if !is_same(read, expected) {
                wrong.push(format!("{file}: `{key}` is {read}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is left out and what says nothing are one; so are 45 and 45.0.
fn is_same(read: &Value, expected: &Value) -> bool {
    match (read, expected) {
        (Value::Number(read), Value::Number(expected)) => read.as_f64() == expected.as_f64(),
        (Value::Array(read), Value::Array(expected)) => {
            read.len() == expected.len() && read.iter().zip(expected).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(read), Value::Object(expected)) => {
            read.len() == expected.len()
                && expected.iter().all(|(key, expected)| {
                    read.get(key).is_some_and(|read| is_same(read, expected))
                })
        }
        (Value::Null, Value::Array(expected)) => expected.is_empty(),
        _ => read == expected,
    }
}

#[test]
fn the_schemas_say_of_every_golden_file_what_the_kit_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        let file = case["file"].as_str().unwrap();
        let bytes = fs::read(kit().join("golden").join(file)).unwrap();
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let is_valid = serde_json::from_slice::<Value>(text)
            .is_ok_and(|value| schema(kind(file).2).is_valid(&value));
        if case["valid"] != is_valid {
            wrong.push(format!("{file}: valid is {is_valid}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_golden_file_is_without_its_case_and_the_rows_of_files_have_theirs() {
    let cases = cases();
    let named: Vec<_> = cases
        .iter()
        .map(|case| case["file"].as_str().unwrap())
        .collect();
    for (kind, ..) in KINDS {
        for entry in fs::read_dir(kit().join("golden").join(kind)).unwrap() {
            let file = format!("{kind}/{}", entry.unwrap().file_name().to_str().unwrap());
            assert!(named.contains(&file.as_str()), "{file}");
        }
    }
    let rows: Vec<_> = cases
        .iter()
        .filter_map(|case| case.get("row")?.as_u64())
        .collect();
    for row in [10, 11]
        .into_iter()
        .chain(13..=24)
        .chain([26, 33, 34, 35, 36, 37, 40, 41, 42, 64])
    {
        assert!(rows.contains(&row), "row {row}");
    }
}

/// Writes with our own writers, and holds what they wrote against the schema of that name.
fn holds(name: &str, write: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let entry = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
    let value: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
    let errors: Vec<_> = schema(name)
        .iter_errors(&value)
        .map(|it| it.to_string())
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {value}");
}

fn full_status() -> Status {
    let mut status = Status::new(StatusWord::Running, Timestamp::now());
    status.health = Some(Health::Degraded);
    status.phase = Some("building".to_owned());
    status.progress = Some(Progress {
        current: Some(1.0),
        total: Some(2.0),
        message: Some("m".to_owned()),
    });
    status
        .services
        .insert("db".to_owned(), "running".to_owned());
    status.errors.push(Notice {
        timestamp: Some(Timestamp::now().to_string()),
        message: "e".to_owned(),
    });
    status.commands.push(full_ack());
    status.extra.insert("custom".to_owned(), json!({"a": 1}));
    status
}

fn full_ack() -> Ack {
    let mut ack = Ack::new(CommandId::new("a").unwrap(), AckState::Killed);
    (ack.exit_code, ack.signal, ack.truncated) = (Some(1), Some(9), true);
    ack.started_at = Some(Timestamp::now().to_string());
    ack.finished_at = ack.started_at.clone();
    ack.log = Some("a.log".to_owned());
    ack.error = Some("why".to_owned());
    ack
}

#[test]
fn what_our_writers_write_holds_against_the_schemas() {
    holds("status.json", |dir| {
        write_status(dir, &full_status()).unwrap()
    });
    holds("ledger-line.json", |dir| {
        write_json(dir.join("line"), &full_ack(), None).unwrap()
    });
    let exec = Exec {
        command: "make".to_owned(),
        args: vec!["all".to_owned()],
        shell: true,
        env: [("A".to_owned(), "b".to_owned())].into(),
        working_dir: Some("/workspace".to_owned()),
        timeout_seconds: Some(9),
        max_output: Some(10),
    };
    let target = CommandId::new("a").unwrap();
    let signals = [
        Signal::ReloadConfig,
        Signal::ReportNow,
        Signal::Cancel {
            target: target.clone(),
        },
        Signal::Shutdown {
            deadline_s: Some(30),
        },
    ];
    let orders = signals
        .map(Order::Signal)
        .into_iter()
        .chain([Order::Exec(exec)]);
    let commands: Vec<_> = orders
        .map(|order| Command::new(target.clone(), order))
        .collect();
    holds("commands.json", |dir| {
        write_commands(dir, &commands, std::slice::from_ref(&target), None).unwrap();
    });
    let metrics = Metrics {
        schema: Some(1),
        timestamp: Timestamp::now().to_string(),
        cpu_percent: Some(0.1),
        memory_bytes: Some(1),
        memory_limit_bytes: Some(1),
        disk_bytes: Some(1),
        disk_free_bytes: Some(1),
        pids: Some(1),
        ..Metrics::default()
    };
    holds("metrics.json", |dir| write_metrics(dir, &metrics).unwrap());
}

/// The host's own files are read and written back: an older tool's fields are in them.
#[test]
fn the_documents_examples_are_written_back_as_they_were() {
    for (kind, name, schema) in KINDS {
        let sample = kit().join("golden").join(kind).join("sample.json");
        let dir = tempfile::tempdir().unwrap();
        fs::copy(&sample, dir.path().join(name)).unwrap();
        let (_, mut read) = reading(kind, &SafeDir::open(dir.path()).unwrap());
        if let ("commands", Some(queue)) = (kind, read.as_object_mut()) {
            queue.retain(|key, _| key == "commands" || key == "processed");
        }
        let written: Value = serde_json::from_slice(&fs::read(&sample).unwrap()).unwrap();
        assert!(is_same(&read, &written), "{kind}: {read}");
        holds(schema, |dir| {
            write_json(dir.join(name), &read, None).unwrap()
        });
    }
}
