//! Files are small, say what they are, and none is forgotten.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::TargetKind;

use crate::repository::{expect_none, files, files_named, packages, read, read_text, root};

#[test]
fn no_source_is_longer_than_800_lines() {
    expect_none(
        files_named(&["rs", "ts", "svelte", "css"])
            .into_iter()
            .filter_map(|file| {
                let lines = read(&file).lines().count();
                (lines > 800).then(|| format!("{file} has {lines} lines; divide it"))
            }),
    );
}

#[test]
fn every_crate_says_what_it_is_and_never_does() {
    let packages = packages();
    let targets = packages.iter().flat_map(|package| &package.targets);
    expect_none(targets.filter_map(|target| {
        let source = std::fs::read_to_string(&target.src_path).expect("a readable source");
        let opening = || source.lines().take_while(|line| line.starts_with("//!"));
        let missing = if opening().next().is_none() {
            "`//!` lines that say what it is"
        } else if target.is_kind(TargetKind::Lib)
            && !opening().any(|line| line.starts_with("//! Invariant: "))
        {
            "an `Invariant:` line"
        } else {
            return None;
        };
        Some(format!("{} opens without {missing}", target.src_path))
    }));
}

/// A file that no `mod` line names is compiled by nobody, and a test in it never runs.
#[test]
fn every_module_is_declared() {
    let roots: BTreeSet<String> = packages()
        .iter()
        .flat_map(|package| &package.targets)
        .filter_map(|target| target.src_path.strip_prefix(root()).ok())
        .map(|path| path.as_str().to_owned())
        .chain(fuzz_targets())
        .collect();
    let sources = files_named(&["rs"]);
    let inner = sources.iter().filter(|file| !roots.contains(*file));
    expect_none(inner.filter_map(|file| {
        let (folder, name) = module(file);
        let beside = roots
            .iter()
            .filter(|root| Path::new(root).parent() == Some(folder));
        let above = [folder.with_extension("rs"), folder.join("mod.rs")];
        let parents = beside
            .cloned()
            .chain(above.map(|path| path.display().to_string()));
        let declared = parents
            .filter_map(|parent| read_text(&parent))
            .any(|text| text.lines().any(|line| declares(line, name)));
        (!declared).then(|| format!("{file} is declared by no module: it is never compiled"))
    }));
}

#[test]
fn every_fuzz_target_is_run_by_the_workflow() {
    let workflow = read(".github/workflows/fuzz.yml");
    expect_none(fuzz_targets().into_iter().filter_map(|file| {
        let (_, name) = module(&file);
        let row = format!("{{ target: {name}");
        let has_row = workflow.lines().any(|line| line.contains(&row));
        (!has_row).then(|| format!("{file} has no row in fuzz.yml"))
    }));
}

/// Those of the fuzz targets' own workspace.
fn fuzz_targets() -> Vec<String> {
    let manifest = read("fuzz/Cargo.toml");
    let paths = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \""));
    paths
        .map(|path| format!("fuzz/{}", path.trim_end_matches('"')))
        .collect()
}

/// The folder in which a module's parent looks for it, and the module's name.
fn module(file: &str) -> (&Path, &str) {
    let path = match file.strip_suffix("/mod.rs") {
        Some(folder) => Path::new(folder),
        None => Path::new(file),
    };
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .expect("a UTF-8 name");
    (path.parent().expect("a module lies below the root"), name)
}

/// `mod name;`, or a path attribute that ends in the file's name.
fn declares(line: &str, name: &str) -> bool {
    let line = line.trim();
    if line.starts_with("#[path = ") {
        return line.ends_with(&format!("/{name}.rs\"]"));
    }
    let line = line
        .strip_prefix("pub(crate) ")
        .or(line.strip_prefix("pub "))
        .unwrap_or(line);
    line == format!("mod {name};")
}

#[test]
fn every_folder_of_tests_is_a_target() {
    let packages = packages();
    let tests = packages
        .iter()
        .find(|package| package.name.as_str() == "mizzen-tests");
    let targets: BTreeSet<&str> = tests
        .expect("the package of tests/")
        .targets
        .iter()
        .map(|t| t.name.as_str())
        .collect();
    for file in files() {
        let Some(area) = file
            .strip_prefix("tests/")
            .and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        if matches!(area.0, "support" | "fixtures" | "benches") {
            continue;
        }
        assert!(
            targets.contains(area.0),
            "{file}: tests/Cargo.toml declares no test {}",
            area.0
        );
        assert!(
            root().join("tests").join(area.0).join("main.rs").is_file(),
            "tests/{} has no main.rs",
            area.0
        );
    }
}

/// The phrases are put together here, since this file is searched as well.
#[test]
fn nothing_is_left_open_or_tied_to_one_machine() {
    let forbidden = [
        ("TO", "DO"),
        ("FIX", "ME"),
        ("/wor", "k/"),
        ("/far", "m/"),
        ("npmjs", ".org"),
        ("static.crates", ".io"),
        ("index.crates", ".io"),
        ("deb.debian", ".org"),
        ("registry-1.docker", ".io"),
        ("ghcr", ".io"),
    ]
    .map(|(start, end)| format!("{start}{end}"));
    let listed = ["Cargo.lock", "ui/package-lock.json"]; // addresses belong there
    let mut findings = Vec::new();
    for file in files()
        .iter()
        .filter(|file| !listed.contains(&file.as_str()))
    {
        let Some(text) = read_text(file) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if let Some(phrase) = forbidden.iter().find(|phrase| stands_alone(line, phrase)) {
                findings.push(format!("{file}:{}: {phrase} in: {line}", index + 1));
            }
        }
    }
    expect_none(findings);
}

/// Whether `phrase` is there and not the tail of something longer, as in `.github/work/`.
fn stands_alone(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || "_.-}".contains(character))
    })
}
