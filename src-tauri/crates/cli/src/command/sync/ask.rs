//! What a person asks of two folders besides to come in step.

use std::path::{Component, Path};

use mizzen_core::verb::ErrorCode;
use mizzen_core::view::{ConflictView, PastCycleView, StandingView, SyncDone};
use mizzen_sync::{AskError, Both, CycleId, Keep, Link, Recall};
use mizzen_sync_core::{RelPath, Side};

use super::super::{with_core, workspace};
use super::answer::{self, FOLDERS};
use super::session;
use super::{LEFT, did_not_work, ended, open, report};
use crate::args::{SyncPair, SyncVerb};
use crate::output::{Failure, Output, failed};

pub(super) fn run(verb: SyncVerb, output: Output) -> Result<(), Failure> {
    if let Some(asked) = session::asked(&verb)? {
        return with_core(async |client| session::ask(&client, asked, output).await);
    }
    match verb {
        SyncVerb::Session(of) => {
            with_core(async |client| workspace::run(&client, of, output).await)
        }
        SyncVerb::Conflicts { pair } => conflicts(&pair, output),
        SyncVerb::Resolve { path, keep, pair } => {
            resolve(&pair, &inside(&pair, &path)?, keep, output)
        }
        SyncVerb::History {
            pair,
            of,
            before,
            limit,
        } => {
            let of = of.as_deref().map(|path| inside(&pair, path)).transpose()?;
            let recall = Recall {
                before,
                of,
                most: limit,
            };
            history(&pair, &recall, output)
        }
        SyncVerb::Undo { cycle, pair, force } => undo(&pair, cycle, force, output),
        SyncVerb::Restore {
            path,
            pair,
            at,
            side,
            force,
        } => {
            let path = inside(&pair, &path)?;
            restore(&pair, &path, (at, side), force, output)
        }
        SyncVerb::Why { path, pair } => why(&pair, &inside(&pair, &path)?, output),
    }
}

fn conflicts(pair: &SyncPair, output: Output) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let link = &mut joined.folders.link;
    let conflicts = link.conflicts(&Both::everything());
    let conflicts = conflicts.map_err(|error| ended(&error))?;
    let disputes = conflicts
        .iter()
        .map(|conflict| ConflictView::new(conflict, link.diff(conflict)));
    let disputes: Vec<ConflictView> = disputes.collect();
    answer::conflicts(&disputes, FOLDERS, output)?;
    left_unless(disputes.is_empty())
}

fn resolve(pair: &SyncPair, path: &RelPath, keep: Keep, output: Output) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let folders = &mut joined.folders;
    let resolved = folders
        .link
        .resolve(path, keep)
        .map_err(|error| refused(&error))?;
    folders.link.rest();
    let done = SyncDone::resolved(&resolved);
    answer::done("resolved", &done, FOLDERS, output)?;
    left_unless(done.left.is_empty())
}

fn history(pair: &SyncPair, recall: &Recall, output: Output) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let folders = &mut joined.folders;
    let past = folders
        .link
        .history(recall)
        .map_err(|error| refused(&error))?;
    let past: Vec<PastCycleView> = past.iter().map(PastCycleView::new).collect();
    answer::history(&past, FOLDERS, output)
}

fn undo(pair: &SyncPair, id: CycleId, force: bool, output: Output) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let folders = &mut joined.folders;
    let undone = folders.link.undo(id).map_err(|error| refused(&error))?;
    let done = SyncDone::undone(&undone);
    answer::done("undone", &done, FOLDERS, output)?;
    carry_over(&mut folders.link, done.left.is_empty(), force, output)
}

fn restore(
    pair: &SyncPair,
    path: &RelPath,
    (at, side): (Option<CycleId>, Option<Side>),
    force: bool,
    output: Output,
) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let folders = &mut joined.folders;
    let restored = folders.link.restore(path, at, side);
    let restored = restored.map_err(|error| refused(&error))?;
    let done = SyncDone::undone(&restored);
    answer::done("restored", &done, FOLDERS, output)?;
    carry_over(&mut folders.link, done.left.is_empty(), force, output)
}

fn why(pair: &SyncPair, path: &RelPath, output: Output) -> Result<(), Failure> {
    let mut joined = open(sides(pair), &pair.how, output)?.0;
    let folders = &mut joined.folders;
    let standing = folders.link.why(path).map_err(|error| refused(&error))?;
    answer::standing(&StandingView::new(path, &standing), FOLDERS, output)
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
pub(super) fn below(path: &Path) -> Option<RelPath> {
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

pub(super) fn names_nothing(path: &Path, what: &str) -> Failure {
    failed(
        ErrorCode::Usage,
        format!("{} is {what}.", path.display()),
        "Name it from the folder on, like src/main.rs.",
    )
}

/// Why a person gets no answer.
fn refused(error: &AskError) -> Failure {
    let message = format!("{error}.");
    match error {
        AskError::Cycle(error) => ended(error),
        AskError::Trash(..) => did_not_work(&message, "Check the permissions of the trash."),
        AskError::Base(_) => did_not_work(
            &message,
            "Nothing is lost; mend the cause and run it again.",
        ),
        AskError::NoConflict(_) => failed(
            ErrorCode::NotFound,
            message,
            "`mizzen sync conflicts A B` lists them.",
        ),
        AskError::UnknownCycle(_) => failed(
            ErrorCode::NotFound,
            message,
            "`mizzen sync history A B` lists them.",
        ),
        AskError::NothingKept(_) => failed(
            ErrorCode::NotFound,
            message,
            "`mizzen sync history A B --of PATH` lists the cycles of which it is kept.",
        ),
        AskError::Unsyncable(..) => failed(
            ErrorCode::State,
            message,
            "Move them elsewhere, or keep the other version.",
        ),
        AskError::Mode(_) => failed(
            ErrorCode::State,
            message,
            "Change it in A, or run it with --mode two-way-safe.",
        ),
    }
}
