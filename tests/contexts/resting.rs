//! The core, while nothing happens to the contexts that it mirrors.

use std::time::Instant;

use mizzen_testkit::opened::{Count, Opened};
use mizzen_tests::rig::PATIENCE;

use crate::as_docker::{AsDocker, Made};
use crate::rig::{BOTH, Person, Side};

const CONTEXTS: usize = 20;

/// Reads of a look, and of all that a core does with what it saw: counted by the system, whoever they come from.
#[tokio::test]
async fn a_core_at_rest_opens_no_file_of_either_side() {
    let (person, client) = Person::mirrored().await;
    let host = AsDocker(person.path(Side::Host).join("contexts"));
    let tls = [b"1", b"2", b"3"].map(|one| one.to_vec());
    for number in 0..CONTEXTS {
        let made = Made {
            name: &format!("n{number}"),
            description: "",
            host: "tcp://h:2376",
            tls: Some(&tls),
        };
        assert!(host.create(&made).unwrap());
    }
    person.in_step(&client).await;
    let opened = Opened::below(BOTH.map(|side| person.path(side))).unwrap();
    let started = Instant::now();
    let mut counts = Vec::new();
    // What was read before its stamps could be trusted is read once more, and then no more.
    while counts.last().is_none_or(|count: &Count| count.files > 0) {
        assert!(
            started.elapsed() < PATIENCE,
            "files are read at rest: {counts:?}"
        );
        assert_eq!(person.mizzen(&["contexts", "sync"]).code, 0);
        counts.push(opened.count().unwrap());
    }
    for _ in 0..3 {
        assert_eq!(person.mizzen(&["contexts", "sync"]).code, 0);
        let Count {
            files,
            reads,
            folders,
            lists,
        } = opened.count().unwrap();
        assert_eq!((files, reads), (0, 0));
        assert!(folders < 2 * CONTEXTS, "{folders} folders were opened");
        assert!(
            // Two of `meta/`; each context has five.
            lists < CONTEXTS * 2,
            "{lists} folders were listed, to be watched anew"
        );
    }
    // And a change is still seen at once.
    person.context(Side::Container, &["update", "n7", "--description", "other"]);
    person.in_step(&client).await;
}
