//! What a file says and its reader does not take over.

use serde_json::Value;

use crate::text::sanitise;

/// Most differences that are told.
const MOST: usize = 10;

/// The places where what was read is not what was written, in words.
pub(super) fn differences(written: &Value, read: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", written, read, &mut found);
    found.truncate(MOST);
    found
}

fn walk(at: &str, written: &Value, read: &Value, found: &mut Vec<String>) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (key, value) in written {
                let at = match at {
                    "" => sanitise(key, 64),
                    at => format!("{at}.{}", sanitise(key, 64)),
                };
                match read.get(key) {
                    Some(read) => walk(&at, value, read, found),
                    None if says_nothing(value) => {}
                    None => found.push(format!("`{at}`: {} is not used", shown(value))),
                }
            }
        }
        (Value::Array(written), Value::Array(read)) if written.len() == read.len() => {
            let pairs = written.iter().zip(read).enumerate();
            pairs
                .for_each(|(n, (written, read))| walk(&format!("{at}[{n}]"), written, read, found));
        }
        (Value::Array(written), Value::Array(read)) => {
            let (used, all) = (read.len(), written.len());
            found.push(format!("`{at}`: {used} of {all} entries are used"));
        }
        // A text for a notice.
        (Value::String(_), Value::Object(notice)) if notice.get("message") == Some(written) => {}
        _ if is_same(written, read) => {}
        _ => found.push(format!(
            "`{at}`: {} is read as {}",
            shown(written),
            shown(read)
        )),
    }
}

fn is_same(written: &Value, read: &Value) -> bool {
    written == read
        || written
            .as_f64()
            .zip(read.as_f64())
            .is_some_and(|(written, read)| written == read)
}

/// Values that a writer leaves out as well. The first agents say 0 of 0 where they do not know.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    sanitise(&value.to_string(), 60)
}
