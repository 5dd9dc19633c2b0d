//! The programs that a person runs.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use crate::{supervisor, tool};

/// Builds everything that `make run` starts. The desktop's build script makes the page.
pub(crate) fn build(profile: &str) -> Result<()> {
    install_page_packages()?;
    // A Linux program: other systems are given one that was built elsewhere (CONTRIBUTING.md).
    if cfg!(target_os = "linux") {
        supervisor::build()?;
    }
    let packages = ["--package", "mizzen-desktop", "--package", "mizzen-cli"];
    tool::run(tool::command("cargo", &["build", "--profile", profile]).args(packages))
}

/// Builds the command line and the supervisor alone.
pub(crate) fn build_command_line(profile: &str) -> Result<()> {
    // A Linux program: other systems are given one that was built elsewhere (CONTRIBUTING.md).
    if cfg!(target_os = "linux") {
        supervisor::build()?;
    }
    let build = ["build", "--profile", profile, "--package", "mizzen-cli"];
    tool::run(&mut tool::command("cargo", &build))
}

/// Installs what the page is built with, as its lock file says, unless that was done since it last changed.
pub(crate) fn install_page_packages() -> Result<()> {
    let ui = tool::root().join("ui");
    let installed = changed(&ui.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= changed(&ui.join("package-lock.json")) {
        return Ok(());
    }
    let args = ["--prefix", "ui", "ci", "--no-audit", "--no-fund"];
    // Progress belongs on stderr: some tasks print their result on stdout.
    tool::run(tool::command(tool::NPM, &args).stdout(std::io::stderr()))
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|facts| facts.modified()).ok()
}
