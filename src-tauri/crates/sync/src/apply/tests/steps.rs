//! Every kind of step.

use mizzen_sync_core::Node;

use super::*;

const ENTRIES: [&str; 8] = [
    "",
    "e=1",
    "e=22",
    "e=1*",
    "e->a",
    "e->b",
    "e/",
    "e/a=1 e/d/b=333",
];

#[test]
fn each_entry_is_made_replaced_and_taken_away() {
    for before in ENTRIES {
        for after in ENTRIES {
            let (here, there) = (Side::new(before), Side::new(after));
            let (seen, held) = (here.scan().tree(), here.all_contents());
            let applied = here.follow(&there).unwrap();
            assert!(applied.failed.is_empty(), "{before} {after}: {applied:?}");
            assert_eq!(here.words(), there.words(), "{before} {after}");
            assert!(
                here.all_contents().is_superset(&held),
                "{before} {after}: what was there is kept"
            );
            let told = Node::overlaid(Some(&seen), &applied.done).unwrap();
            assert!(told.same(&there.scan().tree()), "{before} {after}");
        }
    }
}
