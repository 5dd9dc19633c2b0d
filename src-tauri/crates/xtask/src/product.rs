//! The programs that a person runs, and the page inside the window.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use crate::{supervisor, tool};

/// Builds everything that `make run` starts, in the order in which one needs the other.
pub(crate) fn build(profile: &str) -> Result<()> {
    build_page()?;
    supervisor::build()?;
    let packages = ["--package", "mizzen-desktop", "--package", "mizzen-cli"];
    tool::run(tool::command("cargo", &["build", "--profile", profile]).args(packages))
}

/// Writes ui/dist, which the desktop program embeds when it is compiled.
pub(crate) fn build_page() -> Result<()> {
    install_packages()?;
    npm(&["run", "--silent", "build"])
}

/// Installs what the lock file names, unless that was done since it last changed.
pub(crate) fn install_packages() -> Result<()> {
    let ui = tool::root().join("ui");
    let installed = changed(&ui.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= changed(&ui.join("package-lock.json")) {
        return Ok(());
    }
    npm(&["ci", "--no-audit", "--no-fund"])
}

fn npm(args: &[&str]) -> Result<()> {
    // Progress belongs on stderr: some tasks print their result on stdout.
    tool::run(
        tool::command(tool::NPM, &["--prefix", "ui"])
            .args(args)
            .stdout(std::io::stderr()),
    )
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|facts| facts.modified()).ok()
}
