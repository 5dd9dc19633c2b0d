//! Rows 10 to 24 of the bad inputs, the samples of the protocol's document, and laws.

use std::str::FromStr;

use jiff::Timestamp;
use mizzen_fsx::{SafeDir, write_atomic};
use proptest::prelude::*;
use serde_json::json;

use super::{Health, STATUS_MAX, Status, StatusWord, read_status, write_status};
use crate::{Keep, Reading};

fn parse(json: &str) -> Status {
    json.parse().unwrap()
}

fn keep(json: impl AsRef<[u8]>) -> Keep {
    let dir = tempfile::tempdir().unwrap();
    write_atomic(dir.path().join("status.json"), json.as_ref()).unwrap();
    match read_status(&SafeDir::open(dir.path()).unwrap(), None) {
        Reading::Keep(keep) => keep,
        other => panic!("expected to keep the last value, got {other:?}"),
    }
}

fn is_invalid(json: impl AsRef<[u8]>) -> bool {
    matches!(keep(json), Keep::Invalid(_))
}

const SAMPLE: &str = r#"{
  "timestamp": "2024-01-20T10:30:00Z",
  "status": "running", "health": "healthy", "phase": "building",
  "progress": { "current": 45, "total": 100, "message": "Compiling dependencies..." },
  "services": { "database": "running", "redis": "starting", "api": "stopped" },
  "errors": [],
  "warnings": [{ "timestamp": "2024-01-20T10:29:00Z", "message": "Low disk space: 90% used" }],
  "custom": { "test_results": { "passed": 142, "failed": 3, "skipped": 7 } }
}"#;

#[test]
fn the_protocols_own_sample_is_read_whole() {
    let status = parse(SAMPLE);
    assert_eq!(
        (status.status, status.health),
        (StatusWord::Running, Some(Health::Healthy))
    );
    let progress = status.progress.unwrap();
    assert_eq!(
        (progress.current, progress.total),
        (Some(45.0), Some(100.0))
    );
    assert_eq!(status.services["redis"], "starting");
    assert_eq!(status.warnings[0].message, "Low disk space: 90% used");
    assert_eq!(status.extra["custom"]["test_results"]["passed"], 142);
}

#[test]
fn what_is_written_is_read_back_with_unknown_fields() {
    let dir = tempfile::tempdir().unwrap();
    let mut status = parse(SAMPLE);
    status.seq = Some(7);
    status.last = true;
    status
        .extra
        .insert("from_the_future".to_owned(), json!({"a": [1]}));
    write_status(dir.path(), &status).unwrap();
    let read = read_status(&SafeDir::open(dir.path()).unwrap(), None)
        .good()
        .unwrap();
    assert_eq!(read, status);
    assert_eq!(read.beat(), (Some(7), "2024-01-20T10:30:00Z"));
}

#[test]
fn a_missing_file_is_absent_and_an_unsafe_one_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let safe = SafeDir::open(dir.path()).unwrap();
    assert!(matches!(read_status(&safe, None), Reading::Absent));
    std::fs::create_dir(dir.path().join("status.json")).unwrap();
    assert!(matches!(
        read_status(&safe, None),
        Reading::Keep(Keep::Unsafe(_))
    ));
}

#[test]
fn row_10_torn_at_every_byte() {
    for end in 0..SAMPLE.len() {
        assert!(
            matches!(SAMPLE[..end].parse::<Status>(), Err(Keep::Torn)),
            "cut at {end}"
        );
    }
}

#[test]
fn rows_11_to_15_documents_that_are_refused_whole() {
    let nested = format!(r#"{{"status":"running","x":{}"#, "[".repeat(100_000));
    assert!(is_invalid(&nested), "row 11: nesting");
    let skipped = format!(
        r#"{{"status":"running","x":{}{}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    assert!(
        is_invalid(&skipped),
        "row 11: nesting below serde's own limit"
    );
    let braces_in_text = format!(r#"{{"status":"running","phase":"\"{}"}}"#, "[".repeat(60));
    assert_eq!(parse(&braces_in_text).status, StatusWord::Running);
    let large = format!(r#"{{"status":"{}"}}"#, "x".repeat(300_000));
    assert!(matches!(keep(&large), Keep::Unsafe(_)), "row 12: size");
    assert!(
        is_invalid(r#"["2024-01-20T10:30:00Z","running"]"#),
        "row 13: array"
    );
    assert!(
        is_invalid(r#"{"status":"running","status":"error"}"#),
        "row 14: twice"
    );
    let bom = format!("\u{feff}{SAMPLE}");
    assert_eq!(
        parse(&bom).status,
        StatusWord::Running,
        "row 15: a BOM is let pass"
    );
    let utf16: Vec<u8> = SAMPLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(is_invalid(utf16), "row 15: UTF-16");
    assert!(
        is_invalid(b"{\"status\":\"run\xffning\"}"),
        "row 15: not UTF-8"
    );
    assert!(
        is_invalid(r#"{"status":"\ud800"}"#),
        "row 15: half a surrogate pair"
    );
    assert!(is_invalid("{}"), "no status at all");
    assert!(is_invalid("null"));
}

#[test]
fn row_16_numbers() {
    assert!(is_invalid(
        r#"{"status":"running","progress":{"current":NaN}}"#
    ));
    assert!(is_invalid(
        r#"{"status":"running","progress":{"current":1e400}}"#
    ));
    let progress = |json: &str| {
        let text = format!(r#"{{"status":"running","progress":{json}}}"#);
        parse(&text)
            .progress
            .map(|progress| (progress.current, progress.total))
    };
    assert_eq!(
        progress(r#"{"current":-1,"total":10}"#),
        Some((None, Some(10.0)))
    );
    assert_eq!(
        progress(r#"{"current":0,"total":0}"#),
        Some((Some(0.0), None))
    );
    assert_eq!(
        progress(r#"{"current":11,"total":10}"#),
        Some((Some(10.0), Some(10.0)))
    );
    assert_eq!(progress("[45, 100]"), None);
}

#[test]
fn row_17_times_are_texts_until_asked_for() {
    let of = |time: &str| parse(&format!(r#"{{"status":"running","timestamp":{time}}}"#));
    assert_eq!(of(r#""yesterday""#).time(), None);
    assert_eq!(of("5").timestamp, "");
    assert_eq!(
        of(r#""1970-01-01T00:00:00Z""#).time(),
        Some(Timestamp::UNIX_EPOCH)
    );
}

#[test]
fn rows_18_to_22_words_and_texts() {
    let status = parse(
        r#"{"status":"expl\u202eoded","phase":"a\nb","health":3,
            "progress":{"message":"\u001b]0;x\u0007<b>hi"},
            "services":{"a\u0000b":"running","db":"up\nrunning","ok":"running"}}"#,
    );
    assert_eq!(status.status, StatusWord::Unknown("exploded".to_owned()));
    assert_eq!((status.phase, status.health), (None, None));
    assert_eq!(status.progress.unwrap().message.unwrap(), "<b>hi");
    assert_eq!(
        status.services.into_iter().collect::<Vec<_>>(),
        [("ok".into(), "running".into())]
    );
}

#[test]
fn rows_23_and_24_notices() {
    let many: Vec<_> = (0..1000).map(|n| format!("w{n}")).collect();
    let status = parse(&json!({"status": "running", "warnings": many}).to_string());
    assert_eq!(status.warnings.len(), 50);
    assert_eq!(status.warnings[49].message, "w999");
    let status = parse(r#"{"status":"error","errors":["x",{"message":"y"},7,{"no":"text"}]}"#);
    let messages: Vec<_> = status
        .errors
        .iter()
        .map(|notice| notice.message.as_str())
        .collect();
    assert_eq!(messages, ["x", "y"]);
}

#[test]
fn a_report_that_would_be_too_large_keeps_what_is_newest() {
    let notices: Vec<_> = (0..50)
        .map(|n| format!("{n} {}", "\u{1f40b}".repeat(500)))
        .collect();
    let custom = vec![0; 20_000];
    let text = json!({
        "status": "running", "phase": "building", "errors": notices, "warnings": notices, "custom": custom,
    });
    let mut status = parse(&text.to_string());
    let whole = status.clone();
    status.fit(STATUS_MAX);
    assert_eq!(status.extra, serde_json::Map::new());
    assert_eq!(status.errors, whole.errors);
    status.fit(32 * 1024);
    let dir = tempfile::tempdir().unwrap();
    write_status(dir.path(), &status).unwrap();
    assert!(
        std::fs::metadata(dir.path().join("status.json"))
            .unwrap()
            .len()
            <= 32 * 1024
    );
    assert_eq!(status.phase.as_deref(), Some("building"));
    assert_eq!(status.errors.last(), whole.errors.last());
    assert_eq!(status.warnings.last(), whole.warnings.last());
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = crate::document::parse_object(&bytes).map(Status::from_object);
    }

    #[test]
    fn a_damaged_sample_never_panics(at in 0..SAMPLE.len(), byte in any::<u8>()) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = String::from_utf8(bytes).map(|text| Status::from_str(&text));
    }
}
