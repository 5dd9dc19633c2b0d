//! A container's side that is not trusted changes the rules.

use super::*;

/// A project that keeps a file back, in step.
fn guarded() -> Fixture {
    let mut fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.options.guards_rules = true;
    fixture.write("host/.gitignore", "kept.yml\n");
    fixture.write("host/kept.yml", "password");
    fixture.write("host/below/.gitignore", "own\n");
    fixture.write("host/below/own", "too");
    fixture.write("host/below/text", "1");
    cycle(&fixture).unwrap();
    fixture
}

fn link(fixture: &Fixture) -> Link {
    let mut link = fixture.link();
    let rules = RuleSource::new(&fixture.path("host"), None, None).expect("a folder");
    link.ruled_by(rules).expect("rules");
    link
}

/// All that comes of what was changed: rules that came over count in the next cycle.
fn cycle(fixture: &Fixture) -> Result<Cycle, CycleError> {
    let mut link = link(fixture);
    link.cycle(&Both::everything(), false)?;
    link.cycle(&Both::everything(), false)
}

fn conflicts(cycle: &Cycle) -> Vec<String> {
    let paths = cycle
        .conflicts
        .iter()
        .map(|conflict| conflict.path.to_string());
    paths.collect()
}

#[test]
fn what_loosens_the_rules_waits_for_a_person() {
    for (place, text) in [
        (".gitignore", "# nothing\n"),
        (".gitignore", "kept.yml\n!kept.yml\n"),
        ("mizzen.toml", "[sync]\ninclude = [\"kept.yml\"]\n"),
        ("below/.gitignore", ""),
    ] {
        let fixture = guarded();
        fixture.write(&format!("container/{place}"), text);
        let found = cycle(&fixture).unwrap();
        assert_eq!(conflicts(&found), [place], "{text}");
        for kept in ["container/kept.yml", "container/below/own"] {
            assert!(!fixture.path(kept).exists(), "{place} {text}");
        }
    }
}

#[test]
fn rules_do_not_go_with_their_folder_unasked() {
    let fixture = guarded();
    remove(&fixture.path("container/below"));
    let found = cycle(&fixture).unwrap();
    assert_eq!(conflicts(&found), ["below"]);
    assert!(!fixture.path("container/below/own").exists());
    assert!(fixture.path("host/below/text").exists());
}

#[test]
fn what_tightens_the_rules_goes_over_and_what_a_person_agrees_to_as_well() {
    let fixture = guarded();
    fixture.write("container/.gitignore", "kept.yml\ntarget\n");
    fixture.write("container/new/.gitignore", "!kept.yml\n");
    let found = cycle(&fixture).unwrap();
    assert!(found.is_in_step(), "{found:?}");
    let read = |path: &str| fs::read_to_string(fixture.path(path)).unwrap();
    assert_eq!(read("host/.gitignore"), "kept.yml\ntarget\n");
    assert_eq!(read("host/new/.gitignore"), "!kept.yml\n");

    fixture.write("container/.gitignore", "target\n");
    assert_eq!(conflicts(&cycle(&fixture).unwrap()), [".gitignore"]);
    let place = RelPath::new(b".gitignore").unwrap();
    link(&fixture).resolve(&place, Keep::Container).unwrap();
    assert!(cycle(&fixture).unwrap().is_in_step());
    assert_eq!(read("container/kept.yml"), "password");
}

#[test]
fn a_side_that_is_trusted_changes_rules_as_it_likes() {
    let mut fixture = guarded();
    fixture.options.guards_rules = false;
    fixture.write("container/.gitignore", "");
    assert!(cycle(&fixture).unwrap().is_in_step());
    assert!(fixture.path("container/kept.yml").exists());
}

#[test]
fn what_tools_run_by_themselves_is_told_when_it_comes_from_a_side_that_is_not_trusted() {
    let fixture = guarded();
    fixture.write("host/.envrc", "ours");
    fixture.write("container/below/.vscode/tasks.json", "theirs");
    fixture.write("container/.vscode/tasks.json", "theirs");
    fixture.write("container/tasks.json", "plain");
    let mut link = link(&fixture);
    let found = link.cycle(&Both::everything(), false).unwrap();
    let told = |cycle: &Cycle| {
        let mut paths: Vec<_> = cycle.tripwires.iter().map(ToString::to_string).collect();
        paths.sort();
        paths
    };
    assert_eq!(
        told(&found),
        [".vscode/tasks.json", "below/.vscode/tasks.json"]
    );
    // Once; and one that goes runs nothing.
    remove(&fixture.path("container/.envrc"));
    let found = link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(told(&found), [""; 0]);
    assert!(!fixture.path("host/.envrc").exists());
}
