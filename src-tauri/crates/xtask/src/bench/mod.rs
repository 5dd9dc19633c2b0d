//! Measures the product and writes the figures to docs/benchmarks.md.
//!
//! What is measured lives in the tests package, beside the rigs: one bench target per area, which prints each figure
//! as a line of JSON. This side builds what is measured, and keeps the document.

mod document;
mod machine;

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::{image, product, tool};

use document::Figure;

const DOCUMENT: &str = "docs/benchmarks.md";

/// Which figures to take.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Area {
    /// Docker contexts, from one side to the other
    Contexts,
    /// From the engine's events and the session verbs to the snapshot
    Core,
    /// The desktop program: start, memory, idle
    Desktop,
    /// A container's reports, from its file to the snapshot
    Status,
    /// Two folders kept in step, against other programs
    Sync,
    /// Streams between the core and a container
    Wire,
}

impl Area {
    fn name(self) -> &'static str {
        match self {
            Self::Contexts => "contexts",
            Self::Core => "core",
            Self::Desktop => "desktop",
            Self::Status => "status",
            Self::Sync => "sync",
            Self::Wire => "wire",
        }
    }

    /// Builds what will be measured, as a user would have it.
    fn prepare(self) -> Result<()> {
        match self {
            Self::Core => {
                product::build_command_line("release")?;
                image::ensure(image::Image::Tiny)?;
                image::ensure(image::Image::Full)?;
            }
            Self::Desktop => {
                product::build("release")?;
                image::ensure(image::Image::Tiny)?;
            }
            Self::Sync => {
                product::build_command_line("release")?;
                image::ensure(image::Image::Tiny)?;
            }
            Self::Contexts | Self::Status | Self::Wire => {
                image::ensure(image::Image::Tiny)?;
            }
        }
        Ok(())
    }
}

/// Takes the figures of one area and puts them into the document; those of one case are only printed.
pub(crate) fn run(area: Area, only: Option<&str>) -> Result<()> {
    if let (Some(case), Area::Contexts | Area::Core | Area::Desktop | Area::Status | Area::Wire) =
        (only, area)
    {
        bail!(
            "the {} bench has no case {case}: it runs as a whole",
            area.name()
        );
    }
    area.prepare()?;
    let figures = measure(area, only)?;
    if figures.is_empty() {
        bail!("the {} bench printed no figure", area.name());
    }
    let table = document::table(&machine::describe()?, &figures);
    if only.is_some() {
        println!("{table}");
        return Ok(());
    }
    let path = tool::root().join(DOCUMENT);
    let old = std::fs::read_to_string(&path).with_context(|| format!("{DOCUMENT} is missing"))?;
    let new = document::splice(&old, area.name(), &table)
        .with_context(|| format!("{DOCUMENT} has no markers for {}", area.name()))?;
    std::fs::write(&path, new)?;
    println!("{table}");
    Ok(())
}

fn measure(area: Area, only: Option<&str>) -> Result<Vec<Figure>> {
    let mut cargo = tool::command("cargo", &["bench", "--quiet", "--package", "mizzen-tests"]);
    cargo
        .args(["--bench", area.name(), "--"])
        .args(only)
        .stderr(Stdio::inherit());
    let ended = cargo.output().context("cargo")?;
    if !ended.status.success() {
        bail!("the {} bench: {}", area.name(), ended.status);
    }
    let lines = String::from_utf8(ended.stdout)?;
    lines
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}
