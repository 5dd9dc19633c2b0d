//! `mizzen contexts`: questions to the core's mirror, and what it answers.

use jiff::Timestamp;
use mizzen_core::Client;
use mizzen_core::view::{
    ContextChangeView, ContextEndView, ContextState, ContextTrashView, ContextView, ContextsAnswer,
    ContextsQuestion, ContextsSide, ContextsState, ContextsView,
};

use serde::Serialize;

use crate::args::{Contexts, Decide, Held, Restore};
use crate::output::{Cell, Failure, Output, Tone, columns, plain};

/// What a wish prints as JSON.
#[derive(Serialize)]
struct Done<'a> {
    message: String,
    contexts: &'a ContextsView,
}

/// Exit codes: not all could be carried over; and something waits for a person.
const LEFT: u8 = 1;
const WAITS: u8 = 3;

pub(super) async fn run(client: &Client, args: Contexts, output: Output) -> Result<(), Failure> {
    let only_holds = matches!(args, Contexts::Hold { decide: None });
    let is_wish = !matches!(args, Contexts::Status | Contexts::Hold { decide: None });
    match client.ask_contexts(question(args)).await? {
        ContextsAnswer::Status(view) => {
            match (output.json, only_holds) {
                (true, true) => output.object(&view.holds)?,
                (true, false) => output.object(&view)?,
                (false, true) => holds(&view, output)?,
                (false, false) => status(&view, output)?,
            }
            code(&view, is_wish)
        }
        ContextsAnswer::History(changes) if output.json => output.object(&changes),
        ContextsAnswer::History(changes) => history(&changes, output),
        ContextsAnswer::Trash(versions) if output.json => output.object(&versions),
        ContextsAnswer::Trash(versions) => trash(&versions, output),
        ContextsAnswer::Done { message, contexts } => {
            if output.json {
                let contexts = &contexts;
                output.object(&Done { message, contexts })?;
            } else {
                output.line(&plain(&message))?;
                waits(&contexts, output);
            }
            code(&contexts, is_wish)
        }
    }
}

fn question(args: Contexts) -> ContextsQuestion {
    let id = |held: Held| held.id.filter(|_| !held.all);
    match args {
        Contexts::Setup => ContextsQuestion::Setup,
        Contexts::Status | Contexts::Hold { decide: None } => ContextsQuestion::Status,
        Contexts::Sync => ContextsQuestion::Sync,
        Contexts::History { limit } => ContextsQuestion::History { limit },
        Contexts::Undo { id } => ContextsQuestion::Undo { id },
        Contexts::Hold {
            decide: Some(Decide::Approve(held)),
        } => ContextsQuestion::Approve { id: id(held) },
        Contexts::Hold {
            decide: Some(Decide::Drop(held)),
        } => ContextsQuestion::Drop { id: id(held) },
        Contexts::Trash { restore: None } => ContextsQuestion::Trash,
        Contexts::Trash {
            restore: Some(Restore::Restore { id }),
        } => ContextsQuestion::Restore { id },
    }
}

/// A wish has not come about where something could not be carried over; a look has.
fn code(view: &ContextsView, is_wish: bool) -> Result<(), Failure> {
    match view.state {
        ContextsState::Held | ContextsState::Halted => Err(Failure::ExitCode(WAITS)),
        ContextsState::Damaged if is_wish => Err(Failure::ExitCode(LEFT)),
        _ => Ok(()),
    }
}

fn status(view: &ContextsView, output: Output) -> Result<(), Failure> {
    let (tone, word) = match view.state {
        ContextsState::Off => (Tone::Quiet, "not set up"),
        ContextsState::InStep => (Tone::Good, "in step"),
        ContextsState::Working => (Tone::Busy, "working"),
        ContextsState::Held => (Tone::Bad, "waits for you"),
        ContextsState::Damaged => (Tone::Bad, "damaged"),
        ContextsState::Halted => (Tone::Bad, "stopped"),
    };
    output.line(&output.tone(tone, word))?;
    for text in [&view.reason, &view.hint, &view.polling]
        .into_iter()
        .flatten()
    {
        output.line(&plain(text))?;
    }
    for side in [&view.host, &view.container] {
        if let Some(problem) = &side.problem {
            output.line(&plain(&format!("! {problem}")))?;
        }
    }
    if !view.contexts.is_empty() {
        let titles = ["NAME", "STATE", "HOST", "CONTAINER", "KEYS IN CONTAINERS"];
        let mut rows = vec![
            titles
                .map(|title| Cell::toned(output, Tone::Quiet, title))
                .to_vec(),
        ];
        rows.extend(
            view.contexts
                .iter()
                .map(|context| row(context, view, output)),
        );
        columns(&rows)
            .iter()
            .try_for_each(|line| output.line(line))?;
    }
    // What waits or is damaged is told above.
    let of_rest = view.contexts.iter().filter(|one| {
        let rests = [ContextState::NotSynced, ContextState::InStep];
        rests.contains(&one.state)
    });
    let mut words = of_rest.filter_map(|one| one.reason.as_ref());
    words.try_for_each(|reason| output.line(&plain(reason)))
}

fn row(context: &ContextView, view: &ContextsView, output: Output) -> Vec<Cell> {
    let (tone, word) = match context.state {
        ContextState::InStep => (Tone::Good, "in step"),
        ContextState::Pending => (Tone::Busy, "pending"),
        ContextState::Held => (Tone::Bad, "waits for you"),
        ContextState::Quarantined => (Tone::Bad, "damaged"),
        ContextState::Ghost => (Tone::Bad, "ghost"),
        ContextState::NotSynced => (Tone::Quiet, "not synced"),
        ContextState::Special => (Tone::Quiet, "each its own"),
    };
    let keys = context
        .container
        .as_ref()
        .map(|end| end.tls.join(" "))
        .unwrap_or_default();
    let current = |of: &Option<String>| of.as_deref() == Some(&context.name);
    vec![
        Cell::new(&context.name),
        Cell::toned(output, tone, word),
        Cell::new(&end(context.host.as_ref(), current(&view.host.current))),
        Cell::new(&end(
            context.container.as_ref(),
            current(&view.container.current),
        )),
        Cell::new(&keys),
    ]
}

fn end(end: Option<&ContextEndView>, is_current: bool) -> String {
    let Some(end) = end else {
        return "-".to_owned();
    };
    let marks = [
        (is_current, "current"),
        (end.endpoint_problem.is_some(), "cannot be used"),
        (end.skip_tls_verify, "believes anybody"),
        (end.host_only && end.endpoint_problem.is_none(), "host-only"),
    ];
    let marks: Vec<&str> = marks
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| mark)
        .collect();
    match &*marks {
        [] => end.endpoint.clone(),
        marks => format!("{} ({})", end.endpoint, marks.join(", ")),
    }
}

fn holds(view: &ContextsView, output: Output) -> Result<(), Failure> {
    if view.holds.is_empty() {
        output.note("Nothing waits for you.");
    }
    for hold in &view.holds {
        output.line(&plain(&format!("{}  {}", hold.id, hold.message)))?;
        output.line(&plain(&format!("            {}", hold.hint)))?;
    }
    Ok(())
}

/// What is left for the person goes to standard error.
fn waits(view: &ContextsView, output: Output) {
    if matches!(
        view.state,
        ContextsState::Held | ContextsState::Halted | ContextsState::Damaged
    ) {
        for text in [&view.reason, &view.hint].into_iter().flatten() {
            output.note(&plain(&format!("! {text}")));
        }
    }
}

fn history(changes: &[ContextChangeView], output: Output) -> Result<(), Failure> {
    if changes.is_empty() {
        output.note("Nothing was carried over yet.");
        return Ok(());
    }
    let rows = changes.iter().map(|change| {
        let undo = if change.undoable {
            ""
        } else {
            "cannot be undone"
        };
        vec![
            Cell::new(&change.id.to_string()),
            Cell::toned(output, Tone::Quiet, &second(&change.at)),
            Cell::new(&change.message),
            Cell::toned(output, Tone::Quiet, undo),
        ]
    });
    let rows: Vec<_> = rows.collect();
    columns(&rows).iter().try_for_each(|line| output.line(line))
}

fn trash(versions: &[ContextTrashView], output: Output) -> Result<(), Failure> {
    if versions.is_empty() {
        output.note("The trash is empty.");
        return Ok(());
    }
    let titles = ["ID", "NAME", "FROM", "WHEN", "ENDPOINT", "WHY"];
    let mut rows = vec![
        titles
            .map(|title| Cell::toned(output, Tone::Quiet, title))
            .to_vec(),
    ];
    rows.extend(versions.iter().map(|version| {
        let side = match version.side {
            ContextsSide::Host => "host",
            ContextsSide::Container => "container",
        };
        let at = second(&version.at);
        let cells = [
            &*version.id,
            &version.context,
            side,
            &at,
            &version.endpoint,
            &version.reason,
        ];
        cells.map(Cell::new).to_vec()
    }));
    columns(&rows).iter().try_for_each(|line| output.line(line))
}

/// A time without fractions of a second.
fn second(at: &str) -> String {
    let time = at.parse::<Timestamp>();
    time.map_or_else(
        |_| at.to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
