//! What holds of every parser, whatever it is given: it does not panic, what it takes over can be written and is then
//! read as the same, and no text in it steers a terminal. The fuzz targets hold the same.

use std::fmt::Debug;
use std::str::FromStr;

use mizzen_status::{Commands, Keep, Metrics, Registry, Status};
use serde::Serialize;
use serde_json::{Value, json};

/// A report.
pub(crate) fn status(bytes: &[u8]) {
    let Some(status) = read::<Status>(bytes) else {
        return;
    };
    let words = [Some(&status.timestamp), status.phase.as_ref()];
    let notices = status.errors.iter().chain(&status.warnings);
    let message = status.progress.as_ref().and_then(|it| it.message.as_ref());
    let texts = notices.map(|it| &it.message).chain(message);
    words
        .into_iter()
        .flatten()
        .chain(texts)
        .for_each(|text| is_tame(text));
    for (name, state) in &status.services {
        assert!(!name.is_empty() && !state.is_empty(), "{name:?}: {state:?}");
        is_tame(name);
    }
    comes_back(&status);
}

/// A queue.
pub(crate) fn commands(bytes: &[u8]) {
    let Some(queue) = read::<Commands>(bytes) else {
        return;
    };
    assert!(queue.queued.len() <= mizzen_status::QUEUE);
    for queued in &queue.queued {
        if let Err(why) = &queued.command {
            is_tame(why);
        }
    }
    let good = queue
        .queued
        .iter()
        .filter_map(|it| it.command.as_ref().ok());
    let good: Vec<_> = good.cloned().collect();
    let text = json!({ "commands": good, "processed": queue.processed }).to_string();
    let again = read::<Commands>(text.as_bytes()).expect("what was read can be written");
    let read = again.queued.into_iter().map(|it| it.command);
    let read: Vec<_> = read.collect::<Result<_, _>>().expect("none is refused now");
    assert!(alike(&json!(read), &json!(good)), "{read:?} {good:?}");
    assert_eq!(again.processed, queue.processed);
}

/// Metrics.
pub(crate) fn metrics(bytes: &[u8]) {
    if let Some(metrics) = read::<Metrics>(bytes) {
        let percent = metrics.cpu_percent.unwrap_or_default();
        assert!((0.0..=100_000.0).contains(&percent), "{percent}");
        comes_back(&metrics);
    }
}

/// A registry.
pub(crate) fn registry(bytes: &[u8]) {
    if let Some(registry) = read::<Registry>(bytes) {
        for entry in &registry.containers {
            is_tame(&entry.session_name);
            assert!(entry.container_id.len() >= 12, "{entry:?}");
        }
        comes_back(&registry);
    }
}

fn read<T: FromStr<Err = Keep>>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn comes_back<T: FromStr<Err = Keep> + Serialize + Debug>(it: &T) {
    let text = serde_json::to_string(it).expect("plain values");
    let again: T = text.parse().expect("what was read can be written");
    assert!(alike(&json!(again), &json!(it)), "{again:?} {it:?}");
}

fn is_tame(text: &str) {
    let is_wild = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!text.contains(is_wild), "{text:?}");
}

/// The same but for the last digits of numbers.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            (a - b).abs() <= a.abs() * 1e-9
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, a): (&String, &Value)| b.get(key).is_some_and(|b| alike(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => a == b,
    }
}
