//! cargo xtask: the developer's one tool.
//!
//! Invariant: it drives cargo, npm and docker; nothing of the product links to it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "writes build output, never a user's files"
)]

mod bench;
mod bindings;
mod ci;
mod image;
mod product;
mod supervisor;
mod tool;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and measures Mizzen")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure, and write the figures to docs/benchmarks.md
    Bench {
        area: bench::Area,
        /// Only this part of it (sync: file, folders, container, watching, renames, many; burst, which is printed only)
        only: Option<String>,
    },
    /// Generate the window's TypeScript types from Rust
    Bindings {
        /// Only compare: fail when the committed files are out of date
        #[arg(long)]
        check: bool,
    },
    /// Build the page, the supervisor, the desktop program and the command line
    Build {
        #[arg(long, default_value = "dev")]
        profile: String,
    },
    /// Run everything that CI checks
    Ci,
    /// Build an image of images/ unless one with these inputs exists, and print its tag
    Image { image: image::Image },
    /// Build the static supervisor and put it beside the executables
    Supervisor,
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().task {
        Task::Bench { area, only } => bench::run(area, only.as_deref())?,
        Task::Bindings { check: true } => bindings::check()?,
        Task::Bindings { check: false } => bindings::generate()?,
        Task::Build { profile } => product::build(&profile)?,
        Task::Ci => return ci::run(),
        Task::Image { image } => println!("{}", image::ensure(image)?),
        Task::Supervisor => println!("{}", supervisor::build()?.display()),
    }
    Ok(ExitCode::SUCCESS)
}
