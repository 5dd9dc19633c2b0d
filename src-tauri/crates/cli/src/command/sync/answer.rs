//! What a link answers to a person: as plain values, and in words.
//!
//! It is the same whether the link is of two folders or of a session; only the names of its sides differ.

use jiff::Timestamp;
use mizzen_core::view::{
    ConflictView, LeftView, PastCycleView, PastSideView, PlanStepView, PlanView, StandingView,
    SyncAnswer, SyncDone, SyncSide, VersionView,
};
use mizzen_sync_core::{Side, sized};

use super::report::Event;
use crate::output::{Failure, Output, Tone, plain};

/// So many places of one cycle are told of in words.
const PLACES: usize = 5;

/// What the host and the container are called.
pub(super) type Sides = [&'static str; 2];

/// Two folders, in the order in which they were named.
pub(super) const FOLDERS: Sides = ["A", "B"];
/// A session's folder and its workspace.
pub(super) const SESSION: Sides = [Side::Host.word(), Side::Container.word()];

/// Prints an answer; to a wish, by its word. Says whether nothing is left to a person.
pub(super) fn print(
    answer: &SyncAnswer,
    word: &str,
    sides: Sides,
    output: Output,
) -> Result<bool, Failure> {
    match answer {
        SyncAnswer::Conflicts(disputes) => {
            conflicts(disputes, sides, output)?;
            Ok(disputes.is_empty())
        }
        SyncAnswer::Plan(view) => plan(view, sides, output).map(|()| true),
        SyncAnswer::History(past) => history(past, sides, output).map(|()| true),
        SyncAnswer::Standing(view) => standing(view, sides, output).map(|()| true),
        SyncAnswer::Done(wish) => {
            done(word, wish, sides, output)?;
            Ok(wish.left.is_empty())
        }
    }
}

/// A version in words.
fn in_words(version: &VersionView) -> String {
    let size = version.size.map(sized);
    let entries = version.entries.map(|entries| format!("{entries} in it"));
    let modified = version.modified.as_deref();
    let time = modified.and_then(|time| time.parse().ok());
    let time = time.map(|time| format!("of {}", seconds(time)));
    let kind = Some(plain(&version.kind));
    let words = [kind, size, entries, time];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Prints conflicts.
fn conflicts(disputes: &[ConflictView], sides: Sides, output: Output) -> Result<(), Failure> {
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
            let version = version.as_ref().map_or("nothing".to_owned(), in_words);
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

/// Prints what would be done.
pub(super) fn plan(view: &PlanView, sides: Sides, output: Output) -> Result<(), Failure> {
    let event = |step: &PlanStepView| {
        let event = Event::named(&step.what, &step.path);
        let event = match step.side {
            Some(side) => event.on(name(sides, side)),
            None => event,
        };
        match &step.why {
            Some(why) => event.because(why),
            None => event,
        }
    };
    let events: Vec<Event> = view.steps.iter().map(event).collect();
    if output.json {
        super::report::print(&events, output)?;
        let rest = (view.more > 0).then(|| serde_json::json!({ "more": view.more }));
        let halt = view.halt.as_ref();
        let halt = halt.map(|halt| serde_json::json!({ "halt": halt }));
        return rest
            .iter()
            .chain(&halt)
            .try_for_each(|it| output.object(it));
    }
    if let Some(halt) = &view.halt {
        let word = output.tone(Tone::Bad, "halt");
        output.line(&format!("{word}  it would ask first: {}", plain(halt)))?;
    }
    if events.is_empty() && view.halt.is_none() {
        return output.line("In step: nothing to do.");
    }
    super::report::print(&events, output)?;
    match view.more {
        0 => Ok(()),
        more => output.line(&format!("and {more} more")),
    }
}

/// Prints cycles of the past.
fn history(past: &[PastCycleView], sides: Sides, output: Output) -> Result<(), Failure> {
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
            bytes => format!("  {} in the trash", sized(bytes)),
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

fn past_side(name: &str, side: &PastSideView, output: Output) -> Result<(), Failure> {
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

/// Prints what came of a wish, which is named in the past tense.
fn done(word: &str, done: &SyncDone, sides: Sides, output: Output) -> Result<(), Failure> {
    let left = done.left.iter().map(|left| left_event(left, sides));
    super::report::print(&left.collect::<Vec<_>>(), output)?;
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

/// Prints how a place stands.
fn standing(view: &StandingView, sides: Sides, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.object(view);
    }
    let on = view
        .side
        .map(|side| format!(" on {}", name(sides, side)))
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

/// A place that stays as it is.
fn left_event(left: &LeftView, sides: Sides) -> Event {
    let event = if left.failed { "failed" } else { "kept" };
    Event::named(event, &left.path)
        .on(name(sides, left.side))
        .because(&left.why)
}

fn name(sides: Sides, side: SyncSide) -> &'static str {
    match side {
        SyncSide::Host => sides[0],
        SyncSide::Container => sides[1],
    }
}

/// A time without what nobody reads.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
