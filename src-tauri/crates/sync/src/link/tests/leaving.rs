//! A folder goes on one side, and holds what is not carried on the other.

use super::*;

const SIDES: [(&str, &str); 2] = [("host", "container"), ("container", "host")];

fn link(fixture: &Fixture) -> Link {
    let mut link = fixture.link();
    let rules = RuleSource::new(&fixture.path("host"), None, None).expect("a folder");
    link.ruled_by(rules).expect("rules");
    link
}

/// In step, as a new process finds it; nothing is left to a person, and nothing else to do.
fn check_in_step(fixture: &Fixture) {
    let mut link = link(fixture);
    let cycle = link.cycle(&Both::everything(), false).unwrap();
    assert!(cycle.is_in_step(), "{cycle:?}");
    let again = link.plan(&Both::everything()).unwrap();
    assert!(again.is_in_step(), "{again:?}");
}

/// In step; what is called so is nobody's business, and lies at these places of a side.
fn in_step(side: &str, ignored: &[&str]) -> Fixture {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/.gitignore", "*.o\n");
    for file in ["d/a", "d/s/b", "p/x", "p/e/y"] {
        fixture.write(&format!("host/{file}"), "1");
    }
    check_in_step(&fixture);
    for file in ignored {
        fixture.write(&format!("{side}/{file}"), "o");
    }
    check_in_step(&fixture);
    fixture
}

fn without_rules(fixture: &Fixture, side: &str) -> Vec<String> {
    let mut tree = fixture.tree(side);
    tree.retain(|entry| !entry.starts_with(".gitignore"));
    tree
}

#[test]
fn what_is_ignored_stays_with_its_folder_and_nobody_is_told_again_and_again() {
    for (keeps, deletes) in SIDES {
        let fixture = in_step(keeps, &["d/1.o", "d/s/t/2.o"]);
        remove(&fixture.path(&format!("{deletes}/d")));
        for _ in 0..3 {
            check_in_step(&fixture);
            let stays = ["d/", "d/1.o=o", "d/s/", "d/s/t/", "d/s/t/2.o=o"];
            let rest = ["p/", "p/e/", "p/e/y=1", "p/x=1"];
            assert_eq!(without_rules(&fixture, deletes), rest);
            assert_eq!(without_rules(&fixture, keeps), [&stays[..], &rest].concat());
        }
        // Nor when it stays for nothing by then.
        for ignored in ["d/1.o", "d/s/t/2.o"] {
            remove(&fixture.path(&format!("{keeps}/{ignored}")));
        }
        check_in_step(&fixture);
        let why = link(&fixture).why(&RelPath::new(b"d").unwrap()).unwrap();
        assert!(matches!(why, Standing::Stays(_)), "{why:?}");
    }
}

#[test]
fn a_folder_that_stayed_is_one_like_others_once_something_comes_to_it() {
    for (keeps, deletes) in SIDES {
        for (by, file) in [(keeps, "d/new"), (deletes, "d/new"), (keeps, "d/s/new")] {
            let fixture = in_step(keeps, &["d/1.o", "d/s/2.o"]);
            remove(&fixture.path(&format!("{deletes}/d")));
            check_in_step(&fixture);
            fixture.write(&format!("{by}/{file}"), "2");
            check_in_step(&fixture);
            for side in [keeps, deletes] {
                let found = fs::read_to_string(fixture.path(&format!("{side}/{file}")));
                assert_eq!(found.unwrap(), "2", "{side}/{file}");
            }
            assert!(fixture.path(&format!("{keeps}/d/1.o")).exists());
            // And it may go again.
            remove(&fixture.path(&format!("{deletes}/d")));
            check_in_step(&fixture);
            assert!(!fixture.path(&format!("{deletes}/d")).exists());
            assert!(!fixture.path(&format!("{keeps}/{file}")).exists());
            assert!(fixture.path(&format!("{keeps}/d/1.o")).exists());
        }
    }
}

#[test]
fn a_folder_around_one_that_stayed_goes_as_well() {
    for (keeps, deletes) in SIDES {
        let fixture = in_step(keeps, &["p/e/1.o"]);
        remove(&fixture.path(&format!("{deletes}/p/e")));
        check_in_step(&fixture);
        remove(&fixture.path(&format!("{deletes}/p")));
        check_in_step(&fixture);
        check_in_step(&fixture);
        assert!(!fixture.path(&format!("{deletes}/p")).exists());
        let kept = without_rules(&fixture, keeps);
        assert_eq!(kept[4..], ["p/", "p/e/", "p/e/1.o=o"], "{kept:?}");
        // What was ignored goes, and so nothing is left of it that anybody sees.
        remove(&fixture.path(&format!("{keeps}/p")));
        check_in_step(&fixture);
        fixture.write(&format!("{deletes}/p/e/z"), "3");
        check_in_step(&fixture);
        assert!(fixture.path(&format!("{keeps}/p/e/z")).exists());
    }
}

#[test]
fn all_that_there_was_may_go_but_what_is_ignored() {
    for (keeps, deletes) in SIDES {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        fixture.write("host/d/a", "1");
        check_in_step(&fixture);
        fixture.write(&format!("{keeps}/d/.git/HEAD"), "main");
        remove(&fixture.path(&format!("{deletes}/d")));
        let emptied = link(&fixture).cycle(&Both::everything(), true).unwrap();
        assert!(emptied.is_in_step(), "{emptied:?}");
        check_in_step(&fixture);
        assert_eq!(fixture.tree(keeps), ["d/", "d/.git/", "d/.git/HEAD=main"]);
        assert!(fixture.tree(deletes).is_empty());
    }
}
