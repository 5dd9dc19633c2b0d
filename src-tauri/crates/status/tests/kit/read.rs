//! How the host reads a file, in the form that its writer would give it.

use mizzen_fsx::SafeDir;
use mizzen_status::{
    Command, Commands, Keep, Order, Reading, read_commands, read_docker_file, read_metrics,
    read_registry, read_session_file, read_status,
};
use serde_json::{Value, json};

/// How a file is read, and as what, in the form that its writer would give it.
pub(crate) fn reading(kind: &str, dir: &SafeDir) -> (&'static str, Value) {
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

/// What is left out and what says nothing are one; so are 45 and 45.0.
pub(crate) fn is_same(read: &Value, expected: &Value) -> bool {
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
