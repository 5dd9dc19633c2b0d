use std::fmt;
use std::path::Path;

use mizzen_fsx::{PathError, SafeDir, UnsafeFile, UnsafeReason, write_atomic_with, write_unsynced};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::text::{TEXT_CAP, sanitise};

/// Deepest nesting that is parsed. serde_json's own limit does not hold for skipped fields.
const DEPTH: usize = 32;

/// What one look at a file gave.
#[derive(Debug)]
pub enum Reading<T> {
    /// Its content.
    Good(T),
    /// Nothing usable: keep the last good value, and say why.
    Keep(Keep),
    /// There is no such file.
    Absent,
}

impl<T> Reading<T> {
    /// The content, when it was good.
    #[must_use]
    pub fn good(self) -> Option<T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Keep(_) | Self::Absent => None,
        }
    }

    pub(crate) fn and_then<U>(self, f: impl FnOnce(T) -> Result<U, Keep>) -> Reading<U> {
        match self {
            Self::Good(value) => f(value).map_or_else(Reading::Keep, Reading::Good),
            Self::Keep(keep) => Reading::Keep(keep),
            Self::Absent => Reading::Absent,
        }
    }
}

/// Why the last good value stays.
#[derive(Debug, thiserror::Error)]
pub enum Keep {
    /// Empty or cut off: a writer that does not replace files whole is at work. Look again soon;
    /// it is no fault before 15 s.
    #[error("not written to its end")]
    Torn,
    /// Not a file to read: a link, a device, too large, somebody else's.
    #[error("unsafe file: {0}")]
    Unsafe(#[from] UnsafeFile),
    /// Not the JSON that the schema asks for.
    #[error("invalid: {0}")]
    Invalid(String),
    /// Written by a newer schema than ours: shown, never rewritten.
    #[error("written with schema {0}, newer than this program's")]
    Newer(u64),
}

/// Reads one JSON object.
pub(crate) fn read_object(
    dir: &SafeDir,
    name: &str,
    cap: u64,
    uid: Option<u32>,
) -> Reading<Map<String, Value>> {
    match dir.read_regular(name, cap, uid) {
        Ok(bytes) => parse_object(&bytes).map_or_else(Reading::Keep, Reading::Good),
        Err(UnsafeFile {
            reason: UnsafeReason::Missing,
            ..
        }) => Reading::Absent,
        Err(refused) => Reading::Keep(refused.into()),
    }
}

/// Parses one JSON object whose top-level keys are unique.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, Keep> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Keep::Torn);
    }
    if depth(bytes) > DEPTH {
        return Err(Keep::Invalid(format!("nested deeper than {DEPTH}")));
    }
    match serde_json::from_slice::<Object>(bytes) {
        Ok(object) => Ok(object.0),
        Err(error) if error.is_eof() => Err(Keep::Torn),
        // The message quotes the document.
        Err(error) => Err(Keep::Invalid(sanitise(&error.to_string(), TEXT_CAP))),
    }
}

/// Replaces a file of the protocol whole, readable by its owner and group.
///
/// # Errors
/// Names the path that could not be written.
pub fn write_json(
    path: impl AsRef<Path>,
    value: &impl Serialize,
    owner: Option<(u32, u32)>,
) -> Result<(), PathError> {
    write_atomic_with(path, &document(value), 0o640, owner)
}

/// The same for what may be lost with the machine's power: nothing is waited for.
pub(crate) fn write_json_unsynced(
    path: impl AsRef<Path>,
    value: &impl Serialize,
) -> Result<(), PathError> {
    write_unsynced(path, &document(value), 0o640)
}

/// A file's content.
pub(crate) fn document(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("BUG: our own documents serialise");
    text.push(b'\n');
    text
}

/// Deepest nesting of brackets outside strings, without building anything.
fn depth(json: &[u8]) -> usize {
    let (mut now, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A JSON object, and nothing that serde would also take for one; a key given twice is an error.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
                let mut map = Map::new();
                while let Some((key, value)) = entries.next_entry::<String, Value>()? {
                    if map.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("{key:?} given twice")));
                    }
                    map.insert(key, value);
                }
                Ok(Object(map))
            }
        }
        deserializer.deserialize_map(Unique)
    }
}
