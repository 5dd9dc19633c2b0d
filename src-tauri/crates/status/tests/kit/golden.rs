//! The golden files, held against what `cases.json` says of each.

use std::fs;

use mizzen_fsx::SafeDir;
use serde_json::{Map, Value};

use crate::read::{is_same, reading};
use crate::{KINDS, kit, schema};

fn kind(file: &str) -> (&'static str, &'static str, &'static str) {
    let folder = file.split('/').next().unwrap();
    *KINDS.iter().find(|kind| kind.0 == folder).unwrap()
}

fn cases() -> Vec<Map<String, Value>> {
    let text = fs::read_to_string(kit().join("golden/cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
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
