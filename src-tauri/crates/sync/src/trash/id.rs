//! How cycles are called.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A cycle of a link, by the time at which it began, in nanoseconds since 1970. What it left on both sides and what is
/// said of it goes by this name, which sorts by time, also as text: `20260102T030405.000000006Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CycleId(pub i64);

/// A text does not name a cycle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a cycle, such as 20260102T030405.000000006Z")]
pub struct NoCycleId(pub String);

impl CycleId {
    /// The first one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for CycleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::from_nanosecond(self.0.into());
        let time = time.expect("BUG: less than 300 years from 1970");
        write!(f, "{}", time.strftime("%Y%m%dT%H%M%S.%9fZ"))
    }
}

impl From<CycleId> for String {
    fn from(id: CycleId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CycleId {
    type Error = NoCycleId;

    fn try_from(text: String) -> Result<Self, NoCycleId> {
        text.parse()
    }
}

impl FromStr for CycleId {
    type Err = NoCycleId;

    /// Takes the text as it is written, and no other for the same time: it may be the name of a folder.
    fn from_str(text: &str) -> Result<Self, NoCycleId> {
        let time = text.parse::<Timestamp>().ok();
        let nanos = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        let id = nanos.map(Self).filter(|id| id.to_string() == text);
        id.ok_or_else(|| NoCycleId(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_text() {
        let id: CycleId = "20260102T030405.000000006Z".parse().unwrap();
        assert_eq!(id.to_string(), "20260102T030405.000000006Z");
        assert_eq!(CycleId(1_000).to_string(), "19700101T000000.000001000Z");
        for nanos in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(CycleId(nanos).to_string().parse(), Ok(CycleId(nanos)));
        }
    }

    #[test]
    fn what_names_no_cycle_is_told() {
        for text in [
            "",
            "..",
            "../root",
            "2026-01-02T03:04:05Z",
            "20260102T030405Z",
            "20260102T030405.000000006Z/..",
            "30260102T030405.000000006Z",
        ] {
            assert_eq!(text.parse::<CycleId>(), Err(NoCycleId(text.to_owned())));
        }
    }
}
