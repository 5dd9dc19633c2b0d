//! What a sync did, and what it leaves to a person.

use mizzen_sync::Cycle;
use mizzen_sync_core::{RelPath, sized};
use serde::Serialize;

use super::answer::FOLDERS;
use crate::output::{Cell, Failure, Output, Tone, columns, plain};

/// What all cycles of a run came to.
#[derive(Default, Serialize)]
pub(super) struct Summary {
    pub(super) cycles: u32,
    /// Entries that both sides have.
    pub(super) scanned: u64,
    transferred_files: u64,
    transferred_bytes: u64,
    /// Files whose contents were there already, under another name.
    reused_files: u64,
    deleted: u64,
    merged: u64,
    conflicts: u64,
    problems: u64,
    /// Cycles after the first.
    retries: u32,
    pub(super) duration_ms: f64,
}

impl Summary {
    pub(super) fn add(&mut self, cycle: &Cycle) {
        for applied in [&cycle.applied.host, &cycle.applied.container] {
            self.transferred_files += applied.files;
            self.transferred_bytes += applied.bytes;
            self.reused_files += applied.reused;
        }
        self.cycles += 1;
        self.retries = self.cycles - 1;
        self.deleted += cycle.deleted;
        self.merged += cycle.merged.len() as u64;
        self.conflicts = cycle.conflicts.len() as u64;
        self.problems = cycle.problems.len() as u64 + cycle.failures().count() as u64;
    }
}

/// One line of what is left, or of what would be done.
#[derive(Serialize)]
pub(super) struct Event {
    event: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Event {
    pub(super) fn new(event: &str, path: &RelPath) -> Self {
        Self::named(event, &path.to_string())
    }

    /// Of a place by its name.
    pub(super) fn named(event: &str, path: &str) -> Self {
        Self {
            event: event.to_owned(),
            path: path.to_owned(),
            side: None,
            why: None,
        }
    }

    /// On a side, by its name.
    pub(super) fn on(self, side: &'static str) -> Self {
        Self {
            side: Some(side),
            ..self
        }
    }

    pub(super) fn because(self, why: impl ToString) -> Self {
        Self {
            why: Some(why.to_string()),
            ..self
        }
    }

    /// On a line of its own, where there are no columns to stand in.
    fn line(&self) -> String {
        let words = [
            Some(&*self.event),
            self.side,
            Some(&self.path),
            self.why.as_deref(),
        ];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        plain(&words.join("  "))
    }

    fn row(&self, output: Output) -> Vec<Cell> {
        let tone = match &*self.event {
            "conflict" | "problem" | "failed" | "tripwire" => Tone::Bad,
            "create" | "merged" => Tone::Good,
            "replace" => Tone::Busy,
            _ => Tone::Quiet,
        };
        vec![
            Cell::toned(output, tone, &self.event),
            Cell::new(self.side.unwrap_or("")),
            Cell::new(&self.path),
            Cell::toned(output, Tone::Quiet, self.why.as_deref().unwrap_or("")),
        ]
    }
}

/// Tells of one cycle after the other, and of each thing once.
pub(super) struct Reporter {
    output: Output,
    /// What the last cycle left, and what was said of it.
    last: Vec<String>,
    trouble: Option<String>,
    is_first: bool,
}

impl Reporter {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            last: Vec::new(),
            trouble: None,
            is_first: true,
        }
    }

    pub(super) fn cycle(&mut self, cycle: &Cycle) -> Result<(), Failure> {
        self.trouble = None;
        let mut summary = Summary::default();
        summary.add(cycle);
        let moved = summary.transferred_files + summary.reused_files + summary.deleted;
        let left: Vec<String> = events(cycle).iter().map(Event::line).collect();
        for polling in [&cycle.polling.host, &cycle.polling.container] {
            if let (Some(why), true) = (polling, self.is_first) {
                self.output
                    .note(&format!("mizzen: degraded: polling: {why}"));
            }
        }
        for line in left.iter().filter(|line| !self.last.contains(line)) {
            self.output.line(line)?;
        }
        self.last = left;
        if self.output.json {
            self.output
                .object(&serde_json::json!({ "cycle": summary }))?;
        } else if moved + summary.merged > 0 || self.is_first {
            self.output.line(&in_words(&summary))?;
        }
        self.is_first = false;
        Ok(())
    }

    /// A failure that is tried again.
    pub(super) fn trouble(&mut self, why: &str) -> Result<(), Failure> {
        if self.trouble.as_deref() != Some(why) {
            self.output
                .note(&format!("mizzen: {why}. It is tried again."));
            self.trouble = Some(why.to_owned());
        }
        Ok(())
    }
}

/// Prints what a run left to a person.
pub(super) fn cycle(cycle: &Cycle, output: Output) -> Result<(), Failure> {
    print(&events(cycle), output)
}

fn events(cycle: &Cycle) -> Vec<Event> {
    let mut events = Vec::new();
    for path in &cycle.merged {
        events.push(Event::new("merged", path));
    }
    for conflict in &cycle.conflicts {
        events.push(Event::new("conflict", &conflict.path).because("changed on both sides"));
    }
    for problem in &cycle.problems {
        let event = Event::new("problem", &problem.path);
        events.push(event.on(problem.side.of(FOLDERS)).because(problem.why));
    }
    for (side, failure) in cycle.failures() {
        let event = Event::new("failed", &failure.path);
        events.push(event.on(side.of(FOLDERS)).because(&failure.why));
    }
    for path in &cycle.tripwires {
        let why = "came from a container, and tools here may run it without asking";
        events.push(Event::new("tripwire", path).because(why));
    }
    for path in &cycle.withheld {
        events.push(Event::new("withheld", path).because("its name says that it holds secrets"));
    }
    events
}

pub(super) fn print(events: &[Event], output: Output) -> Result<(), Failure> {
    if output.json {
        return events.iter().try_for_each(|event| output.object(event));
    }
    let rows: Vec<_> = events.iter().map(|event| event.row(output)).collect();
    columns(&rows).iter().try_for_each(|line| output.line(line))
}

/// Prints the end of a run.
pub(super) fn summary(summary: &Summary, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.object(&serde_json::json!({ "summary": summary }));
    }
    output.line(&in_words(summary))
}

fn in_words(summary: &Summary) -> String {
    let mut parts = Vec::new();
    let mut count = |number: u64, one: &str, many: &str| {
        if number > 0 {
            let noun = if number == 1 { one } else { many };
            parts.push(format!("{number} {noun}"));
        }
    };
    count(summary.transferred_files, "file copied", "files copied");
    count(
        summary.reused_files,
        "moved or copied in place",
        "moved or copied in place",
    );
    count(summary.merged, "merged", "merged");
    count(summary.deleted, "deleted", "deleted");
    count(summary.conflicts, "conflict", "conflicts");
    count(summary.problems, "problem", "problems");
    let state = if summary.conflicts + summary.problems == 0 {
        "In step"
    } else {
        "Not all in step"
    };
    let what = match parts.is_empty() {
        true => "nothing to do".to_owned(),
        false => parts.join(", "),
    };
    let size = match summary.transferred_bytes {
        0 => String::new(),
        bytes => format!(" ({})", sized(bytes)),
    };
    let seconds = summary.duration_ms / 1e3;
    let all = match summary.scanned {
        0 => String::new(),
        1 => format!("; 1 entry in {seconds:.2} s"),
        entries => format!("; {entries} entries in {seconds:.2} s"),
    };
    format!("{state}: {what}{size}{all}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_only_what_happened() {
        let nothing = Summary {
            scanned: 7,
            ..Summary::default()
        };
        assert_eq!(
            in_words(&nothing),
            "In step: nothing to do; 7 entries in 0.00 s."
        );
        let much = Summary {
            scanned: 7,
            transferred_files: 2,
            transferred_bytes: 4096,
            deleted: 1,
            conflicts: 1,
            duration_ms: 1500.0,
            ..Summary::default()
        };
        assert_eq!(
            in_words(&much),
            "Not all in step: 2 files copied, 1 deleted, 1 conflict (4 KiB); 7 entries in 1.50 s."
        );
    }
}
