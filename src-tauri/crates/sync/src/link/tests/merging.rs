//! Texts that both sides changed.

use super::*;

#[test]
fn changes_to_one_text_that_go_together_are_merged() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/text", "one\ntwo\nthree\n");
    fixture.once().unwrap();
    // Whoever has changed a text once may do so again.
    fixture.write("host/text", "one\ntwo\nthree\nfour\n");
    fixture.once().unwrap();
    fixture.write("host/text", "ONE\ntwo\nthree\nfour\n");
    fixture.write("container/text", "one\ntwo\nthree\nFOUR\n");
    let cycle = fixture.once().unwrap();
    assert_eq!(cycle.merged.len(), 1);
    assert!(cycle.is_in_step());
    fixture.check_same(&["text=ONE\ntwo\nthree\nFOUR\n"]);
}

#[test]
fn texts_of_long_ago_make_room_for_those_that_merges_begin_from() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let text = |number: u32| format!("{number}\nfirst\n{}last\n", "line\n".repeat(60_000));
    fixture.write("host/text", &text(0));
    let mut link = fixture.link();
    link.cycle(&Both::everything(), false).unwrap();
    for number in 1..12 {
        fixture.write("host/text", &text(number * 1000));
        link.cycle(&Both::everything(), false).unwrap();
    }
    let last = text(11_000);
    fixture.write("host/text", &last.replace("first", "FIRST"));
    fixture.write("container/text", &last.replace("last", "THE LAST"));
    let cycle = link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(cycle.merged.len(), 1, "{:?}", cycle.conflicts);
    let both = last.replace("first", "FIRST").replace("last", "THE LAST");
    assert_eq!(fs::read_to_string(fixture.path("host/text")).unwrap(), both);
}

#[test]
fn of_many_texts_that_come_at_once_none_is_forgotten() {
    for from in ["host", "container"] {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        let all = || (0..40).map(|number| format!("below/{}/text-{number}", number % 3));
        let write_all = |side: &str, lines: [&str; 3]| {
            for name in all() {
                let text = format!("{name}\n{}\nmiddle\n{}\n{}\n", lines[0], lines[1], lines[2]);
                fixture.write(&format!("{side}/{name}"), &text);
            }
        };
        write_all(from, ["1", "2", "3"]);
        fixture.once().unwrap();
        write_all(from, ["1", "2", "3, changed"]);
        fixture.once().unwrap();
        write_all("host", ["ONE", "2", "3, changed"]);
        write_all("container", ["1", "2", "THREE"]);
        let cycle = fixture.once().unwrap();
        assert_eq!(cycle.merged.len(), 40, "{from}: {:?}", cycle.conflicts);
        let both = |name: String| format!("{name}\nONE\nmiddle\n2\nTHREE\n");
        for (side, name) in ["host", "container"]
            .iter()
            .flat_map(|side| all().map(move |name| (side, name)))
        {
            let found = fs::read_to_string(fixture.path(&format!("{side}/{name}"))).unwrap();
            assert_eq!(found, both(name));
        }
    }
}

#[test]
fn a_text_that_cannot_be_kept_is_told_and_what_was_agreed_on_is_known() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/text", "1\n");
    fixture.write("host/other", "1\n");
    fixture.once().unwrap();
    fixture.write("state/texts", "in the way");
    fixture.write("host/text", "1\n2\n");
    let error = fixture.once().unwrap_err();
    assert!(matches!(&error, CycleError::Base(_)), "{error}");
    assert!(error.to_string().contains("texts"), "{error}");
    fixture.check_same(&["other=1\n", "text=1\n2\n"]);
    // A deletion of what both have agreed on is one, and no conflict.
    remove(&fixture.path("container/text"));
    assert!(fixture.once().unwrap().is_in_step());
    fixture.check_same(&["other=1\n"]);
}
