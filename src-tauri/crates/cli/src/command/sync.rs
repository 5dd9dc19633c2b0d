//! `mizzen sync`: two folders kept in step, without a session.

mod answer;
mod ask;
mod elsewhere;
mod known;
mod pair;
mod report;
mod session;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mizzen_core::verb::{ApiError, ErrorCode};
use mizzen_sync::told::Progress;
use mizzen_sync::{
    Both, CycleError, Durability, Folders, FoldersError, INTERVAL, Joining, Link, LinkOptions,
    LocalOptions, Order, SyncSettings, told,
};

use crate::args::{Sync, SyncHow, SyncRun};
use crate::connect;
use crate::output::{Failure, Output, failed};
use crate::progress::Line;

use elsewhere::Way;
use pair::Pair;
use report::Summary;

/// A file that somebody is writing is looked at again; one that is always written to stays as it is.
const CYCLES: u32 = 4;

/// Exit codes: not all is in step; and it failed, which 1 cannot say here.
const LEFT: u8 = 1;
const FAILED: u8 = 4;

/// How a person agrees to what has stopped it.
const AGREE: &str = "run it again with --force.";

pub(super) fn run(args: Sync, output: Output) -> Result<(), Failure> {
    match (args.verb, args.run) {
        (Some(verb), _) => ask::run(verb, output),
        (None, Some(run)) => come_in_step(&run, &args.how, output),
        (None, None) => Err(failed(
            ErrorCode::Usage,
            "What is to be synced?",
            "Name two folders, with --once, --watch or --dry-run.",
        )),
    }
}

/// Two folders joined, and the ways to those that lie in containers.
struct Joined {
    folders: Folders,
    /// How far a cycle is.
    line: Line,
    _ways: [Option<Way>; 2],
}

/// Joins two folders; tells what the settings of the one that says what is carried say as well.
fn open(
    sides: [&Path; 2],
    how: &SyncHow,
    output: Output,
) -> Result<(Joined, SyncSettings), Failure> {
    let config = connect::world()?;
    let state = config.dirs.state.join("sync");
    let mut pair = Pair::reach(&config, sides)?;
    let (ruler, settings) = pair.rules(how)?;
    let mut local = LocalOptions::of(&settings, umask());
    if how.no_fsync {
        local.durability = Durability::None;
    }
    let [id, reversed] = pair.links();
    let options = LinkOptions {
        names: answer::FOLDERS,
        ..LinkOptions::of(&settings, pair.is_any_elsewhere())
    };
    let opened = Folders::join(Joining {
        ends: pair.ends(id, &local),
        names: pair.names(),
        id,
        reversed: Some(reversed),
        state: &state,
        options,
        local: &local,
        ruler,
    });
    let mut folders = opened.map_err(|error| not_opened(&error))?;
    let line = Line::new(output);
    let drawn = line.clone();
    let draw = move |progress: Progress| drawn.show(&format!("{progress}, {}", progress.rate()));
    folders.link.tell_progress(draw);
    for aside in &folders.set_aside {
        let (file, why) = (aside.file.display(), &aside.why);
        output.note(&format!(
            "mizzen: what both agreed on is not known any more ({why}; kept as {file}). Nothing is deleted this time, \
             and what differs is a conflict."
        ));
    }
    let joined = Joined {
        folders,
        line,
        _ways: pair.ways,
    };
    Ok((joined, settings))
}

fn come_in_step(args: &SyncRun, how: &SyncHow, output: Output) -> Result<(), Failure> {
    let started = Instant::now();
    let sides = [&*args.host, &*args.container];
    let (mut joined, settings) = open(sides, how, output)?;
    let (folders, line) = (&mut joined.folders, &joined.line);
    if args.dry_run {
        return dry_run(&mut folders.link, output);
    }
    if args.watch {
        let interval = args.interval.map(Duration::from_secs).or(settings.interval);
        let interval = interval.unwrap_or(INTERVAL);
        return watch(folders, line, interval, args.force, output);
    }
    let mut summary = Summary::default();
    let last = loop {
        let cycle = folders.link.cycle(&Both::everything(), args.force);
        line.clear();
        let cycle = cycle.map_err(|error| ended(&error))?;
        summary.add(&cycle);
        if summary.cycles == CYCLES || !cycle.met_changes() {
            break cycle;
        }
    };
    folders.link.rest();
    summary.scanned = folders.link.base().map_or(0, |base| base.count() - 1);
    summary.duration_ms = started.elapsed().as_secs_f64() * 1e3;
    report::cycle(&last, output)?;
    report::summary(&summary, output)?;
    let is_in_step = last.is_in_step();
    // The system takes the memory of a program that ends as a whole: sooner than it is given back entry by entry.
    std::mem::forget((joined.folders.link, last));
    match is_in_step {
        true => Ok(()),
        false => Err(Failure::ExitCode(LEFT)),
    }
}

/// Says what would be done, however much that is.
fn dry_run(link: &mut Link, output: Output) -> Result<(), Failure> {
    let outcome = link.plan(&Both::everything());
    let outcome = outcome.map_err(|error| ended(&error))?;
    let halt = link.halt(&outcome).map_err(|error| ended(&error))?;
    let halt = halt.map(|halt| halt.told(answer::FOLDERS));
    let plan = told::Plan::new(&outcome, halt, usize::MAX);
    answer::plan(&plan.into(), answer::FOLDERS, output)
}

/// Goes on until it is interrupted, or stopped for a person.
fn watch(
    folders: &mut Folders,
    line: &Line,
    interval: Duration,
    consent: bool,
    output: Output,
) -> Result<(), Failure> {
    let (ordered, orders) = mpsc::channel();
    if consent {
        let _ = ordered.send(Order::Consent);
    }
    let mut result = Ok(());
    let mut reporter = report::Reporter::new(output);
    let kept = folders.link.keep(interval, &ordered, &orders, |cycle| {
        line.clear();
        let told = match cycle {
            Ok(cycle) => reporter.cycle(cycle),
            Err(error @ CycleError::Halted(_)) => Err(ended(error)),
            Err(error) => reporter.trouble(&error.told(answer::FOLDERS)),
        };
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                result = Err(failure);
                ControlFlow::Break(())
            }
        }
    });
    kept.map_err(|error| did_not_work(&format!("{error}."), "Close other programs."))?;
    result
}

#[cfg(unix)]
fn umask() -> u32 {
    use rustix::fs::Mode;
    use rustix::process::umask;
    // It can only be read by setting it.
    let before = umask(Mode::RWXG | Mode::RWXO);
    umask(before);
    #[allow(
        clippy::useless_conversion,
        reason = "the width of a mode differs between systems"
    )]
    before.bits().into()
}

#[cfg(not(unix))]
fn umask() -> u32 {
    0
}

fn not_opened(error: &FoldersError) -> Failure {
    let hint = match error {
        FoldersError::Root(_) => "Name two folders that exist and that you may read.",
        FoldersError::Nested(..) => "Name two folders of which neither lies in the other.",
        FoldersError::Lock(_) => "Wait for the other one, or end it.",
        FoldersError::Rules(_) => "Mend the file that is named.",
        FoldersError::Links => "Say `symlinks = \"portable\"` or `\"ignore\"` in mizzen.toml.",
        FoldersError::Elsewhere(_) => "Look whether its container runs.",
        FoldersError::State(_) | FoldersError::Trash(_) => {
            "Check the permissions of Mizzen's state folder."
        }
    };
    let message = format!("{error}.");
    match error {
        FoldersError::Root(_)
        | FoldersError::Nested(..)
        | FoldersError::Links
        | FoldersError::Rules(_) => failed(ErrorCode::Usage, message, hint),
        FoldersError::Lock(_) => failed(ErrorCode::State, message, hint),
        FoldersError::State(_) | FoldersError::Trash(_) | FoldersError::Elsewhere(_) => {
            did_not_work(&message, hint)
        }
    }
}

fn did_not_work(message: &str, hint: &str) -> Failure {
    Failure::Coded(ApiError::new(ErrorCode::Failed, message, hint), FAILED)
}

/// A person has to say how to go on.
fn stopped(why: &str, hint: &str) -> Failure {
    failed(ErrorCode::NeedsPerson, format!("Stopped: {why}."), hint)
}

fn ended(error: &CycleError) -> Failure {
    let why = error.told(answer::FOLDERS);
    match error {
        CycleError::Halted(halt) => stopped(&why, &halt.hint(AGREE)),
        CycleError::Look(..)
        | CycleError::Apply(..)
        | CycleError::Rules(_)
        | CycleError::Base(_) => did_not_work(
            &format!("{why}."),
            "Nothing is lost; mend the cause and run it again.",
        ),
    }
}
