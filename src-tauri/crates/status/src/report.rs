//! What a program in a container adds to its container's report.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::{Keep, parse_object};
use crate::fields;
use crate::status::{Health, Notice, Progress, notices};

/// Largest addition that is taken at once.
pub const REPORT_MAX: u64 = 64 * 1024;

/// An addition: fields as `status.json` has them, and what is not said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Forget what was added before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clear: bool,
    /// How well it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Step it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// How far the step is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// State word of each service that is told of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
    /// What is wrong beside what was wrong before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Notice>,
    /// What may become wrong beside what was told before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Notice>,
    /// More, by name; not sanitised.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub custom: Map<String, Value>,
    /// Fields that this version does not know. Not sanitised.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Fields of `status.json` that are nobody's but its writer's.
const WRITERS: [&str; 6] = ["schema", "seq", "timestamp", "status", "final", "commands"];

impl std::str::FromStr for Report {
    type Err = Keep;

    /// Reads an addition with the tolerance that `status.json` is read with.
    fn from_str(json: &str) -> Result<Self, Keep> {
        if json.len() as u64 > REPORT_MAX {
            return Err(Keep::Invalid(format!("larger than {REPORT_MAX} bytes")));
        }
        let mut object = parse_object(json.as_bytes())?;
        let from = &mut object;
        WRITERS.iter().for_each(|key| drop(from.remove(*key)));
        Ok(Self {
            clear: fields::flag(from, "clear"),
            health: fields::word(from, "health").map(Health::from),
            phase: fields::word(from, "phase"),
            progress: fields::object(from, "progress").map(Progress::from_object),
            services: fields::words(from, "services"),
            errors: notices(fields::list(from, "errors")),
            warnings: notices(fields::list(from, "warnings")),
            custom: fields::object(from, "custom").unwrap_or_default(),
            extra: object,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{REPORT_MAX, Report};
    use crate::{Health, Keep};

    #[test]
    fn what_is_written_is_read_back_and_the_rest_is_dropped() {
        let said = json!({
            "clear": true, "health": "degraded", "phase": "building",
            "progress": {"current": 45.0, "total": 100.0, "message": "Compiling"},
            "services": {"db": "running"}, "errors": [{"message": "e"}],
            "warnings": [{"timestamp": "2024-01-20T10:29:00Z", "message": "w"}],
            "custom": {"tests": {"passed": 142}}, "from_the_future": [1],
        });
        let report: Report = said.to_string().parse().unwrap();
        assert_eq!(report.health, Some(Health::Degraded));
        assert_eq!(serde_json::to_value(&report).unwrap(), said);
        let odd = r#"{"phase":"a\nb","progress":7,"services":[],"errors":"no","status":"stopped"}"#;
        assert_eq!(odd.parse::<Report>().unwrap(), Report::default());
    }

    #[test]
    fn what_is_too_large_or_no_object_is_refused() {
        let large = json!({ "phase": "x".repeat(REPORT_MAX as usize) }).to_string();
        for text in [large.as_str(), "[]", "7", r#"{"phase":"a","phase":"b"}"#] {
            assert!(matches!(text.parse::<Report>(), Err(Keep::Invalid(_))));
        }
    }
}
