//! Which tests cargo runs, in which company.
//!
//! Cargo unites the features of all packages that one command names. So the packages of the
//! product are always named together and without their rigs: what the rigs depend on would
//! switch features on in the product's dependencies, and most of the tree, the desktop toolkit
//! included, would be compiled once more.

use std::process::Command;

use cargo_metadata::{Metadata, Package, TargetKind};

use super::{Runner, bindings_folder};
use crate::tool;

/// The package of the tests that need an engine, a display or a browser.
const RIGS: &str = "mizzen-tests";

/// This package.
const THIS_TOOL: &str = "mizzen-xtask";

/// What only Linux builds: what runs in containers, and what drives them.
pub(super) const LINUX_ONLY: [&str; 3] = [RIGS, "mizzen-supervisor", "mizzen-testkit"];

/// Tests beside the code, and test targets of the crates themselves. They also export the
/// TypeScript types.
pub(super) fn units(metadata: &Metadata) -> (Runner, Command) {
    let (runner, mut cargo) = test_runner();
    let mut left_out = vec![RIGS, THIS_TOOL];
    if !cfg!(target_os = "linux") {
        left_out.extend(LINUX_ONLY);
    }
    cargo.arg("--workspace").args(["--lib", "--bins"]);
    cargo.args(
        left_out
            .iter()
            .map(|package| format!("--exclude={package}")),
    );
    let product = metadata
        .packages
        .iter()
        .filter(|package| !left_out.contains(&&**package.name));
    cargo.args(product.flat_map(test_targets));
    cargo.env("TS_RS_EXPORT_DIR", bindings_folder());
    (runner, cargo)
}

/// This tool's own tests.
pub(super) fn this_tool() -> (Runner, Command) {
    let (runner, mut cargo) = test_runner();
    cargo.args(["--package", THIS_TOOL]);
    (runner, cargo)
}

/// One area of tests/; that it is not there is an error.
pub(super) fn area(name: &str) -> (Runner, Command) {
    let (runner, mut cargo) = test_runner();
    cargo.args(["--package", RIGS, "--test", name]);
    (runner, cargo)
}

/// The areas of tests/ without some.
pub(super) fn all_areas_but(metadata: &Metadata, left_out: &[&str]) -> (Runner, Command) {
    let (runner, mut cargo) = test_runner();
    cargo.args(["--package", RIGS]);
    let rigs = metadata
        .packages
        .iter()
        .filter(|package| package.name.as_str() == RIGS);
    let left_out: Vec<_> = left_out
        .iter()
        .map(|name| format!("--test={name}"))
        .collect();
    cargo.args(
        rigs.flat_map(test_targets)
            .filter(|area| !left_out.contains(area)),
    );
    (runner, cargo)
}

/// Names a package's test targets to cargo.
fn test_targets(package: &Package) -> impl Iterator<Item = String> {
    let tests = package
        .targets
        .iter()
        .filter(|target| target.is_kind(TargetKind::Test));
    tests.map(|target| format!("--test={}", target.name))
}

/// nextest where it is installed: it names a hanging test and ends it.
fn test_runner() -> (Runner, Command) {
    if tool::succeeds(&mut tool::command("cargo", &["nextest", "--version"])) {
        (Runner::Nextest, tool::command("cargo", &["nextest", "run"]))
    } else {
        (
            Runner::CargoTest,
            tool::command("cargo", &["test", "--no-fail-fast"]),
        )
    }
}
