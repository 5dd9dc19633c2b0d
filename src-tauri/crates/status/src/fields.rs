//! Takes known fields out of an object that anybody may have written. A field of the wrong type
//! or range is dropped and the rest of the document stands; what is left over is unknown and kept.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::text::{TEXT_CAP, sanitise};

/// Longest word or name.
const WORD_CAP: usize = 64;
/// Most entries of a map of names.
const NAMES: usize = 64;

pub(crate) type Object = Map<String, Value>;

/// A text for people.
pub(crate) fn text(object: &mut Object, key: &str) -> Option<String> {
    match object.remove(key)? {
        Value::String(text) => Some(sanitise(&text, TEXT_CAP)),
        _ => None,
    }
}

/// A word or name: one line, no controls, not empty.
pub(crate) fn word(object: &mut Object, key: &str) -> Option<String> {
    as_word(object.remove(key)?)
}

pub(crate) fn as_word(value: Value) -> Option<String> {
    let Value::String(text) = value else {
        return None;
    };
    let one_line = !text.chars().any(char::is_control);
    // It may have been nothing but what is not shown.
    Some(sanitise(&text, WORD_CAP)).filter(|word| one_line && !word.is_empty())
}

/// A text that is something in particular.
pub(crate) fn parsed<T: FromStr>(object: &mut Object, key: &str) -> Option<T> {
    object.remove(key)?.as_str()?.parse().ok()
}

pub(crate) fn whole(object: &mut Object, key: &str) -> Option<u64> {
    object.remove(key)?.as_u64()
}

pub(crate) fn flag(object: &mut Object, key: &str) -> bool {
    object
        .remove(key)
        .and_then(|value| value.as_bool())
        .unwrap_or(false)
}

/// A number that is neither negative nor endless.
pub(crate) fn amount(object: &mut Object, key: &str) -> Option<f64> {
    object
        .remove(key)?
        .as_f64()
        .filter(|n| n.is_finite() && *n >= 0.0)
}

pub(crate) fn object(object: &mut Object, key: &str) -> Option<Object> {
    match object.remove(key)? {
        Value::Object(inner) => Some(inner),
        _ => None,
    }
}

pub(crate) fn list(object: &mut Object, key: &str) -> Vec<Value> {
    match object.remove(key) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// Names with a word each; entries that are not are dropped.
pub(crate) fn words(from: &mut Object, key: &str) -> BTreeMap<String, String> {
    let entries = object(from, key).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(name, value)| Some((as_word(Value::String(name))?, as_word(value)?)))
        .take(NAMES)
        .collect()
}
