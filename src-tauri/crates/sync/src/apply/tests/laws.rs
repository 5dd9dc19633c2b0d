//! What holds for all trees.

use mizzen_sync_core::Node;
use proptest::prelude::*;

use super::*;

/// What somebody does to a side; what cannot be done is not.
#[derive(Clone, Debug)]
enum Deed {
    Put(String),
    Remove(String),
}

fn path() -> impl Strategy<Value = String> {
    let name = || proptest::sample::select(vec!["a", "b", "c", "ignored"]);
    proptest::collection::vec(name(), 1..4).prop_map(|names| names.join("/"))
}

fn deed() -> impl Strategy<Value = Deed> {
    let contents = (0..40, any::<bool>());
    let file = contents.prop_map(|(text, executable)| {
        let executable = if executable { "*" } else { "" };
        format!("={text}{executable}")
    });
    let other = proptest::sample::select(vec!["/", "->a", "="]).prop_map(str::to_owned);
    let put = (path(), prop_oneof![3 => file, 1 => other]);
    prop_oneof![
        3 => put.prop_map(|(path, entry)| Deed::Put(format!("{path}{entry}"))),
        1 => path().prop_map(Deed::Remove),
    ]
}

fn deeds(most: usize) -> impl Strategy<Value = Vec<Deed>> {
    proptest::collection::vec(deed(), 0..most)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side that removes without care"
)]
fn do_all(side: &Side, deeds: &[Deed]) {
    for deed in deeds {
        match deed {
            Deed::Put(word) => {
                let name = word.split(['=', '-']).next().unwrap().trim_end_matches('/');
                let above = Path::new(name).ancestors().skip(1);
                let above = above.map(|path| side.path(path.to_str().unwrap()));
                let lies_well = above
                    .map(|path| path.symlink_metadata())
                    .all(|facts| facts.map_or(true, |facts| facts.is_dir()));
                let fits = match side.path(name).symlink_metadata() {
                    Ok(facts) => facts.is_file() && word.contains('='),
                    Err(_) => true,
                };
                if lies_well && fits {
                    side.put(word);
                }
            }
            Deed::Remove(path) => {
                let path = side.path(path);
                if path.symlink_metadata().is_ok_and(|facts| facts.is_dir()) {
                    fs::remove_dir_all(path).unwrap();
                } else {
                    let _ = fs::remove_file(path);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn both_sides_become_the_same_and_nothing_is_lost(
        began in deeds(10), at_one in deeds(5), at_two in deeds(5), forgotten in any::<bool>(),
    ) {
        let (one, two) = (Side::new(""), Side::new(""));
        do_all(&one, &began);
        do_all(&two, &began);
        let base = (!forgotten).then(|| one.scan().tree());
        do_all(&one, &at_one);
        do_all(&two, &at_two);
        let held: BTreeSet<_> = one.all_contents().union(&two.all_contents()).cloned().collect();
        let (first, second) = (one.scan(), two.scan());
        let outcome = reconcile(base.as_ref(), Some(&first.tree()), Some(&second.tree()), Mode::TwoWaySafe);
        let mut edits = outcome.agreed.clone();
        for (side, plan, before, other) in [(&one, &outcome.host, &first, &two), (&two, &outcome.container, &second, &one)] {
            let applied = side.apply_from(plan, before, other).unwrap();
            // An ignored entry keeps the directory that it lies in.
            let kept = applied.failed.iter().all(|failure| matches!(failure.why, Why::NotEmpty));
            prop_assert!(kept, "{:?}", applied.failed);
            prop_assume!(applied.failed.is_empty());
            edits.extend(applied.done);
        }
        let base = Node::overlaid(base.as_ref(), &edits);
        let (first, second) = (one.scan().tree(), two.scan().tree());
        let again = reconcile(base.as_ref(), Some(&first), Some(&second), Mode::TwoWaySafe);
        prop_assert!(again.host.is_empty() && again.container.is_empty() && again.agreed.is_empty(), "{:?}", again);
        prop_assert_eq!(again.conflicts.len(), outcome.conflicts.len());
        let holds: BTreeSet<_> = one.all_contents().union(&two.all_contents()).cloned().collect();
        prop_assert!(holds.is_superset(&held));
    }
}
