//! `mizzen sync links` and `forget`: what is remembered of folders, also of those that are gone.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_core::verb::ErrorCode;
use mizzen_sync::{ForgetError, KnownLink, LockError, forget_link, known_links};
use mizzen_sync_core::sized;
use serde::Serialize;

use super::did_not_work;
use super::pair::called;
use crate::args::Forget;
use crate::connect;
use crate::output::{Cell, Failure, Output, columns, failed};

/// So much of a link's name is shown, and enough to name it.
const SHORT: usize = 8;
const UNKNOWN: &str = "(not known)";

/// A link, for programs.
#[derive(Serialize)]
struct Shown<'a> {
    link: &'a str,
    a: Option<&'a str>,
    b: Option<&'a str>,
    used_at: Timestamp,
    in_use: bool,
    bytes: u64,
    trash_until: Option<Timestamp>,
}

fn state() -> Result<PathBuf, Failure> {
    Ok(connect::world()?.dirs.state.join("sync"))
}

fn known(state: &Path) -> Result<Vec<KnownLink>, Failure> {
    known_links(state).map_err(|error| {
        let hint = "Check the permissions of Mizzen's state folder.";
        did_not_work(&format!("{error}."), hint)
    })
}

pub(super) fn list(output: Output) -> Result<(), Failure> {
    let links = known(&state()?)?;
    if output.json {
        return links
            .iter()
            .try_for_each(|link| output.object(&shown(link)));
    }
    if links.is_empty() {
        return output.line("No folders were joined yet.");
    }
    let titles = ["link", "A", "B", "last used", "size", ""];
    let rows = std::iter::once(titles.map(Cell::new).to_vec());
    let rows: Vec<_> = rows.chain(links.iter().map(row)).collect();
    columns(&rows).iter().try_for_each(|line| output.line(line))
}

fn shown(link: &KnownLink) -> Shown<'_> {
    let names = link.names.as_ref();
    Shown {
        link: &link.id,
        a: names.map(|names| &*names.host),
        b: names.map(|names| &*names.container),
        used_at: link.used,
        in_use: link.in_use,
        bytes: link.bytes,
        trash_until: link.kept_until,
    }
}

fn row(link: &KnownLink) -> Vec<Cell> {
    let [a, b] = sides(link);
    let note = match (link.in_use, link.kept_until) {
        (true, _) => "in use".to_owned(),
        (false, Some(until)) => format!("its trash keeps files until {}", day(until)),
        (false, None) => String::new(),
    };
    let (used, size) = (day(link.used), sized(link.bytes));
    let id = link.id.get(..SHORT).unwrap_or(&link.id);
    [id, a, b, &used, &size, &note].map(Cell::new).to_vec()
}

fn sides(link: &KnownLink) -> [&str; 2] {
    let names = link.names.as_ref();
    names.map_or([UNKNOWN; 2], |names| [&*names.host, &*names.container])
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(super) fn forget(args: &Forget, output: Output) -> Result<(), Failure> {
    let state = state()?;
    let links = known(&state)?;
    let link = one_of(&links, args)?;
    forget_link(&state, &link.id, args.force).map_err(|error| not_forgotten(&error))?;
    let [a, b] = sides(link);
    if output.json {
        return output.object(&shown(link));
    }
    output.line(&format!(
        "Forgot {a} and {b}, {} of what was kept of them. Both stay as they are.",
        sized(link.bytes)
    ))
}

/// The one that is meant.
fn one_of<'a>(links: &'a [KnownLink], args: &Forget) -> Result<&'a KnownLink, Failure> {
    let is_meant = |link: &&KnownLink| match &args.other {
        Some(other) => sides(link) == [called(&args.link), called(other)],
        None => {
            let start = args.link.to_str().unwrap_or_default();
            start.len() >= SHORT && link.id.starts_with(start)
        }
    };
    let meant: Vec<_> = links.iter().filter(is_meant).collect();
    let hint = "See all of them: mizzen sync links";
    match meant[..] {
        [link] => Ok(link),
        [] => Err(failed(
            ErrorCode::NotFound,
            "Nothing is known of such a link.",
            hint,
        )),
        _ => Err(failed(
            ErrorCode::Usage,
            "More than one link is called so: one container may follow another under the same name.",
            format!("Name the link itself. {hint}"),
        )),
    }
}

fn not_forgotten(error: &ForgetError) -> Failure {
    let message = format!("Not forgotten: {error}.");
    match error {
        ForgetError::Lock(LockError::Held { .. }) => {
            failed(ErrorCode::State, message, "End that first.")
        }
        ForgetError::Kept(_) => failed(
            ErrorCode::NeedsPerson,
            message,
            "See them: mizzen sync history A B. Bring them back (mizzen sync restore PATH A B), wait until then, or lose \
             them with --force.",
        ),
        ForgetError::Lock(LockError::Io(_)) | ForgetError::Trash(_) | ForgetError::Io(_) => {
            did_not_work(&message, "Check the permissions of Mizzen's state folder.")
        }
    }
}
