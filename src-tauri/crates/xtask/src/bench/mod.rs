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

    /// What can be measured alone, in the order of the document, where each has a table of its own.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Sync => &[
                "file",
                "folders",
                "container",
                "watching",
                "renames",
                "many",
            ],
            Self::Contexts | Self::Core | Self::Desktop | Self::Status | Self::Wire => &[],
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

/// Takes the figures of one area, or of one part of it, and puts them into the document: what other parts have there
/// stays. A case that has no place there is only printed.
pub(crate) fn run(area: Area, only: Option<&str>) -> Result<()> {
    let runs: Vec<Option<&str>> = match (area.parts(), only) {
        ([], None) => vec![None],
        ([], Some(case)) => bail!(
            "the {} bench has no case {case}: it runs as a whole",
            area.name()
        ),
        (parts, None) => parts.iter().copied().map(Some).collect(),
        (_, Some(case)) => vec![Some(case)],
    };
    area.prepare()?;
    for part in runs {
        let figures = measure(area, part)?;
        if figures.is_empty() {
            bail!("the {} bench printed no figure", area.name());
        }
        let table = document::table(&machine::describe()?, &figures);
        println!("{table}");
        let place = match part {
            None => area.name().to_owned(),
            Some(part) if area.parts().contains(&part) => format!("{}/{part}", area.name()),
            Some(_) => continue,
        };
        write_down(&place, &table)?;
    }
    Ok(())
}

fn write_down(place: &str, table: &str) -> Result<()> {
    let path = tool::root().join(DOCUMENT);
    let old = std::fs::read_to_string(&path).with_context(|| format!("{DOCUMENT} is missing"))?;
    let new = document::splice(&old, place, table)
        .with_context(|| format!("{DOCUMENT} has no markers for {place}"))?;
    std::fs::write(&path, new)?;
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
