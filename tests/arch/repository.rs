//! The work tree as git and cargo see it.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};

pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("BUG: tests/ lies in the root")
        .to_path_buf()
}

/// Files that are committed or about to be, relative to the root.
pub(crate) fn files() -> Vec<String> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .expect("git starts");
    assert!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let listed = names.split('\0').filter(|name| !name.is_empty());
    // A deleted file stays listed until its deletion is committed.
    listed
        .filter(|name| root().join(name).is_file())
        .map(str::to_owned)
        .collect()
}

/// Files with one of these extensions.
pub(crate) fn files_named(extensions: &[&str]) -> Vec<String> {
    let mut files = files();
    files.retain(|file| {
        let extension = Path::new(file)
            .extension()
            .and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    });
    files
}

pub(crate) fn read(file: &str) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text, or nothing when the file is not text.
pub(crate) fn read_text(file: &str) -> Option<String> {
    String::from_utf8(std::fs::read(root().join(file)).ok()?).ok()
}

/// Our own packages.
pub(crate) fn packages() -> Vec<Package> {
    metadata(MetadataCommand::new().no_deps()).packages
}

/// Every package that this platform's build compiles.
pub(crate) fn all_packages() -> Vec<Package> {
    let host = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .expect("rustc");
    let host = String::from_utf8(host.stdout).expect("a target's name is text");
    let filter = ["--filter-platform".to_owned(), host.trim().to_owned()];
    metadata(MetadataCommand::new().other_options(filter)).packages
}

fn metadata(command: &mut MetadataCommand) -> Metadata {
    command.current_dir(root()).exec().expect("cargo metadata")
}

/// Fails with all findings at once, one a line.
#[track_caller]
pub(crate) fn expect_none(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Folder of a package's sources, relative to the root.
pub(crate) fn source_folder(package: &Package) -> String {
    let folder = package
        .manifest_path
        .parent()
        .expect("BUG: a manifest lies in a folder");
    let folder = folder
        .strip_prefix(root())
        .expect("our packages lie below the root")
        .as_str();
    match folder {
        "" => "src-tauri/src/".to_owned(), // the root package is the desktop shell
        "tests" => "tests/".to_owned(),
        other => format!("{other}/"),
    }
}
