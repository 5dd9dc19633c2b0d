//! A folder that takes the place of a root while nobody watches.

use super::*;

const SIDES: [(&str, Side); 2] = [("host", Side::Host), ("container", Side::Container)];

/// Three files, in step: so few that the brake lets them go.
fn in_step() -> Fixture {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    for name in ["a", "b", "c"] {
        fixture.write(&format!("host/{name}"), name);
    }
    fixture.once().unwrap();
    fixture
}

/// Puts a new folder in the place of one. The old one stays beside it: no other gets its number.
#[expect(clippy::disallowed_methods, reason = "people move without care")]
fn exchange(fixture: &Fixture, side: &str, files: &[(&str, &str)]) {
    fs::rename(fixture.path(side), fixture.path(&format!("old-{side}"))).unwrap();
    fs::create_dir(fixture.path(side)).unwrap();
    for (name, contents) in files {
        fixture.write(&format!("{side}/{name}"), contents);
    }
}

#[test]
fn another_folder_with_other_things_stops_the_link_until_a_person_agrees() {
    for (name, side) in SIDES {
        let fixture = in_step();
        let other = if name == "host" { "container" } else { "host" };
        exchange(&fixture, name, &[("a", "a"), ("x", "new")]);
        for _ in 0..2 {
            let halted = fixture.once();
            let (left, of) = (1, 3);
            let expected = Halt::RootExchanged { side, left, of };
            assert!(
                matches!(halted, Err(CycleError::Halted(halt)) if halt == expected),
                "{halted:?}"
            );
            assert_eq!(fixture.tree(other), ["a=a", "b=b", "c=c"]);
            assert_eq!(fixture.tree(name), ["a=a", "x=new"]);
        }
        let mut link = fixture.link();
        link.cycle(&Both::everything(), true).unwrap();
        fixture.check_same(&["a=a", "x=new"]);
        // From now on it is the one.
        remove(&fixture.path(&format!("{name}/a")));
        remove(&fixture.path(&format!("{name}/x")));
        fixture.write(&format!("{name}/y"), "2");
        assert!(fixture.once().unwrap().is_in_step());
        fixture.check_same(&["y=2"]);
    }
}

#[test]
fn a_folder_that_was_restored_or_cloned_anew_goes_on() {
    for (name, _) in SIDES {
        let fixture = in_step();
        exchange(&fixture, name, &[("a", "a"), ("b", "b"), ("d", "new")]);
        assert!(fixture.once().unwrap().is_in_step());
        fixture.check_same(&["a=a", "b=b", "d=new"]);
    }
}

#[test]
fn a_link_that_knows_its_folders_no_more_holds_nothing_back_for_their_sake() {
    let fixture = in_step();
    exchange(&fixture, "host", &[("a", "a"), ("x", "new")]);
    for lost in ["", "{", "[1,2]"] {
        write(&fixture.path("state/roots.json"), lost);
    }
    assert!(fixture.once().unwrap().is_in_step());
    fixture.check_same(&["a=a", "x=new"]);
}
