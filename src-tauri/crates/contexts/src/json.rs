//! JSON as Go's decoder reads it: keys match in any case, and the last of several wins.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value that keeps what selection needs and forgets the rest.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Text(String),
    /// Members in the order of the text, repeated keys included.
    Object(Vec<(String, Json)>),
    /// A number or an array.
    Other,
}

/// A member of the wrong type.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" has the wrong type")]
pub(crate) struct WrongType(&'static str);

impl Json {
    /// The last member whose key matches in any case, as Go matches a struct's fields.
    pub(crate) fn field(&self, key: &str) -> &Json {
        let Self::Object(members) = self else {
            return &Self::Null;
        };
        let found = members
            .iter()
            .rev()
            .find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map_or(&Self::Null, |(_, value)| value)
    }

    /// The last member with exactly this key, as Go reads a map.
    pub(crate) fn entry(&self, key: &str) -> &Json {
        let Self::Object(members) = self else {
            return &Self::Null;
        };
        let found = members.iter().rev().find(|(name, _)| name == key);
        found.map_or(&Self::Null, |(_, value)| value)
    }

    /// Text of a field; an absent one is empty.
    pub(crate) fn text(&self, key: &'static str) -> Result<&str, WrongType> {
        match self.field(key) {
            Self::Text(text) => Ok(text),
            Self::Null => Ok(""),
            _ => Err(WrongType(key)),
        }
    }

    /// Truth of a field; an absent one is false.
    pub(crate) fn truth(&self, key: &'static str) -> Result<bool, WrongType> {
        match self.field(key) {
            Self::Bool(truth) => Ok(*truth),
            Self::Null => Ok(false),
            _ => Err(WrongType(key)),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}
