//! What the other end has done, as far as it makes sense.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use mizzen_sync_core::{Change, Edit, Plan, RelPath};

use super::frames::senseless;
use super::message::{Back, Cause, Done};
use super::place::{Place, edits, paths};
use super::refused::{shown, shown_path};
use crate::apply::{Applied, ApplyError, Failure, Why, as_made, gathered};
use crate::encoding::unsyncable;
use crate::endpoint::TakenBack;
use crate::trash::CycleId;

/// What was carried out of a plan, by the places of which the other end says so.
pub(super) fn applied(plan: &Plan, told: Done) -> io::Result<Result<Applied, ApplyError>> {
    let changes = gathered(plan);
    let numbers = changes.iter().enumerate();
    let numbers: HashMap<_, _> = numbers.map(|(at, change)| (&change.path, at)).collect();
    let change_of = |path: &RelPath| {
        let mut above = Some(path.clone());
        while let Some(path) = above {
            if let Some(number) = numbers.get(&path) {
                return Ok(*number);
            }
            above = path.parent();
        }
        Err(senseless("it has done what is not in the plan"))
    };
    let mut failed: Vec<Vec<Failure>> = changes.iter().map(|_| Vec::new()).collect();
    for failure in failures(&told.failed)? {
        failed[change_of(&failure.path)?].push(failure);
    }
    let mut applied = counts(&told);
    for (place, is_there) in &told.done {
        let path = place.path()?;
        let number = change_of(&path)?;
        let entry = match &changes[number] {
            Change {
                path: planned,
                new: Some(new),
                ..
            } if *is_there && *planned == path => {
                let below = failed[number].iter().filter(|failure| failure.path != path);
                Some(as_made(new, &path, below))
            }
            _ if *is_there => return Err(senseless("it has done what is not in the plan")),
            _ => None,
        };
        applied.done.push(Edit { path, entry });
    }
    applied.failed = failed.into_iter().flatten().collect();
    Ok(ended(applied, told.ended))
}

/// What was taken back: of that, there is no plan here.
pub(super) fn taken_back(back: Back) -> io::Result<Result<TakenBack, ApplyError>> {
    let refused = paths(&back.refused)?;
    let applied = Applied {
        done: edits(&back.now)?,
        failed: failures(&back.done.failed)?,
        ..counts(&back.done)
    };
    let applied = ended(applied, back.done.ended);
    Ok(applied.map(|applied| TakenBack { applied, refused }))
}

fn counts(told: &Done) -> Applied {
    Applied {
        files: told.files,
        bytes: told.bytes,
        reused: told.reused,
        cycle: told.cycle.map(CycleId),
        ..Applied::default()
    }
}

fn failures(told: &[(Place, Cause)]) -> io::Result<Vec<Failure>> {
    let failures = told.iter().map(|(place, cause)| {
        let (path, why) = (place.path()?, why(cause)?);
        Ok(Failure { path, why })
    });
    failures.collect()
}

fn ended(applied: Applied, early: Option<(PathBuf, String)>) -> Result<Applied, ApplyError> {
    match early {
        None => Ok(applied),
        Some((path, why)) => Err(ApplyError {
            path: shown_path(&path),
            source: io::Error::other(shown(&why)),
            applied: Box::new(applied),
        }),
    }
}

fn why(cause: &Cause) -> io::Result<Why> {
    let system = |text: &str| io::Error::other(shown(text));
    Ok(match cause {
        Cause::ChangedHere => Why::ChangedHere,
        Cause::ChangedThere => Why::ChangedThere,
        Cause::NotEmpty => Why::NotEmpty,
        Cause::Unsyncable(number) => {
            Why::Unsyncable(unsyncable(*number).ok_or_else(|| senseless("an unknown reason"))?)
        }
        Cause::Supply(text) => Why::Supply(system(text)),
        Cause::System(text) => Why::System(system(text)),
    })
}
