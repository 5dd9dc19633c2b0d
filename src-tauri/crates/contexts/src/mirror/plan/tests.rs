use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    let (reach, _) = text.split_at(1);
    Version {
        print: Print::of([text.as_bytes()]),
        reach: Print::of([reach.as_bytes()]),
    }
}

/// `name=version` words; the first letter of a version says whom it reaches.
fn versions(words: &str) -> BTreeMap<String, Version> {
    let pairs = words
        .split_whitespace()
        .map(|word| word.split_once('=').expect("name=version"));
    pairs
        .map(|(name, text)| (name.to_owned(), version(text)))
        .collect()
}

fn look(words: &str) -> Look {
    Look {
        contexts: versions(words),
        ..Look::default()
    }
}

fn agreed(words: &str) -> BTreeMap<String, Agreed> {
    let of = |version| Agreed {
        version,
        unsure: None,
    };
    versions(words)
        .into_iter()
        .map(|(name, version)| (name, of(version)))
        .collect()
}

fn draw(plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| {
        let act = match step.act {
            Act::Adopt => "adopt".to_owned(),
            Act::Forget => "forget".to_owned(),
            Act::Put { from, why } => format!("{from:?} -> {:?} ({why:?})", from.other()),
            Act::Remove { from } => format!("remove on {:?}", from.other()),
        };
        format!("{}: {act}", step.name)
    });
    let held = plan.held.iter();
    let held = held.map(|held| {
        format!(
            "hold {:?} of {:?}: {}",
            held.kind,
            held.from,
            held.names.join(" ")
        )
    });
    steps.chain(held).collect::<Vec<_>>().join("; ")
}

fn planned(base: &str, host: &Look, container: &Look, policy: &Policy) -> Plan {
    let agreed = agreed(base);
    plan(
        &Known {
            agreed: &agreed,
            host,
            container,
        },
        policy,
    )
}

#[test]
fn what_becomes_of_one_context() {
    let (host, container) = ("Host -> Container", "Container -> Host");
    let rows = [
        // agreed, host, container -> act
        ("", "", "", String::new()),
        ("", "p=a", "", format!("p: {host} (Created)")),
        ("", "", "p=a", format!("p: {container} (Created)")),
        ("", "p=a", "p=a", "p: adopt".to_owned()),
        ("", "p=a", "p=b", format!("p: {host} (Won)")),
        ("p=a", "p=a", "p=a", String::new()),
        ("p=a", "p=b", "p=b", "p: adopt".to_owned()),
        ("p=a", "p=b", "p=a", format!("p: {host} (Changed)")),
        ("p=a", "p=a", "p=b", format!("p: {container} (Changed)")),
        ("p=a", "p=b", "p=c", format!("p: {host} (Won)")),
        ("p=a", "", "p=a", "p: remove on Container".to_owned()),
        ("p=a", "p=a", "", "p: remove on Host".to_owned()),
        ("p=a", "", "p=b", format!("p: {container} (Created)")),
        ("p=a", "p=b", "", format!("p: {host} (Created)")),
        ("p=a", "", "", "p: forget".to_owned()),
    ];
    for (base, host, container, expected) in rows {
        let plan = planned(base, &look(host), &look(container), &Policy::default());
        assert_eq!(
            draw(&plan),
            expected,
            "agreed {base:?}, host {host:?}, container {container:?}"
        );
    }
}

#[test]
fn a_side_that_is_being_written_has_deleted_nothing() {
    let mut known = agreed("p=a");
    for (side, host, container) in [(Side::Host, "", "p=a"), (Side::Container, "p=a", "")] {
        known.get_mut("p").expect("is there").unsure = Some(side);
        let (host, container) = (look(host), look(container));
        let plan = plan(
            &Known {
                agreed: &known,
                host: &host,
                container: &container,
            },
            &Policy::default(),
        );
        assert_eq!(
            draw(&plan),
            format!("p: {:?} -> {side:?} (Changed)", side.other())
        );
    }
}

#[test]
fn row_48_a_side_that_lost_everything_at_once_is_asked_about() {
    let three = "p=a q=a r=a";
    let held = planned(three, &look(three), &look(""), &Policy::default());
    assert_eq!(draw(&held), "hold Emptied of Container: p q r");
    let fewer = planned("p=a q=a", &look("p=a q=a"), &look(""), &Policy::default());
    assert_eq!(draw(&fewer), "p: remove on Host; q: remove on Host");
    let one_left = planned(three, &look(three), &look("r=a"), &Policy::default());
    assert_eq!(draw(&one_left), "p: remove on Host; q: remove on Host");
    let with_new = planned(
        three,
        &look(""),
        &look(&format!("{three} s=a")),
        &Policy::default(),
    );
    assert_eq!(
        draw(&with_new),
        "s: Container -> Host (Created); hold Emptied of Host: p q r"
    );

    let id = held.held[0].id.clone();
    let approved = Policy {
        approved: [id.clone()].into(),
        ..Policy::default()
    };
    let done = planned(three, &look(three), &look(""), &approved);
    assert_eq!(
        draw(&done),
        "p: remove on Host; q: remove on Host; r: remove on Host"
    );
    let dropped = Policy {
        dropped: [id].into(),
        ..Policy::default()
    };
    let refilled = planned(three, &look(three), &look(""), &dropped);
    let back = |name| format!("{name}: Host -> Container (Dropped)");
    assert_eq!(draw(&refilled), ["p", "q", "r"].map(back).join("; "));
}

#[test]
fn a_store_that_is_gone_stops_everything() {
    let gone = Look {
        is_missing: true,
        ..Look::default()
    };
    let plan = planned("p=a", &look("p=a n=a"), &gone, &Policy::default());
    assert_eq!(draw(&plan), "hold StoreGone of Container: p");
    let id = plan.held[0].id.clone();
    let refill = Policy {
        dropped: [id].into(),
        ..Policy::default()
    };
    let refilled = planned("p=a", &look("p=a n=a"), &gone, &refill);
    assert_eq!(
        draw(&refilled),
        "n: Host -> Container (Created); p: Host -> Container (Dropped)"
    );
    // Nothing was ever agreed on: it is empty, that is all.
    let first = planned("", &look("p=a"), &gone, &Policy::default());
    assert_eq!(draw(&first), "p: Host -> Container (Created)");
}

#[test]
fn row_49_strict_asks_before_a_container_changes_whom_a_context_reaches() {
    let strict = Policy {
        strict: true,
        ..Policy::default()
    };
    let rows = [
        // agreed, host, container -> act, after approve, after drop
        (
            "p=a",
            "p=a",
            "p=b",
            "hold Changed of Container: p",
            "p: Container -> Host (Changed)",
            "p: Host -> Container (Dropped)",
        ),
        (
            "p=a",
            "p=a",
            "",
            "hold Deleted of Container: p",
            "p: remove on Host",
            "p: Host -> Container (Dropped)",
        ),
        (
            "p=a",
            "",
            "p=b",
            "hold Changed of Container: p",
            "p: Container -> Host (Created)",
            "p: remove on Container",
        ),
    ];
    for (base, host, container, expected, approved, dropped) in rows {
        let (host, container) = (look(host), look(container));
        let plan = planned(base, &host, &container, &strict);
        assert_eq!(draw(&plan), expected);
        let id = BTreeSet::from([plan.held[0].id.clone()]);
        let yes = Policy {
            approved: id.clone(),
            ..strict.clone()
        };
        assert_eq!(draw(&planned(base, &host, &container, &yes)), approved);
        let no = Policy {
            dropped: id,
            ..strict.clone()
        };
        assert_eq!(draw(&planned(base, &host, &container, &no)), dropped);
    }
    // Neither a description nor the host's own changes are asked about.
    for (base, host, container, expected) in [
        ("p=a", "p=a", "p=a2", "p: Container -> Host (Changed)"),
        ("p=a", "p=b", "p=a", "p: Host -> Container (Changed)"),
        ("p=a", "", "p=a", "p: remove on Container"),
        ("", "", "p=a", "p: Container -> Host (Created)"),
    ] {
        assert_eq!(
            draw(&planned(base, &look(host), &look(container), &strict)),
            expected
        );
    }
}

#[test]
fn a_store_on_another_disk_is_written_with_consent_only() {
    let elsewhere = |words| Look {
        is_read_only: true,
        ..look(words)
    };
    let rows = [
        // agreed, container -> act, after approve, after drop; the host has what was agreed on
        (
            "",
            "p=a",
            "hold Elsewhere of Container: p",
            "p: Container -> Host (Created)",
            "p: remove on Container",
        ),
        (
            "p=a",
            "p=b",
            "hold Elsewhere of Container: p",
            "p: Container -> Host (Changed)",
            "p: Host -> Container (Dropped)",
        ),
        (
            "p=a",
            "",
            "hold Elsewhere of Container: p",
            "p: remove on Host",
            "p: Host -> Container (Dropped)",
        ),
    ];
    for (base, container, expected, approved, dropped) in rows {
        let (host, container) = (elsewhere(base), look(container));
        let plan = planned(base, &host, &container, &Policy::default());
        assert_eq!(draw(&plan), expected);
        let id = BTreeSet::from([plan.held[0].id.clone()]);
        let yes = Policy {
            approved: id.clone(),
            ..Policy::default()
        };
        assert_eq!(draw(&planned(base, &host, &container, &yes)), approved);
        let no = Policy {
            dropped: id,
            ..Policy::default()
        };
        assert_eq!(draw(&planned(base, &host, &container, &no)), dropped);
    }
    // It is read like any other.
    for (base, host, container, expected) in [
        ("", "p=a", "", "p: Host -> Container (Created)"),
        ("p=a", "p=b", "p=a", "p: Host -> Container (Changed)"),
        ("p=a", "", "p=a", "p: remove on Container"),
        ("", "p=a", "p=a", "p: adopt"),
    ] {
        let plan = planned(base, &elsewhere(host), &look(container), &Policy::default());
        assert_eq!(draw(&plan), expected);
    }
    // Whoever consents to a deletion of all has said so.
    let three = "p=a q=a r=a";
    let all = planned(three, &elsewhere(three), &look(""), &Policy::default());
    let yes = Policy {
        approved: [all.held[0].id.clone()].into(),
        ..Policy::default()
    };
    let plan = planned(three, &elsewhere(three), &look(""), &yes);
    assert_eq!(plan.held, []);
    assert_eq!(plan.steps.len(), 3);
}

#[test]
fn consent_is_for_what_was_seen() {
    let strict = Policy {
        strict: true,
        ..Policy::default()
    };
    let first = planned("p=a", &look("p=a"), &look("p=b"), &strict);
    let approved = Policy {
        approved: [first.held[0].id.clone()].into(),
        ..strict
    };
    let other = planned("p=a", &look("p=a"), &look("p=c"), &approved);
    assert_eq!(draw(&other), "hold Changed of Container: p");
}

#[test]
fn what_is_left_alone_is_forgotten() {
    let policy = Policy {
        no_sync: ["p".to_owned()].into(),
        ..Policy::default()
    };
    for (host, container) in [("p=a", ""), ("", "p=b"), ("p=b", "p=c")] {
        assert_eq!(
            draw(&planned("p=a", &look(host), &look(container), &policy)),
            "p: forget"
        );
        assert_eq!(
            draw(&planned("", &look(host), &look(container), &policy)),
            ""
        );
    }
}

#[test]
fn what_cannot_be_judged_stays_as_it_is() {
    let mut blocked = look("");
    blocked.blocked.insert("p".to_owned());
    let plan = planned("p=a", &look("p=a"), &blocked, &Policy::default());
    assert_eq!(draw(&plan), "");
    // Nor does it hide that all others are gone.
    let plan = planned(
        "p=a q=a r=a s=a",
        &look("p=a q=a r=a s=a"),
        &blocked,
        &Policy::default(),
    );
    assert_eq!(draw(&plan), "hold Emptied of Container: q r s");
}

#[test]
fn without_a_readable_config_nothing_is_deleted() {
    let host = Look {
        no_deletions: true,
        ..look("p=a q=a")
    };
    let plan = planned("p=a q=a", &host, &look("p=b"), &Policy::default());
    assert_eq!(
        draw(&plan),
        "p: Container -> Host (Changed); hold NoConfig of Container: q"
    );
}

/// A model: two maps, and what both agreed on. Carrying a plan out is trivial here.
#[derive(Clone, Debug, Default)]
struct Model {
    agreed: BTreeMap<String, Version>,
    sides: [BTreeMap<String, Version>; 2],
    /// Every version that was overwritten or deleted by a plan.
    trash: Vec<Version>,
}

impl Model {
    fn look(&self, side: Side) -> Look {
        Look {
            contexts: self.sides[side as usize].clone(),
            ..Look::default()
        }
    }

    fn plan(&self, policy: &Policy) -> Plan {
        let of = |version: &Version| Agreed {
            version: *version,
            unsure: None,
        };
        let agreed = self
            .agreed
            .iter()
            .map(|(name, version)| (name.clone(), of(version)))
            .collect();
        let (host, container) = (self.look(Side::Host), self.look(Side::Container));
        plan(
            &Known {
                agreed: &agreed,
                host: &host,
                container: &container,
            },
            policy,
        )
    }

    fn carry_out(&mut self, step: &Step) {
        let name = &step.name;
        match step.act {
            Act::Forget => drop(self.agreed.remove(name)),
            Act::Adopt => drop(self.agreed.insert(name.clone(), self.sides[0][name])),
            Act::Put { from, .. } => {
                let version = self.sides[from as usize][name];
                let old = self.sides[from.other() as usize].insert(name.clone(), version);
                self.trash.extend(old);
                self.agreed.insert(name.clone(), version);
            }
            Act::Remove { from } => {
                let old = self.sides[from.other() as usize].remove(name);
                self.trash.extend(old);
                self.agreed.remove(name);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Write(Side, String, Version),
    Delete(Side, String),
    Pass,
    /// A pass that ends after so many of its steps.
    Killed(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let side = prop_oneof![Just(Side::Host), Just(Side::Container)];
    let name = "[p-t]";
    let text = "[ab][0-3]";
    let op = prop_oneof![
        4 => (side.clone(), name, text).prop_map(|(side, name, text)| Op::Write(side, name, version(&text))),
        2 => (side, name).prop_map(|(side, name)| Op::Delete(side, name)),
        2 => Just(Op::Pass),
        1 => (0..4_usize).prop_map(Op::Killed),
    ];
    proptest::collection::vec(op, 0..40)
}

proptest! {
    /// After any history, with kills between steps, passes come to rest with both sides the same, and no version that
    /// either side held is anywhere but on both sides or in the trash.
    #[test]
    fn both_sides_come_to_hold_the_same_and_nothing_is_lost(ops in ops()) {
        let mut model = Model::default();
        let mut written: Vec<Version> = Vec::new();
        for op in ops {
            match op {
                Op::Write(side, name, version) => {
                    // What a person overwrites is the person's loss.
                    if let Some(old) = model.sides[side as usize].insert(name, version) {
                        written.retain(|one| *one != old);
                    }
                    written.push(version);
                }
                Op::Delete(side, name) => {
                    if let Some(old) = model.sides[side as usize].remove(&name) {
                        written.retain(|one| *one != old);
                    }
                }
                Op::Pass => {
                    let plan = model.plan(&Policy::default());
                    plan.steps.iter().for_each(|step| model.carry_out(step));
                }
                Op::Killed(after) => {
                    let plan = model.plan(&Policy::default());
                    plan.steps.iter().take(after).for_each(|step| model.carry_out(step));
                }
            }
        }
        let held: BTreeSet<String> = model.plan(&Policy::default()).held.iter().map(|held| held.id.clone()).collect();
        let policy = Policy { dropped: held, ..Policy::default() };
        let last = model.plan(&policy);
        last.steps.iter().for_each(|step| model.carry_out(step));
        prop_assert_eq!(&model.sides[0], &model.sides[1]);
        prop_assert_eq!(model.plan(&Policy::default()), Plan::default());
        for version in written {
            let lives = model.sides[0].values().any(|one| *one == version);
            prop_assert!(lives || model.trash.contains(&version));
        }
    }

    /// Without anything that was agreed on, nothing is ever deleted.
    #[test]
    fn the_first_meeting_deletes_nothing(host in "([p-t]=[ab] ){0,6}", container in "([p-t]=[ab] ){0,6}") {
        let plan = planned("", &look(&host), &look(&container), &Policy::default());
        let removes = plan.steps.iter().filter(|step| matches!(step.act, Act::Remove { .. }));
        prop_assert_eq!(removes.count(), 0);
        prop_assert_eq!(plan.held, []);
    }
}
