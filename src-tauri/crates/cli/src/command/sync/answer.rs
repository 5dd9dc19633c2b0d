//! What a link answers to a person: as plain values, and in words.
//!
//! It is the same whether the link is of two folders or of a session; only the names of its sides differ.

use jiff::Timestamp;
use mizzen_sync::{Past, PastCycle, Resolved, Standing, Undone, Was};
use mizzen_sync_core::{Conflict, File, Node, RelPath, Side};
use serde::Serialize;

use super::report::Event;
use crate::output::{Failure, Output, Tone, plain};
use crate::size::human;

/// So many places of one cycle are told of in words.
const PLACES: usize = 5;

/// What the host and the container are called.
pub(super) type Sides = [&'static str; 2];

/// Two folders, in the order in which they were named.
pub(super) const FOLDERS: Sides = ["A", "B"];

/// What both sides changed.
#[derive(Serialize)]
pub(super) struct Dispute {
    path: String,
    host: Option<Version>,
    container: Option<Version>,
    /// From the host's to the container's, as unified diffs show it; none when one of them is no text.
    diff: Option<String>,
}

/// What a side holds at the place of a conflict.
#[derive(Serialize)]
struct Version {
    kind: &'static str,
    size: Option<u64>,
    modified: Option<Timestamp>,
    /// In it, for a folder.
    entries: Option<u64>,
}

impl Dispute {
    pub(super) fn new(conflict: &Conflict, diff: Option<String>) -> Self {
        Self {
            path: conflict.path.to_string(),
            host: conflict.host.as_ref().map(Version::new),
            container: conflict.container.as_ref().map(Version::new),
            diff,
        }
    }
}

impl Version {
    fn new(node: &Node) -> Self {
        let (kind, file) = match node {
            Node::File(file) => ("file", Some(file)),
            Node::Dir(_) => ("folder", None),
            Node::Link(_) => ("link", None),
            Node::Unsyncable(_) => ("entry", None),
        };
        let time = |file: &File| Timestamp::from_nanosecond(file.mtime.into()).ok();
        Self {
            kind,
            size: file.map(|file| file.size),
            modified: file.and_then(time),
            entries: node.as_dir().map(|_| node.count() - 1),
        }
    }

    fn in_words(&self) -> String {
        let size = self.size.map(human);
        let entries = self.entries.map(|entries| format!("{entries} in it"));
        let time = self.modified.map(|time| format!("of {}", seconds(time)));
        let kind = Some(self.kind.to_owned());
        let words = [kind, size, entries, time];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Prints conflicts.
pub(super) fn conflicts(disputes: &[Dispute], sides: Sides, output: Output) -> Result<(), Failure> {
    if output.json {
        return disputes
            .iter()
            .try_for_each(|dispute| output.object(dispute));
    }
    if disputes.is_empty() {
        return output.line("No conflicts.");
    }
    for dispute in disputes {
        let word = output.tone(Tone::Bad, "conflict");
        output.line(&format!("{word}  {}", plain(&dispute.path)))?;
        for (side, version) in sides.iter().zip([&dispute.host, &dispute.container]) {
            let version = version
                .as_ref()
                .map_or("nothing".to_owned(), Version::in_words);
            output.line(&format!("  {side}  {version}"))?;
        }
        for line in dispute.diff.iter().flat_map(|diff| diff.lines()) {
            let tone = match line.as_bytes().first() {
                Some(b'-') => Tone::Bad,
                Some(b'+') => Tone::Good,
                _ => Tone::Quiet,
            };
            output.line(&format!("  {}", output.tone(tone, &plain(line))))?;
        }
    }
    Ok(())
}

/// A cycle of the past.
#[derive(Serialize)]
pub(super) struct PastView {
    cycle: String,
    host: Option<PastSide>,
    container: Option<PastSide>,
}

/// What a cycle did to a side.
#[derive(Serialize)]
struct PastSide {
    /// The first of them.
    changes: Vec<PastChange>,
    /// How many there are.
    places: u64,
    /// Files that the trash keeps, and their bytes.
    files: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct PastChange {
    path: String,
    was: &'static str,
}

impl PastView {
    pub(super) fn new(past: &PastCycle) -> Self {
        Self {
            cycle: past.id.to_string(),
            host: past.sides.host.as_ref().map(PastSide::new),
            container: past.sides.container.as_ref().map(PastSide::new),
        }
    }
}

impl PastSide {
    fn new(past: &Past) -> Self {
        let change = |change: &mizzen_sync::PastChange| PastChange {
            path: change.path.to_string(),
            was: match change.was {
                Was::Created => "create",
                Was::Replaced => "replace",
                Was::Removed => "remove",
            },
        };
        Self {
            changes: past.changes.iter().map(change).collect(),
            places: past.places,
            files: past.files,
            bytes: past.bytes,
        }
    }
}

/// Prints cycles of the past.
pub(super) fn history(past: &[PastView], sides: Sides, output: Output) -> Result<(), Failure> {
    if output.json {
        return past.iter().try_for_each(|past| output.object(past));
    }
    if past.is_empty() {
        return output
            .line("Nothing has been changed yet, or the trash does not keep it any more.");
    }
    for past in past {
        let kept = [&past.host, &past.container];
        let bytes: u64 = kept.into_iter().flatten().map(|side| side.bytes).sum();
        let kept = match bytes {
            0 => String::new(),
            bytes => format!("  {} in the trash", human(bytes)),
        };
        output.line(&format!(
            "{}{}",
            past.cycle,
            output.tone(Tone::Quiet, &kept)
        ))?;
        for (name, side) in sides.iter().zip([&past.host, &past.container]) {
            if let Some(side) = side {
                past_side(name, side, output)?;
            }
        }
    }
    Ok(())
}

fn past_side(name: &str, side: &PastSide, output: Output) -> Result<(), Failure> {
    for change in side.changes.iter().take(PLACES) {
        output.line(&format!(
            "  {:7}  {name}  {}",
            change.was,
            plain(&change.path)
        ))?;
    }
    let told = side.changes.len().min(PLACES) as u64;
    match side.places.saturating_sub(told) {
        0 => Ok(()),
        more => output.line(&format!("  and {more} more on {name}")),
    }
}

/// What came of a wish.
#[derive(Serialize)]
pub(super) struct Done {
    /// Under which name it is in the history, and can be taken back.
    cycle: String,
    /// Places that were changed on either side.
    changed: usize,
    /// Where the container's version is kept, when both are.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
    /// What stays as it is, and why.
    #[serde(skip)]
    left: Vec<Event>,
}

impl Done {
    pub(super) fn resolved(resolved: &Resolved, sides: Sides) -> Self {
        Self {
            beside: resolved.beside.as_ref().map(ToString::to_string),
            ..Self::new(&resolved.cycle, sides)
        }
    }

    pub(super) fn undone(undone: &Undone, sides: Sides) -> Self {
        let mut done = Self::new(&undone.cycle, sides);
        let refused = [
            (sides[0], &undone.refused.host),
            (sides[1], &undone.refused.container),
        ];
        for (name, places) in refused {
            let event = |path: &RelPath| {
                let event = Event::new("kept", path).on(name);
                event.because("it has changed since")
            };
            done.left.extend(places.iter().map(event));
        }
        done
    }

    fn new(cycle: &mizzen_sync::Cycle, sides: Sides) -> Self {
        let failed = cycle.failures().map(|(side, failure)| {
            let event = Event::new("failed", &failure.path);
            event.on(name(sides, side)).because(&failure.why)
        });
        Self {
            cycle: cycle.id.to_string(),
            changed: cycle.applied.host.done.len() + cycle.applied.container.done.len(),
            beside: None,
            left: failed.collect(),
        }
    }

    /// Whether it came about everywhere.
    pub(super) fn is_whole(&self) -> bool {
        self.left.is_empty()
    }
}

/// Prints what came of a wish, which is named in the past tense.
pub(super) fn done(word: &str, done: &Done, sides: Sides, output: Output) -> Result<(), Failure> {
    super::report::print(&done.left, output)?;
    if output.json {
        return output.object(&serde_json::json!({ word: done }));
    }
    if let Some(beside) = &done.beside {
        output.line(&format!(
            "The version of {} is kept as {}.",
            sides[1],
            plain(beside)
        ))?;
    }
    let places = match done.changed {
        0 => return output.line("Nothing to do."),
        1 => "1 place".to_owned(),
        places => format!("{places} places"),
    };
    let mut first = word.chars();
    let word: String = first
        .next()
        .map(|c| c.to_ascii_uppercase())
        .into_iter()
        .chain(first)
        .collect();
    output.line(&format!(
        "{word} at {places}; `undo {}` takes that back.",
        done.cycle
    ))
}

/// How a place stands.
#[derive(Serialize)]
pub(super) struct StandingView {
    path: String,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl StandingView {
    pub(super) fn new(path: &RelPath, standing: &Standing, sides: Sides) -> Self {
        let view = |standing: &'static str| Self {
            path: path.to_string(),
            standing,
            at: None,
            side: None,
            why: None,
        };
        let at = |at: &RelPath| (at != path).then(|| at.to_string());
        match standing {
            Standing::KeptBack { at: entry, why } => Self {
                at: at(entry),
                why: Some(why.to_string()),
                ..view("not carried")
            },
            Standing::Temporary => Self {
                why: Some("it is one of Mizzen's own".to_owned()),
                ..view("not carried")
            },
            Standing::Conflict(entry) => Self {
                at: at(entry),
                why: Some("changed on both sides".to_owned()),
                ..view("conflict")
            },
            Standing::Problem {
                at: entry,
                side,
                why,
            } => Self {
                at: at(entry),
                side: Some(name(sides, *side)),
                why: Some(why.to_string()),
                ..view("problem")
            },
            Standing::Failed {
                at: entry,
                side,
                why,
            } => Self {
                at: at(entry),
                side: Some(name(sides, *side)),
                why: Some(why.clone()),
                ..view("failed")
            },
            Standing::Pending(side) => Self {
                side: Some(name(sides, *side)),
                why: Some("the next cycle changes it there".to_owned()),
                ..view("pending")
            },
            Standing::Merging => Self {
                why: Some("the next cycle merges what both sides changed".to_owned()),
                ..view("pending")
            },
            Standing::Partly {
                conflicts,
                problems,
                pending,
            } => Self {
                why: Some(partly(*conflicts, *problems, *pending)),
                ..view("not all in step")
            },
            Standing::InStep => view("in step"),
            Standing::Left => Self {
                why: Some("the sides differ, and the mode leaves it so".to_owned()),
                ..view("left")
            },
            Standing::Nowhere => Self {
                why: Some("neither side has it".to_owned()),
                ..view("nowhere")
            },
        }
    }
}

fn partly(conflicts: usize, problems: usize, pending: usize) -> String {
    let counts = [
        (conflicts, "conflict", "conflicts"),
        (problems, "problem", "problems"),
        (pending, "change to come", "changes to come"),
    ];
    let parts = counts
        .into_iter()
        .filter_map(|(count, one, many)| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        });
    format!("{} in it", parts.collect::<Vec<_>>().join(", "))
}

/// Prints how a place stands.
pub(super) fn standing(view: &StandingView, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.object(view);
    }
    let on = view
        .side
        .map(|side| format!(" on {side}"))
        .unwrap_or_default();
    let at = view
        .at
        .as_ref()
        .map(|at| format!(" by {at}"))
        .unwrap_or_default();
    let why = view
        .why
        .as_ref()
        .map(|why| format!(": {why}"))
        .unwrap_or_default();
    output.line(&plain(&format!(
        "{}: {}{on}{at}{why}.",
        view.path, view.standing
    )))
}

fn name(sides: Sides, side: Side) -> &'static str {
    match side {
        Side::Host => sides[0],
        Side::Container => sides[1],
    }
}

/// A time without what nobody reads.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
