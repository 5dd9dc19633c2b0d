//! What holds for all trees.

use proptest::prelude::*;

use super::{Outcome, reconcile};
use crate::change::Plan;
use crate::edit::Edit;
use crate::mode::Mode;
use crate::name::{Name, RelPath};
use crate::sketch::tree;
use crate::tree::{Dir, Node};

/// Few names and few contents, so that sides meet in the same places.
fn entry() -> impl Strategy<Value = Option<Node>> {
    let entries = [
        "e=1",
        "e=2",
        "e=3",
        "e=1*",
        "e=2*",
        "e/",
        "e/a=1",
        "e/a=1 e/b=2",
        "e->a",
        "e->b",
        "e!",
    ];
    let entries = entries.map(|sketch| tree(sketch).unwrap().as_dir().unwrap().get(b"e").cloned());
    prop_oneof![
        1 => Just(None),
        3 => proptest::sample::select(entries.to_vec()),
    ]
}

fn path() -> impl Strategy<Value = RelPath> {
    let name = || proptest::sample::select(vec!["a", "b", "c"]);
    proptest::collection::vec(name(), 1..4)
        .prop_map(|names| RelPath::new(names.join("/").as_bytes()).unwrap())
}

fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (path(), entry()).prop_map(|(path, entry)| Edit { path, entry });
    proptest::collection::vec(edit, 0..most)
}

/// Base, host and container: two sides that went their ways from a common base, or have none in common.
fn trees() -> impl Strategy<Value = [Option<Node>; 3]> {
    let forgotten = prop_oneof![4 => Just(false), 1 => Just(true)];
    (edits(8), edits(4), edits(4), forgotten).prop_map(|(base, host, container, forgotten)| {
        let began = Node::replaced(Some(&Node::empty_dir()), &base).unwrap();
        let host = Node::replaced(Some(&began), &host);
        let container = Node::replaced(Some(&began), &container);
        let base = began.syncable().filter(|_| !forgotten);
        [base, host, container]
    })
}

fn mode() -> impl Strategy<Value = Mode> {
    proptest::sample::select(Mode::ALL.to_vec())
}

fn decide(trees: &[Option<Node>; 3], mode: Mode) -> Outcome {
    let [base, host, container] = trees.each_ref().map(Option::as_ref);
    reconcile(base, host, container, mode)
}

/// A side after its plan; each change must find what it expects.
fn applied(side: Option<&Node>, plan: &Plan) -> Option<Node> {
    plan.changes.iter().fold(side.cloned(), |side, change| {
        let found = side.as_ref().and_then(|side| side.get(&change.path));
        let expected = change.old.as_ref();
        assert!(super::same(found, expected), "{change:?} finds {found:?}");
        let edit = Edit {
            path: change.path.clone(),
            entry: change.new.clone(),
        };
        let next = Node::replaced(side.as_ref(), std::slice::from_ref(&edit));
        let put = next.as_ref().and_then(|next| next.get(&edit.path));
        assert!(
            super::same(put, edit.entry.as_ref()),
            "{change:?} has no parent"
        );
        next
    })
}

fn after(trees: &[Option<Node>; 3], outcome: &Outcome) -> [Option<Node>; 3] {
    let [base, host, container] = trees.each_ref().map(Option::as_ref);
    [
        outcome.next_base(base),
        applied(host, &outcome.host),
        applied(container, &outcome.container),
    ]
}

/// All files and links of a tree.
fn leaves(node: &Node, at: &RelPath, tell: &mut impl FnMut(&RelPath, &Node)) {
    match node {
        Node::Dir(dir) => dir
            .iter()
            .for_each(|(name, child)| leaves(child, &at.join(name), tell)),
        Node::File(_) | Node::Link(_) => tell(at, node),
        Node::Unsyncable(_) => {}
    }
}

fn with_sides_swapped(outcome: Outcome) -> Outcome {
    let Outcome {
        agreed,
        host,
        container,
        mut merges,
        mut conflicts,
        mut problems,
    } = outcome;
    merges
        .iter_mut()
        .for_each(|merge| std::mem::swap(&mut merge.host, &mut merge.container));
    conflicts
        .iter_mut()
        .for_each(|conflict| std::mem::swap(&mut conflict.host, &mut conflict.container));
    for problem in &mut problems {
        problem.side = problem.side.other();
    }
    problems.sort_by_key(|problem| (problem.path.clone(), problem.side as u8));
    Outcome {
        agreed,
        host: container,
        container: host,
        merges,
        conflicts,
        problems,
    }
}

/// The same trees with one entry of the root alone.
fn only(trees: &[Option<Node>; 3], name: &Name) -> [Option<Node>; 3] {
    trees.each_ref().map(|tree| {
        let dir = tree.as_ref()?.as_dir()?;
        let entries = dir.iter().filter(|(found, _)| found == name).cloned();
        Some(Node::Dir(Dir::new(entries.collect()).into()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_second_cycle_finds_nothing_to_do(trees in trees(), mode in mode()) {
        let first = decide(&trees, mode);
        let second = decide(&after(&trees, &first), mode);
        prop_assert!(second.host.is_empty() && second.container.is_empty(), "{:?}", second);
        prop_assert!(second.agreed.is_empty(), "{:?}", second);
        prop_assert_eq!(second.conflicts, first.conflicts);
        prop_assert_eq!(second.merges, first.merges);
    }

    #[test]
    fn sides_without_conflict_or_problem_become_the_same(trees in trees()) {
        let outcome = decide(&trees, Mode::TwoWaySafe);
        prop_assume!(outcome.conflicts.is_empty() && outcome.merges.is_empty() && outcome.problems.is_empty());
        let [base, host, container] = after(&trees, &outcome);
        prop_assert!(super::same(host.as_ref(), container.as_ref()));
        prop_assert!(super::same(host.as_ref(), base.as_ref()));
    }

    #[test]
    fn what_a_side_changed_stays_on_it(trees in trees()) {
        let outcome = decide(&trees, Mode::TwoWaySafe);
        let [_, host, container] = after(&trees, &outcome);
        for (before, after) in [(&trees[1], host), (&trees[2], container)] {
            let mut lost = Vec::new();
            leaves(before.as_ref().unwrap(), &RelPath::root(), &mut |path, node| {
                let base = trees[0].as_ref().and_then(|base| base.get(path));
                let stays = after.as_ref().and_then(|after| after.get(path));
                let kept = match (node, stays) {
                    (Node::File(file), Some(Node::File(kept))) => file.digest == kept.digest,
                    (node, kept) => super::same(Some(node), kept),
                };
                let contents_are_new = match (base, node) {
                    (Some(Node::File(base)), Node::File(file)) => base.digest != file.digest,
                    (base, node) => !super::same(base, Some(node)),
                };
                if contents_are_new && !kept {
                    lost.push(path.clone());
                }
            });
            prop_assert!(lost.is_empty(), "{:?}", lost);
        }
    }

    #[test]
    fn what_neither_side_changed_is_not_touched(trees in trees(), mode in mode()) {
        let trees = [trees[1].clone().and_then(|tree| tree.syncable()), trees[1].clone(), trees[1].clone()];
        let outcome = decide(&trees, mode);
        prop_assert!(outcome.host.is_empty() && outcome.container.is_empty() && outcome.conflicts.is_empty());
    }

    #[test]
    fn swapping_the_sides_swaps_the_plan(trees in trees()) {
        let [base, host, container] = trees.clone();
        let swapped = decide(&[base, container, host], Mode::TwoWaySafe);
        let mut outcome = decide(&trees, Mode::TwoWaySafe);
        outcome.problems.sort_by_key(|problem| (problem.path.clone(), problem.side as u8));
        prop_assert_eq!(with_sides_swapped(swapped), outcome);
    }

    #[test]
    fn nothing_is_planned_at_or_below_a_conflict_or_problem(trees in trees(), mode in mode()) {
        let outcome = decide(&trees, mode);
        let left = outcome.conflicts.iter().map(|conflict| &conflict.path);
        let left = left.chain(outcome.merges.iter().map(|merge| &merge.path));
        let left: Vec<_> = left.chain(outcome.problems.iter().map(|problem| &problem.path)).collect();
        for change in outcome.host.changes.iter().chain(&outcome.container.changes) {
            for path in &left {
                prop_assert!(!change.path.is_at_or_below(path), "{:?} at {:?}", change, path);
            }
        }
    }

    #[test]
    fn what_cannot_be_carried_stays(trees in trees(), mode in mode()) {
        let outcome = decide(&trees, mode);
        for change in outcome.host.changes.iter().chain(&outcome.container.changes) {
            let old_and_new = change.old.iter().chain(&change.new);
            prop_assert!(!old_and_new.into_iter().any(Node::has_unsyncable), "{:?}", change);
        }
    }

    #[test]
    fn entries_side_by_side_do_not_interact(trees in trees(), mode in mode()) {
        let whole = decide(&trees, mode);
        for name in ["a", "b", "c"].map(|name| Name::new(name.as_bytes()).unwrap()) {
            let at = RelPath::root().join(&name);
            let alone = decide(&only(&trees, &name), mode);
            let plans = [(&whole.host, &alone.host), (&whole.container, &alone.container)];
            for (whole, alone) in plans {
                let here: Vec<_> = whole.changes.iter().filter(|change| change.path.is_at_or_below(&at)).collect();
                prop_assert_eq!(here, alone.changes.iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn one_way_never_touches_the_host(trees in trees(), replica in any::<bool>()) {
        let mode = if replica { Mode::OneWayReplica } else { Mode::OneWaySafe };
        prop_assert!(decide(&trees, mode).host.is_empty());
    }

    #[test]
    fn a_replica_becomes_the_host(trees in trees()) {
        prop_assume!(trees.iter().flatten().all(|tree| !tree.has_unsyncable()));
        let outcome = decide(&trees, Mode::OneWayReplica);
        let [_, host, container] = after(&trees, &outcome);
        prop_assert!(super::same(host.as_ref(), container.as_ref()));
    }
}
