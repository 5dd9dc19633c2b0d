//! Everything that CI checks, cheapest first, with one closing line for all runners.

mod tally;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};

use crate::image::{self, Image};
use crate::{bindings, product, supervisor, tool};
use tally::{Runner, Tally};

/// Areas of tests/ that drive whole programs; they run after all others, in this order.
const LATE: [&str; 3] = ["desktop", "browser", "journeys"];

/// The package of the tests that need an engine, a display or a browser.
const TESTS: &str = "mizzen-tests";

/// What only Linux builds: what runs in containers, and what drives them.
const LINUX_ONLY: [&str; 3] = [TESTS, "mizzen-supervisor", "mizzen-testkit"];

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

/// Runs all steps. Fails when any of them did, after the closing line.
pub(crate) fn run() -> Result<()> {
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
    if total.failed > 0 {
        bail!("not everything passed");
    }
    Ok(())
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
            build("programs", build_programs),
            build("supervisor", || supervisor::build().map(drop)),
            build("tiny image", || image::ensure(Image::Tiny).map(drop)),
        ]);
    }
    steps.extend([
        tests("units", unit_tests(metadata)),
        check("bindings", || bindings::compare(&bindings_folder())),
    ]);
    if cfg!(target_os = "linux") {
        steps.extend([
            check("scripts", shellcheck),
            tests(
                "page: in a browser",
                (Runner::Vitest, npm_command("test:e2e")),
            ),
            tests("engine", area_tests(metadata, |area| !LATE.contains(&area))),
            build("full image", || image::ensure(Image::Full).map(drop)),
        ]);
        steps.extend(LATE.map(|area| tests(area, area_tests(metadata, |other| other == area))));
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

/// The whole workspace at once, so that its features unify as in the test builds. This tool
/// is left out: some systems cannot replace a running program.
fn build_programs() -> Result<()> {
    let args = [
        "build",
        "--workspace",
        "--bins",
        "--exclude",
        "mizzen-xtask",
    ];
    tool::run(&mut tool::command("cargo", &args))
}

/// Tests beside the code, and test targets of the crates themselves. They also export the
/// TypeScript types, which the next step compares.
fn unit_tests(metadata: &Metadata) -> (Runner, Command) {
    let (runner, mut cargo) = test_runner();
    cargo
        .args(["--lib", "--bins"])
        .env("TS_RS_EXPORT_DIR", bindings_folder());
    if !cfg!(target_os = "linux") {
        cargo.args(LINUX_ONLY.map(|package| format!("--exclude={package}")));
    }
    let others = metadata
        .packages
        .iter()
        .filter(|package| package.name.as_str() != TESTS);
    for target in others.flat_map(test_targets) {
        cargo.args(["--test", &target]);
    }
    (runner, cargo)
}

/// The areas of tests/ whose names `wanted` accepts.
fn area_tests(metadata: &Metadata, wanted: impl Fn(&str) -> bool) -> (Runner, Command) {
    let (runner, mut cargo) = test_runner();
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == TESTS);
    for area in package
        .into_iter()
        .flat_map(test_targets)
        .filter(|area| wanted(area))
    {
        cargo.args(["--test", &area]);
    }
    (runner, cargo)
}

fn test_targets(package: &Package) -> Vec<String> {
    let tests = package
        .targets
        .iter()
        .filter(|target| target.is_kind(TargetKind::Test));
    tests.map(|target| target.name.clone()).collect()
}

/// nextest where it is installed: it names a hanging test and ends it.
fn test_runner() -> (Runner, Command) {
    if tool::succeeds(&mut tool::command("cargo", &["nextest", "--version"])) {
        (
            Runner::Nextest,
            tool::command("cargo", &["nextest", "run", "--workspace"]),
        )
    } else {
        (
            Runner::CargoTest,
            tool::command("cargo", &["test", "--workspace", "--no-fail-fast"]),
        )
    }
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
