//! Dependencies point down: the table below is the architecture.

use cargo_metadata::DependencyKind;

use crate::repository::{expect_none, packages};

/// One of our packages, its level, and those of ours that it may use. An arrow that is not
/// here needs a reviewed line here first.
struct Row(&'static str, u8, &'static [&'static str]);

const TABLE: &[Row] = &[
    Row("fsx", 0, &[]),
    Row("sync-core", 0, &[]),
    Row("testkit", 2, &["tasks"]),
    Row("xtask", 0, &[]),
    Row("tasks", 1, &[]),
    Row("docker", 2, &["tasks"]),
    Row("status", 2, &["fsx"]),
    Row("sync", 2, &["fsx", "sync-core"]),
    Row("wire", 2, &["tasks"]),
    Row("contexts", 3, &["docker", "fsx"]),
    Row("gateway", 3, &["fsx", "tasks"]),
    Row(
        "sessions",
        3,
        &["docker", "fsx", "status", "sync-core", "tasks", "wire"],
    ),
    Row("supervisor", 3, &["fsx", "status", "sync", "tasks", "wire"]),
    Row(
        "core",
        4,
        &[
            "contexts",
            "docker",
            "fsx",
            "gateway",
            "sessions",
            "status",
            "sync",
            "sync-core",
            "tasks",
            "wire",
        ],
    ),
    Row("cli", 5, &["core", "sync", "sync-core"]),
    Row("desktop", 5, &["core", "fsx", "tasks"]),
];

/// The end-to-end tests stand outside: they may look at everything.
const TESTS: &str = "tests";

/// Crates with a fence round them: (what, as a prefix of its name, the one package that names it).
const FENCES: &[(&str, &str)] = &[
    ("tauri", "desktop"),
    ("tray-icon", "desktop"),
    ("wry", "desktop"),
    ("bollard", "docker"),
];

fn short(name: &str) -> &str {
    name.strip_prefix("mizzen-").unwrap_or(name)
}

#[test]
fn every_arrow_is_in_the_table() {
    let mut new = Vec::new();
    for package in packages() {
        let name = short(&package.name);
        if name == TESTS {
            continue;
        }
        let Row(_, _, allowed) = TABLE
            .iter()
            .find(|row| row.0 == name)
            .unwrap_or_else(|| panic!("no row for {name}"));
        for dependency in &package.dependencies {
            let Some(target) = dependency.name.strip_prefix("mizzen-") else {
                continue;
            };
            let in_tests = dependency.kind == DependencyKind::Development;
            let testkit = in_tests && target == "testkit";
            if !testkit && !allowed.contains(&target) {
                new.push(format!(
                    "{name} uses {target}: an arrow that the table does not allow"
                ));
            }
        }
    }
    expect_none(new);
}

#[test]
fn the_table_points_down() {
    for Row(name, level, allowed) in TABLE {
        for target in *allowed {
            let Row(_, below, _) = TABLE
                .iter()
                .find(|row| row.0 == *target)
                .unwrap_or_else(|| panic!("{target}?"));
            assert!(
                below < level,
                "{name} (level {level}) points at {target} (level {below})"
            );
        }
    }
}

#[test]
fn the_table_names_what_exists() {
    let mut gone = Vec::new();
    let packages = packages();
    for Row(name, _, allowed) in TABLE {
        let package = packages
            .iter()
            .find(|package| short(&package.name) == *name)
            .unwrap_or_else(|| panic!("{name} is in the table and not in the workspace"));
        for target in *allowed {
            let used = package
                .dependencies
                .iter()
                .any(|d| short(&d.name) == *target);
            if !used {
                gone.push(format!(
                    "{name} no longer uses {target}; take the arrow out"
                ));
            }
        }
    }
    expect_none(gone);
}

#[test]
fn fenced_crates_are_named_by_one_package() {
    for package in packages() {
        let name = short(&package.name);
        for dependency in &package.dependencies {
            for (fenced, owner) in FENCES {
                assert!(
                    !dependency.name.starts_with(fenced) || name == *owner,
                    "{name} names {}; only {owner} may",
                    dependency.name
                );
            }
        }
    }
}
