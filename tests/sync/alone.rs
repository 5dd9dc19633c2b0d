//! Disks of a test's own: mounted for it alone, in a namespace of its own.

use std::path::Path;
use std::process::Command;

/// Set where a test runs among mounts of its own.
const ALONE: &str = "MIZZEN_TEST_HAS_OWN_MOUNTS";

/// Runs a test again where it may mount what it likes, and says whether this is there.
pub(crate) fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new("unshare");
    let command = command
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1");
    let ran = command.output().expect("unshare runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success() && said.contains("1 passed"),
        "{said}\n{told}"
    );
    false
}

/// Runs a program of the system's; what it says.
pub(crate) fn run(program: &str, args: &[&str], paths: &[&Path]) -> String {
    let mut command = Command::new(program);
    let ran = command.args(args).args(paths).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}; see scripts/setup --tests"));
    assert!(ran.status.success(), "{program} {args:?}: {ran:?}");
    String::from_utf8(ran.stdout).expect("text")
}
