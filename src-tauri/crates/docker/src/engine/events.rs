//! Reads one line of the engine's event stream.

use jiff::Timestamp;
use serde::Deserialize;

/// Longest line of the event stream; a container's labels are part of it.
pub(crate) const EVENT_CAP: usize = 1 << 20;

/// Events worth a line; `exec_*` alone would be three a second for a container with a health check.
/// `stop`, `kill` and `restart` only repeat what `die` and `start` say.
pub(crate) const ACTIONS: [&str; 10] = [
    "create",
    "start",
    "die",
    "oom",
    "pause",
    "unpause",
    "rename",
    "update",
    "destroy",
    "health_status",
];

/// One event about a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) action: String,
    /// When, by the engine's clock.
    pub(crate) at: Timestamp,
    pub(crate) exit_code: Option<i64>,
}

/// The engine's JSON, reduced to what is used.
#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Actor")]
    actor: Actor,
    #[serde(rename = "timeNano", default)]
    time_nano: i64,
}

#[derive(Deserialize)]
struct Actor {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(rename = "exitCode")]
    exit_code: Option<String>,
}

/// Reads a line; an error means that this is no event stream.
pub(crate) fn parse(line: &[u8]) -> Result<Event, serde_json::Error> {
    let raw: Raw = serde_json::from_slice(line)?;
    Ok(Event {
        id: raw.actor.id,
        action: raw.action,
        at: Timestamp::from_nanosecond(raw.time_nano.into()).unwrap_or_default(),
        exit_code: raw
            .actor
            .attributes
            .exit_code
            .and_then(|code| code.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_an_engine() {
        let line = br#"{"status":"die","id":"abc","from":"image","Type":"container","Action":"die","Actor":{"ID":"abc","Attributes":{"a":"b","exitCode":"137","image":"i","name":"n"}},"scope":"local","time":1,"timeNano":1600000000000000001}"#;
        let expected = Event {
            id: "abc".to_owned(),
            action: "die".to_owned(),
            at: Timestamp::from_nanosecond(1_600_000_000_000_000_001).expect("a time"),
            exit_code: Some(137),
        };
        assert_eq!(parse(line).expect("an event"), expected);
    }

    #[test]
    fn an_exit_code_that_is_none_is_none() {
        let line = br#"{"Action":"die","Actor":{"ID":"abc","Attributes":{"exitCode":"x"}}}"#;
        assert_eq!(parse(line).expect("an event").exit_code, None);
    }
}
