//! The static supervisor, and how static Linux binaries are built.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::tool;

#[cfg(target_arch = "aarch64")]
const TARGET: (&str, &str) = ("aarch64-unknown-linux-gnu", "arm64");
#[cfg(not(target_arch = "aarch64"))]
const TARGET: (&str, &str) = ("x86_64-unknown-linux-gnu", "amd64");

/// Builds the supervisor and copies it beside the executables of both profiles.
pub(crate) fn build() -> Result<PathBuf> {
    let built = static_binary("mizzen-supervisor", "mizzen-supervisor")?;
    let name = format!("mizzen-supervisor-linux-{}", TARGET.1);
    for profile in ["debug", "release"] {
        let folder = tool::target_dir().join(profile);
        std::fs::create_dir_all(&folder)?;
        let placed = folder.join(&name);
        // RACE: a core may be reading the old file; a rename leaves it whole.
        let fresh = folder.join(format!("{name}.new"));
        std::fs::copy(&built, &fresh)
            .and_then(|_| std::fs::rename(&fresh, &placed))
            .with_context(|| format!("cannot place {}", placed.display()))?;
    }
    Ok(built)
}

/// Builds `bin` of `package` without any dependency on the image it will run in.
///
/// The target is named although it is the host's: otherwise build scripts and procedural
/// macros, which must be dynamic, would get the flag too.
pub(crate) fn static_binary(package: &str, bin: &str) -> Result<PathBuf> {
    let (target, _) = TARGET;
    let mut cargo = tool::command("cargo", &["build", "--quiet", "--profile", "supervisor"]);
    cargo.args(["--target", target, "--package", package, "--bin", bin]);
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    tool::run(&mut cargo)?;
    Ok(tool::target_dir().join(target).join("supervisor").join(bin))
}
