//! Everything that CI checks, cheapest first, with one closing line for all runners.

mod suites;
mod tally;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Result;
use cargo_metadata::{Metadata, MetadataCommand};

use crate::image::{self, Image};
use crate::{bindings, product, tool};
use suites::LINUX_ONLY;
use tally::{Runner, Tally};

/// Areas of tests/ that drive whole programs; they run after all others, in this order.
const LATE: [&str; 3] = ["desktop", "browser", "journeys"];

struct Step {
    name: String,
    action: Action,
}

enum Action {
    /// Later steps cannot run without it, so its failure ends the run.
    Build(Box<dyn Fn() -> Result<()>>),
    /// Right or wrong, later steps still tell something.
    Check(Box<dyn Fn() -> Result<()>>),
    /// A test runner, whose closing lines are counted.
    Tests(Runner, Command),
}

/// Runs all steps. What came of them is the last line, so a failure is only told by the code.
pub(crate) fn run() -> Result<ExitCode> {
    let metadata = MetadataCommand::new()
        .current_dir(tool::root())
        .no_deps()
        .exec()?;
    // What an earlier run exported would hide that a type is gone.
    if bindings_folder().exists() {
        std::fs::remove_dir_all(bindings_folder())?;
    }
    let mut total = Tally::default();
    let mut times = Vec::new();
    for step in steps(&metadata) {
        println!("\n=== {}", step.name);
        let started = Instant::now();
        let essential = matches!(step.action, Action::Build(_));
        let result = carry_out(step.action);
        times.push((step.name, started.elapsed(), result.failed == 0));
        let stop = essential && result.failed > 0;
        total.add(result);
        if stop {
            println!("the steps after this one need it, so none of them ran");
            break;
        }
    }
    print_times(&times);
    println!("{total}");
    Ok(ExitCode::from(u8::from(total.failed > 0)))
}

fn steps(metadata: &Metadata) -> Vec<Step> {
    let mut steps = vec![
        check("format", || {
            tool::run(&mut tool::command("cargo", &["fmt", "--all", "--check"]))
        }),
        build("page: packages", product::install_page_packages),
        check("page: types and style", || npm("check")),
        tests("page: units", (Runner::Vitest, npm_command("test"))),
        check("clippy", clippy),
    ];
    if cfg!(target_os = "linux") {
        steps.extend([
            build("programs", || product::build("dev")),
            build("tiny image", || image::ensure(Image::Tiny).map(drop)),
        ]);
    }
    steps.extend([
        tests("units", suites::units(metadata)),
        tests("this tool", suites::this_tool()),
        check("bindings", || bindings::compare(&bindings_folder())),
    ]);
    if cfg!(target_os = "linux") {
        steps.extend([
            check("scripts", shellcheck),
            tests(
                "page: in a browser",
                (Runner::Vitest, npm_command("test:e2e")),
            ),
            build("full image", || image::ensure(Image::Full).map(drop)),
            tests("engine", suites::all_areas_but(metadata, &LATE)),
        ]);
        steps.extend(LATE.map(|area| tests(area, suites::area(area))));
    }
    steps
}

fn build(name: &str, action: impl Fn() -> Result<()> + 'static) -> Step {
    Step {
        name: name.to_owned(),
        action: Action::Build(Box::new(action)),
    }
}

fn check(name: &str, action: impl Fn() -> Result<()> + 'static) -> Step {
    Step {
        name: name.to_owned(),
        action: Action::Check(Box::new(action)),
    }
}

fn tests(name: &str, (runner, command): (Runner, Command)) -> Step {
    Step {
        name: name.to_owned(),
        action: Action::Tests(runner, command),
    }
}

fn carry_out(action: Action) -> Tally {
    match action {
        Action::Build(action) | Action::Check(action) => match action() {
            Ok(()) => Tally::default(),
            Err(error) => {
                println!("{error:#}");
                Tally {
                    passed: 0,
                    failed: 1,
                }
            }
        },
        Action::Tests(runner, mut command) => {
            let mut tally = Tally::default();
            match tool::run_watched(&mut command, |line| tally.add(Tally::in_line(runner, line))) {
                Ok(status) => tally.judged(status.success()),
                Err(error) => {
                    println!("{error:#}");
                    tally.judged(false)
                }
            }
        }
    }
}

fn clippy() -> Result<()> {
    let mut cargo = tool::command("cargo", &["clippy", "--workspace", "--all-targets"]);
    if !cfg!(target_os = "linux") {
        cargo.args(LINUX_ONLY.map(|package| format!("--exclude={package}")));
    }
    tool::run(cargo.args(["--", "--deny", "warnings"]))
}

fn bindings_folder() -> std::path::PathBuf {
    tool::target_dir().join("bindings")
}

fn npm_command(script: &str) -> Command {
    tool::command(tool::NPM, &["--prefix", "ui", "run", "--silent", script])
}

fn npm(script: &str) -> Result<()> {
    tool::run(&mut npm_command(script))
}

fn shellcheck() -> Result<()> {
    let mut files = vec!["images/make-base".to_owned(), ".ci/run".to_owned()];
    for entry in std::fs::read_dir(tool::root().join("scripts"))? {
        files.push(format!("scripts/{}", entry?.file_name().to_string_lossy()));
    }
    tool::run(tool::command("shellcheck", &["-x"]).args(files))
}

fn print_times(times: &[(String, Duration, bool)]) {
    println!();
    for (name, time, passed) in times {
        let mark = if *passed { "ok" } else { "FAILED" };
        println!("{:>6.1} s  {name:<24} {mark}", time.as_secs_f32());
    }
    let total: Duration = times.iter().map(|(_, time, _)| *time).sum();
    println!("{:>6.1} s  in all", total.as_secs_f32());
}
