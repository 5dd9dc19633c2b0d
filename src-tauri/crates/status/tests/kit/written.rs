//! What our own writers write, held against the schemas.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use mizzen_fsx::SafeDir;
use mizzen_status::{
    Ack, AckState, Command, CommandId, Exec, Health, Metrics, Notice, Order, Progress, Signal,
    Status, StatusWord, write_commands, write_json, write_metrics, write_status,
};
use serde_json::{Value, json};

use crate::read::{is_same, reading};
use crate::{KINDS, kit, schema};

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
    ack.left_running = 2;
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
