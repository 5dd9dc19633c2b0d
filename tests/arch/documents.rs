//! What the documents say exists.

use std::path::Path;

use crate::repository::{files_named, read, root};

/// Lines of the fenced shell blocks of a document, without their comments.
fn commands(document: &str) -> Vec<String> {
    let text = read(document);
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
            continue;
        }
        let command = line.split(" #").next().unwrap_or_default().trim();
        if inside && !command.is_empty() {
            commands.push(command.to_owned());
        }
    }
    commands
}

#[test]
fn the_make_targets_of_the_read_me_exist() {
    let makefile = read("Makefile");
    let commands = commands("README.md");
    let targets: Vec<_> = commands
        .iter()
        .filter_map(|command| command.strip_prefix("make "))
        .collect();
    assert!(
        targets.contains(&"run") && targets.contains(&"test"),
        "README.md shows {targets:?}"
    );
    for target in targets {
        let rule = format!("{target}:");
        assert!(
            makefile.lines().any(|line| line.starts_with(&rule)),
            "README.md says `make {target}`, and the Makefile does not know it"
        );
    }
}

#[test]
fn links_of_documents_lead_somewhere() {
    for document in files_named(&["md"]) {
        let folder = root().join(Path::new(&document).parent().expect("below the root"));
        for link in links(&read(&document)) {
            let file = link.split('#').next().unwrap_or_default();
            assert!(
                file.is_empty() || folder.join(file).exists(),
                "{document} links to {link}, which is not there"
            );
        }
    }
}

/// Targets of `](…)` that are no addresses of the web.
fn links(text: &str) -> Vec<String> {
    let starts = text
        .match_indices("](")
        .map(|(start, _)| &text[start + 2..]);
    let targets = starts
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    targets
        .filter(|target| !target.contains("://"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_files_a_stranger_looks_for_are_there() {
    for file in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ] {
        assert!(!read(file).trim().is_empty(), "{file} is empty");
    }
}
