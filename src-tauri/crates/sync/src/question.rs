//! What a person asks of a link, and its answer: one way for two folders, for a session, and for a container alone.

use mizzen_sync_core::RelPath;
use serde::{Deserialize, Serialize};

use crate::link::{AskError, Both, Keep, Link};
use crate::refusal::Refusal;
use crate::told::{self, Answer};
use crate::trash::{CycleId, Recall};

/// Most cycles that are told of at once.
const HISTORY_MAX: u32 = 1000;
/// Most steps of a plan that are told of at once.
const STEPS_MAX: usize = 10_000;

/// A question about a link, or a wish. Places are those below its folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// What both sides changed, with the lines that differ.
    Conflicts,
    /// What a cycle would do now.
    Plan,
    /// Decides a conflict.
    Resolve {
        /// Where it is.
        #[serde(with = "place")]
        path: RelPath,
        /// Whose version stays.
        keep: Keep,
    },
    /// Past cycles, the last one first.
    History {
        /// Only those of which the trash keeps this place.
        #[serde(with = "perhaps_place")]
        of: Option<RelPath>,
        /// Only those before this one.
        before: Option<CycleId>,
        /// So many.
        limit: u32,
    },
    /// Takes a cycle back on both sides, wherever nothing has changed since.
    Undo {
        /// The cycle.
        cycle: CycleId,
    },
    /// Brings back what stood at a place.
    Restore {
        /// The place.
        #[serde(with = "place")]
        path: RelPath,
        /// As it was before this cycle; as it was last without it.
        before: Option<CycleId>,
        /// What this side held; whichever held it last without it.
        side: Option<told::Side>,
    },
    /// How a place stands, and what keeps it back.
    Why {
        /// The place.
        #[serde(with = "place")]
        path: RelPath,
    },
}

/// Answers a question, or fulfils a wish. What is taken back on one side goes to the other with the next cycle.
///
/// # Errors
/// Why there is no answer.
pub fn answer(link: &mut Link, question: &Question) -> Result<Answer, Refusal> {
    let answered = answered(link, question);
    answered.map_err(|error| Refusal::of(&error, link.names()))
}

fn answered(link: &mut Link, question: &Question) -> Result<Answer, AskError> {
    Ok(match question {
        Question::Conflicts => {
            let conflicts = link.conflicts(&Both::everything())?;
            let told = conflicts
                .iter()
                .map(|conflict| told::Conflict::new(conflict, link.diff(conflict)));
            Answer::Conflicts(told.collect())
        }
        Question::Plan => {
            let outcome = link.plan(&Both::everything())?;
            let halt = link.halt(&outcome)?.map(|halt| halt.told(link.names()));
            Answer::Plan(told::Plan::new(&outcome, halt, STEPS_MAX))
        }
        Question::Resolve { path, keep } => {
            let resolved = link.resolve(path, *keep)?;
            Answer::Done(told::Done::resolved(&resolved))
        }
        Question::History { of, before, limit } => {
            let recall = Recall {
                before: *before,
                of: of.clone(),
                most: (*limit).min(HISTORY_MAX) as usize,
            };
            let past = link.history(&recall)?;
            Answer::History(past.iter().map(told::PastCycle::new).collect())
        }
        Question::Undo { cycle } => Answer::Done(told::Done::undone(&link.undo(*cycle)?)),
        Question::Restore { path, before, side } => {
            let restored = link.restore(path, *before, side.map(Into::into))?;
            Answer::Done(told::Done::undone(&restored))
        }
        Question::Why { path } => {
            let standing = link.why(path)?;
            Answer::Standing(told::Standing::new(path, &standing))
        }
    })
}

/// A place as text.
mod place {
    use mizzen_sync_core::RelPath;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(path: &RelPath, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(path)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RelPath, D::Error> {
        named(&String::deserialize(from)?)
    }

    pub(super) fn named<E: de::Error>(text: &str) -> Result<RelPath, E> {
        let refused = |error| E::custom(format!("`{text}` names no place: {error}"));
        RelPath::new(text.as_bytes()).map_err(refused)
    }
}

/// The same, or none.
mod perhaps_place {
    use mizzen_sync_core::RelPath;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        path: &Option<RelPath>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        path.as_ref().map(ToString::to_string).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<RelPath>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| super::place::named(&text)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn questions_come_over_as_they_were_asked() {
        let cycle: CycleId = "20260102T030405.000000006Z".parse().unwrap();
        for (question, text) in [
            (Question::Plan, r#"{"ask":"plan"}"#),
            (
                Question::Resolve {
                    path: path("src/a"),
                    keep: Keep::Both,
                },
                r#"{"ask":"resolve","path":"src/a","keep":"both"}"#,
            ),
            (
                Question::History {
                    of: Some(path("a")),
                    before: None,
                    limit: 3,
                },
                r#"{"ask":"history","of":"a","before":null,"limit":3}"#,
            ),
            (
                Question::Restore {
                    path: path("a"),
                    before: Some(cycle),
                    side: Some(told::Side::Host),
                },
                r#"{"ask":"restore","path":"a","before":"20260102T030405.000000006Z","side":"host"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&question).unwrap(), text);
            assert_eq!(serde_json::from_str::<Question>(text).unwrap(), question);
        }
    }

    #[test]
    fn a_question_that_leads_out_of_the_folder_is_none() {
        for text in [
            r#"{"ask":"why","path":"../a"}"#,
            r#"{"ask":"why","path":"/etc/passwd"}"#,
            r#"{"ask":"history","of":"a/../../b","before":null,"limit":1}"#,
            r#"{"ask":"undo","cycle":"../../x"}"#,
            r#"{"ask":"sing"}"#,
        ] {
            assert!(serde_json::from_str::<Question>(text).is_err(), "{text}");
        }
    }
}
