//! Every dependency is used, and says why it is there.

use crate::repository::{expect_none, files_named, packages, read, source_folder};

/// Whether `name` stands in `text` as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[test]
fn no_dependency_is_unused() {
    let sources = files_named(&["rs"]);
    let mut unused = Vec::new();
    for package in packages() {
        let folder = source_folder(&package);
        let build_script = package
            .targets
            .iter()
            .find(|target| target.is_custom_build());
        let mut text: String = sources
            .iter()
            .filter(|file| file.starts_with(&folder))
            .map(|file| read(file))
            .collect();
        text.extend(build_script.map(|script| {
            std::fs::read_to_string(&script.src_path).expect("the build script is readable")
        }));
        // The same key as cargo-machete's, for crates that are only there for their features.
        let ignored = package.metadata["cargo-machete"]["ignored"].clone();
        for dependency in &package.dependencies {
            let named = dependency.rename.as_ref().unwrap_or(&dependency.name);
            let listed = ignored
                .as_array()
                .is_some_and(|list| list.iter().any(|i| i == named));
            if !listed && !names(&text, &named.replace('-', "_")) {
                unused.push(format!("{} does not use {named}", package.name));
            }
        }
    }
    expect_none(unused);
}

/// Keys of the workspace's own table of dependencies; our own crates may stand there before their first user.
fn workspace_dependencies(manifest: &str) -> Vec<&str> {
    let table = manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]");
    let lines = table.skip(1).take_while(|line| !line.starts_with('['));
    lines
        .filter(|line| !line.starts_with('#') && !line.contains("path = "))
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .collect()
}

#[test]
fn every_entry_of_the_workspace_is_named_by_a_member() {
    let manifest = read("Cargo.toml");
    let all: String = files_named(&["toml"])
        .iter()
        .filter(|file| file.ends_with("Cargo.toml"))
        .map(|file| read(file))
        .collect();
    let entries = workspace_dependencies(&manifest);
    assert!(entries.contains(&"serde"), "{entries:?}");
    let is_named = |entry: &&str| {
        all.lines().any(|line| {
            line.strip_prefix(*entry).is_some_and(|rest| {
                let rest = rest.trim_start();
                rest.starts_with(".workspace")
                    || rest.starts_with('=') && rest.contains("workspace = true")
            })
        })
    };
    let unnamed = entries.iter().filter(|entry| !is_named(entry));
    expect_none(unnamed.map(|entry| format!("Cargo.toml: no member names {entry}")));
}

#[test]
fn every_version_says_why_it_is_there() {
    let mut silent = Vec::new();
    for manifest in files_named(&["toml"])
        .iter()
        .filter(|file| file.ends_with("Cargo.toml"))
    {
        let mut in_dependencies = false;
        for line in read(manifest).lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies]");
                continue;
            }
            let has_version = line.contains("= \"") || line.contains("version = ");
            let ours = line.contains("path = ");
            if in_dependencies && has_version && !ours {
                let reason = line.split_once(" # ").map_or("", |(_, reason)| reason);
                if reason.trim().is_empty() {
                    silent.push(format!("{manifest}: no reason at the end of: {line}"));
                }
            }
        }
    }
    expect_none(silent);
}

#[test]
fn a_word_is_more_than_letters_that_match() {
    assert!(names("use serde::Serialize;", "serde"));
    assert!(!names("use serde_json::Value;", "serde"));
    assert!(!names("let deserde = 1;", "serde"));
}
