//! Why a verb did not come about, in words a person can act on.

use mizzen_docker::{DockerError, DockerErrorKind};
use mizzen_fsx::PathError;

use crate::machine::Phase;

/// What kind of failure it is: callers branch on this, never on text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Malformed: a bad name, folder or number.
    Usage,
    /// No such session or engine.
    NotFound,
    /// The limit of running sessions, or their memory budget.
    Limit,
    /// The session's state forbids it.
    State,
    /// Safety forbids it.
    Policy,
    /// The engine does not answer.
    EngineUnreachable,
    /// A phase failed.
    Failed,
    /// The core is shutting down.
    ShuttingDown,
}

/// A verb that did not come about: which moment, why, and the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SessionError {
    /// What callers branch on.
    pub kind: ErrorKind,
    /// What failed and why, in one sentence.
    pub message: String,
    /// The next step.
    pub hint: String,
    /// Phase that failed; none when the verb was refused before the first.
    pub phase: Option<Phase>,
}

impl SessionError {
    /// A refusal or failure without a phase.
    pub(crate) fn new(
        kind: ErrorKind,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: hint.into(),
            phase: None,
        }
    }

    /// The same, in a phase; a phase that is already named stays.
    #[must_use]
    pub(crate) fn in_phase(mut self, phase: Phase) -> Self {
        self.phase.get_or_insert(phase);
        self
    }

    /// There is no session of this name.
    pub(crate) fn no_such_session(name: &str) -> Self {
        let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
        Self::new(
            ErrorKind::NotFound,
            format!("There is no session `{shown}`."),
            "See `mizzen list`.",
        )
    }

    pub(crate) fn being_forgotten(key: &str) -> Self {
        Self::new(
            ErrorKind::State,
            format!("Session `{key}` is being removed."),
            "Repeat it in a moment.",
        )
    }

    /// The actor ended before it answered.
    pub(crate) fn shutting_down() -> Self {
        Self::new(
            ErrorKind::ShuttingDown,
            "Mizzen is shutting down.",
            "Start it again and repeat the command.",
        )
    }
}

impl From<crate::name::NameError> for SessionError {
    fn from(error: crate::name::NameError) -> Self {
        Self::new(ErrorKind::Usage, sentence(&error.to_string()), error.hint())
    }
}

impl From<DockerError> for SessionError {
    fn from(error: DockerError) -> Self {
        let kind = match error.kind {
            DockerErrorKind::Unreachable | DockerErrorKind::TimedOut => {
                ErrorKind::EngineUnreachable
            }
            _ => ErrorKind::Failed,
        };
        Self::new(kind, sentence(&error.to_string()), advice(error.hint()))
    }
}

impl From<PathError> for SessionError {
    fn from(error: PathError) -> Self {
        Self::new(
            ErrorKind::Failed,
            sentence(&error.to_string()),
            "Check the permissions and the space there.",
        )
    }
}

/// Makes a sentence of an error's text: a capital at its beginning, a stop at its end. What begins with a name, such as a
/// path, keeps it as it is.
#[must_use]
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let word = text.split_whitespace().next().unwrap_or_default();
    let is_word = word
        .trim_end_matches([',', '.', '!', '?'])
        .chars()
        .all(|letter| letter.is_alphabetic() || letter == '\'');
    let begun: String = match is_word {
        true => first.to_uppercase().chain(letters).collect(),
        false => text.to_owned(),
    };
    let stop = match text.ends_with(['.', '!', '?']) {
        true => "",
        false => ".",
    };
    begun + stop
}

/// Makes advice of a hint: upper-case first letter, and no full stop that could be taken for part of a command.
pub(crate) fn advice(text: &str) -> String {
    let sentence = sentence(text);
    sentence.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital_unless_it_begins_with_a_name() {
        for (text, expected) in [
            ("", ""),
            ("it is gone", "It is gone."),
            ("  really? no! ", "Really? no!"),
            ("host's folder is full.", "Host's folder is full."),
            ("no, it is not", "No, it is not."),
            ("src: no such folder", "src: no such folder."),
            ("my-folder is no folder", "my-folder is no folder."),
            ("docker://a/b is gone", "docker://a/b is gone."),
            ("`demo` is gone", "`demo` is gone."),
            ("/home is full", "/home is full."),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
