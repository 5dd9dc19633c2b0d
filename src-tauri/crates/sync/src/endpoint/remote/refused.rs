//! Why one end says no, as the other shows it.

use std::io;
use std::path::{Path, PathBuf};

use mizzen_sync_core::BadPattern;
use serde::{Deserialize, Serialize};

use crate::endpoint::EndpointError;

/// Longest text of the other end that is shown.
const TEXT_MAX: usize = 300;

/// Why something was not done.
#[derive(Serialize, Deserialize)]
pub(super) enum Refused {
    Place { path: PathBuf, why: String },
    Rule { pattern: String, reason: String },
}

impl From<EndpointError> for Refused {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Place { path, source } => Self::Place {
                path,
                why: source.to_string(),
            },
            EndpointError::Rule(BadPattern { pattern, reason }) => Self::Rule { pattern, reason },
            EndpointError::Wire(why) => Self::Place {
                path: PathBuf::new(),
                why,
            },
        }
    }
}

impl From<Refused> for EndpointError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Place { path, why } => Self::Place {
                path: shown_path(&path),
                source: io::Error::other(shown(&why)),
            },
            Refused::Rule { pattern, reason } => Self::Rule(BadPattern {
                pattern: shown(&pattern),
                reason: shown(&reason),
            }),
        }
    }
}

/// A text of the other end as it may be shown: one line, without what steers a terminal, and not endless.
pub(super) fn shown(text: &str) -> String {
    let plain = text.chars().filter(|char| !char.is_control());
    plain.take(TEXT_MAX).collect()
}

pub(super) fn shown_path(path: &Path) -> PathBuf {
    shown(&path.to_string_lossy()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_other_end_steer_no_terminal() {
        assert_eq!(shown("a\u{1b}[31mb\r\nc\u{7}"), "a[31mbc");
        assert_eq!(shown(&"x".repeat(1000)).len(), TEXT_MAX);
    }
}
