//! What a person asks of two folders, or of a session's workspace, besides to come in step.

use std::path::{Component, Path};

use mizzen_core::verb::ErrorCode;
use mizzen_core::view::SyncAnswer;
use mizzen_sync::{Because, Both, Link, Question, Refusal};
use mizzen_sync_core::RelPath;

use super::super::{with_core, workspace};
use super::answer::{self, FOLDERS};
use super::session;
use super::{LEFT, did_not_work, ended, known, open, report, stopped};
use crate::args::{SyncAsk, SyncPair, SyncVerb};
use crate::output::{Failure, Output, failed};

/// What a verb asks.
pub(super) struct Asked {
    pub(super) question: Question,
    /// What came of it, in the past tense.
    pub(super) word: &'static str,
    /// Whether a person has agreed to what would stop the next cycle.
    pub(super) consent: bool,
}

pub(super) fn run(verb: SyncVerb, output: Output) -> Result<(), Failure> {
    let ask = match verb {
        SyncVerb::Session(of) => {
            return with_core(async |client| workspace::run(&client, of, output).await);
        }
        SyncVerb::Links => return known::list(output),
        SyncVerb::Forget(forget) => return known::forget(&forget, output),
        SyncVerb::Ask(ask) => ask,
    };
    let pair = ask.pair();
    let Some(name) = session::name(pair)? else {
        return folders(pair, Asked::by(&ask, |path| inside(pair, path))?, output);
    };
    let place = |path: &Path| {
        let place = below(path);
        place.ok_or_else(|| names_nothing(path, "no place of the workspace"))
    };
    let asked = Asked::by(&ask, place)?;
    with_core(async |client| session::ask(&client, name, asked, output).await)
}

impl Asked {
    fn by(
        ask: &SyncAsk,
        place: impl Fn(&Path) -> Result<RelPath, Failure>,
    ) -> Result<Self, Failure> {
        let (question, word, consent) = match ask {
            SyncAsk::Plan { .. } => (Question::Plan, "", false),
            SyncAsk::Conflicts { .. } => (Question::Conflicts, "", false),
            SyncAsk::Resolve { path, keep, .. } => {
                let (path, keep) = (place(path)?, *keep);
                (Question::Resolve { path, keep }, "resolved", false)
            }
            SyncAsk::History {
                of, before, limit, ..
            } => {
                let of = of.as_deref().map(place).transpose()?;
                let limit = u32::try_from(*limit).unwrap_or(u32::MAX);
                let before = *before;
                (Question::History { of, before, limit }, "", false)
            }
            SyncAsk::Undo { cycle, force, .. } => {
                (Question::Undo { cycle: *cycle }, "undone", *force)
            }
            SyncAsk::Restore {
                path,
                at,
                side,
                force,
                ..
            } => {
                let question = Question::Restore {
                    path: place(path)?,
                    before: *at,
                    side: side.map(Into::into),
                };
                (question, "restored", *force)
            }
            SyncAsk::Why { path, .. } => (Question::Why { path: place(path)? }, "", false),
        };
        Ok(Self {
            question,
            word,
            consent,
        })
    }
}

fn folders(pair: &SyncPair, asked: Asked, output: Output) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let link = &mut joined.folders.link;
    let answer = mizzen_sync::answer(link, &asked.question);
    let answer = SyncAnswer::from(answer.map_err(|refusal| refused(&refusal))?);
    let is_whole = answer::print(&answer, asked.word, FOLDERS, output)?;
    match asked.question {
        Question::Undo { .. } | Question::Restore { .. } => {
            carry_over(link, is_whole, asked.consent, output)
        }
        Question::Resolve { .. } => {
            link.rest();
            left_unless(is_whole)
        }
        _ => left_unless(is_whole),
    }
}

/// What was taken back on one side goes to the other.
fn carry_over(link: &mut Link, is_whole: bool, force: bool, output: Output) -> Result<(), Failure> {
    let cycle = link.cycle(&Both::default(), force);
    let cycle = cycle.map_err(|error| ended(&error))?;
    link.rest();
    report::cycle(&cycle, output)?;
    left_unless(is_whole && cycle.is_in_step())
}

pub(super) fn left_unless(is_whole: bool) -> Result<(), Failure> {
    match is_whole {
        true => Ok(()),
        false => Err(Failure::ExitCode(LEFT)),
    }
}

/// Two folders; what names one only is about a session.
fn sides(pair: &SyncPair) -> [&Path; 2] {
    let container = pair.container.as_deref();
    [&*pair.host, container.unwrap_or(&pair.host)]
}

/// A path in both folders, however it was named.
fn inside(pair: &SyncPair, path: &Path) -> Result<RelPath, Failure> {
    let mut folders = sides(pair).into_iter();
    let inside = folders.find_map(|folder| path.strip_prefix(folder).ok());
    below(inside.unwrap_or(path)).ok_or_else(|| names_nothing(path, "no place of either folder"))
}

/// A path as it is named from a folder on; none when it leads out of it.
fn below(path: &Path) -> Option<RelPath> {
    let names = path.components();
    let names = names.filter(|component| !matches!(component, Component::CurDir));
    let names: Option<Vec<&[u8]>> = names
        .map(|component| match component {
            Component::Normal(name) => Some(name.as_encoded_bytes()),
            _ => None,
        })
        .collect();
    RelPath::new(&names?.join(&b'/')).ok()
}

fn names_nothing(path: &Path, what: &str) -> Failure {
    failed(
        ErrorCode::Usage,
        format!("{} is {what}.", path.display()),
        "Name it from the folder on, like src/main.rs.",
    )
}

/// Why a person gets no answer from two folders.
fn refused(refusal: &Refusal) -> Failure {
    let message = format!("{refusal}.");
    let command = |verb: &str| format!("mizzen sync {verb} A B");
    let hint = refusal.hint("mizzen sync A B --once --force", command);
    match refusal.because {
        Because::Halted | Because::Exchanged | Because::DiskFull => stopped(&refusal.why, &hint),
        Because::Failed | Because::NoLink => did_not_work(
            &message,
            "Nothing is lost; mend the cause and run it again.",
        ),
        Because::Storage => did_not_work(&message, &hint),
        Because::NoConflict | Because::NotKept => failed(ErrorCode::NotFound, message, hint),
        Because::Unsyncable => failed(ErrorCode::State, message, hint),
        Because::Mode => failed(
            ErrorCode::State,
            message,
            "Change it in A, or run it with --mode two-way-safe.",
        ),
        Because::Usage => failed(ErrorCode::Usage, message, hint),
    }
}
