//! `metrics.json`: what a container says it uses. Where the engine says something else, the engine is right.

use std::path::Path;

use jiff::Timestamp;
use mizzen_fsx::{PathError, SafeDir};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::METRICS_FILE;
use crate::document::{Keep, Reading, parse_object, read_object, write_json_unsynced};
use crate::fields::{self, Object};

/// Largest metrics.json that is read.
pub(crate) const CAP: u64 = 64 * 1024;
/// A thousand processors, all busy.
const CPU_MAX: f64 = 100_000.0;

/// What a container uses, as far as it knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Schema that it was written with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
    /// The writer's clock: for people, never for freshness.
    pub timestamp: String,
    /// Since the last time; 100 is one processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// Memory in use, without what the kernel can take back at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory that it may use; none without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// In use on the file system of the workspace, by whomever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
    /// Free there for ordinary users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_free_bytes: Option<u64>,
    /// Processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// Fields that this version does not know. Not sanitised.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Metrics {
    /// The writer's clock, when it makes sense at all.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.timestamp.parse().ok()
    }

    pub(crate) fn from_object(mut object: Object) -> Self {
        let from = &mut object;
        Self {
            schema: fields::whole(from, "schema"),
            timestamp: fields::word(from, "timestamp").unwrap_or_default(),
            cpu_percent: fields::amount(from, "cpu_percent").filter(|percent| *percent <= CPU_MAX),
            memory_bytes: fields::whole(from, "memory_bytes"),
            memory_limit_bytes: fields::whole(from, "memory_limit_bytes"),
            disk_bytes: fields::whole(from, "disk_bytes"),
            disk_free_bytes: fields::whole(from, "disk_free_bytes"),
            pids: fields::whole(from, "pids"),
            extra: object,
        }
    }
}

impl std::str::FromStr for Metrics {
    type Err = Keep;

    /// Reads metrics that came another way than by a file, with the same tolerance.
    fn from_str(json: &str) -> Result<Self, Keep> {
        if json.len() as u64 > CAP {
            return Err(Keep::Invalid(format!("larger than {CAP} bytes")));
        }
        parse_object(json.as_bytes()).map(Self::from_object)
    }
}

/// Reads a session's metrics.json; `uid` is the only owner it may have.
#[must_use]
pub fn read_metrics(dir: &SafeDir, uid: Option<u32>) -> Reading<Metrics> {
    read_object(dir, METRICS_FILE, CAP, uid).and_then(|object| Ok(Metrics::from_object(object)))
}

/// Replaces the metrics.json of a status directory whole. It is not waited for until it is on the disk: the next one
/// comes soon.
///
/// # Errors
/// Names the path that could not be written.
pub fn write_metrics(dir: &Path, metrics: &Metrics) -> Result<(), PathError> {
    write_json_unsynced(dir.join(METRICS_FILE), metrics)
}

#[cfg(test)]
mod tests {
    use mizzen_fsx::SafeDir;
    use proptest::prelude::*;
    use serde_json::json;

    use super::{CPU_MAX, Metrics, read_metrics, write_metrics};
    use crate::Reading;

    fn parse(json: &str) -> Metrics {
        json.parse().unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_with_unknown_fields() {
        let mut metrics = parse(
            r#"{"schema":1,"timestamp":"2024-01-20T10:30:00Z","cpu_percent":12.5,"memory_bytes":5,
                "memory_limit_bytes":9,"disk_bytes":3,"disk_free_bytes":4,"pids":2}"#,
        );
        assert_eq!((metrics.cpu_percent, metrics.pids), (Some(12.5), Some(2)));
        metrics.extra.insert("gpu".to_owned(), json!([1]));
        let dir = tempfile::tempdir().unwrap();
        let safe = SafeDir::open(dir.path()).unwrap();
        assert!(matches!(read_metrics(&safe, None), Reading::Absent));
        write_metrics(dir.path(), &metrics).unwrap();
        assert_eq!(read_metrics(&safe, None).good(), Some(metrics));
    }

    #[test]
    fn row_42_what_no_container_can_use_is_dropped() {
        let odd = parse(
            r#"{"timestamp":"2099-01-01T00:00:00Z","cpu_percent":1e308,"memory_bytes":-1,
                "memory_limit_bytes":1.5,"disk_bytes":"many","pids":null}"#,
        );
        assert!(
            odd.time().is_some(),
            "a clock is shown, and believed by nobody"
        );
        let none = Metrics {
            timestamp: odd.timestamp.clone(),
            ..Metrics::default()
        };
        assert_eq!(odd, none);
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_its_numbers_make_sense(text in r#"\{("(cpu_percent|pids|x)":-?[0-9]{1,20}(e[0-9]{1,3})?,?){0,3}\}"#) {
            if let Ok(metrics) = text.parse::<Metrics>() {
                prop_assert!(metrics.cpu_percent.is_none_or(|it| (0.0..=CPU_MAX).contains(&it)));
            }
        }
    }
}
