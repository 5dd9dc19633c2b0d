//! TypeScript types of the window, exported by ts-rs from the view types of `core`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::tool;

const GENERATED: &str = "ui/src/generated";

/// Writes the types to the folder that the UI imports from, and removes those of types that
/// are gone.
pub(crate) fn generate() -> Result<()> {
    let fresh = export()?;
    let folder = tool::root().join(GENERATED);
    std::fs::create_dir_all(&folder)?;
    for gone in read_tree(&folder)?
        .keys()
        .filter(|name| !fresh.contains_key(*name))
    {
        std::fs::remove_file(folder.join(gone))?;
    }
    for (name, text) in &fresh {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("BUG: a name below the folder"))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Fails, naming the files, when the committed types are not what Rust says.
pub(crate) fn check() -> Result<()> {
    compare_with(&export()?)
}

/// As [`check`], with types that a test run exported to `folder`.
pub(crate) fn compare(folder: &Path) -> Result<()> {
    compare_with(&read_tree(folder)?)
}

fn compare_with(fresh: &BTreeMap<String, String>) -> Result<()> {
    let committed = read_tree(&tool::root().join(GENERATED))?;
    let names: BTreeSet<_> = fresh.keys().chain(committed.keys()).collect();
    let stale: Vec<_> = names
        .into_iter()
        .filter(|name| fresh.get(*name) != committed.get(*name))
        .collect();
    if !stale.is_empty() {
        bail!("{GENERATED} is out of date: {stale:?}; run `cargo xtask bindings`");
    }
    Ok(())
}

/// Lets ts-rs write into an empty folder, and reads it back: file name below it → text.
fn export() -> Result<BTreeMap<String, String>> {
    let folder = tempfile::tempdir()?;
    let mut cargo = tool::command(
        "cargo",
        &[
            "test",
            "--quiet",
            "-p",
            "mizzen-core",
            "--lib",
            "export_bindings",
        ],
    );
    // ts-rs reads this when the tests run; it wins over .cargo/config.toml.
    cargo.env("TS_RS_EXPORT_DIR", folder.path());
    tool::run(cargo.stdout(std::process::Stdio::null()))?;
    let types = read_tree(folder.path())?;
    if types.is_empty() {
        bail!("no type was exported: are the view types still marked #[ts(export)]?");
    }
    Ok(types)
}

fn read_tree(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries =
            std::fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)?
                .to_string_lossy()
                .replace('\\', "/");
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name, text);
        }
    }
    Ok(files)
}
