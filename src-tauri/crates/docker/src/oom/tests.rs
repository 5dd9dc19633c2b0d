use std::collections::BTreeMap;

use super::*;
use crate::{ContainerState, Health};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// A container that ended at second 1000 with an exit code and, perhaps, the engine's flag.
fn ended(exit_code: i64, flag: bool) -> ContainerFact {
    ContainerFact {
        id: "id".to_owned(),
        name: String::new(),
        image: String::new(),
        image_id: String::new(),
        labels: BTreeMap::new(),
        state: ContainerState::Exited,
        exit_code: Some(exit_code),
        oom_killed: by_flag(flag, Some(exit_code)),
        error: None,
        health: Health::None,
        tty: false,
        created_at: None,
        started_at: None,
        finished_at: Some(second(1000)),
        mounts: Vec::new(),
        networks: Vec::new(),
        memory_limit_bytes: None,
    }
}

#[test]
fn whether_it_died_of_want_of_memory() {
    for (case, exit_code, flag, event, oom) in [
        ("killed, flagged, no event seen", 137, true, None, true),
        (
            "killed, not flagged, event just before",
            137,
            false,
            Some(999),
            true,
        ),
        (
            "killed, not flagged, event just after",
            137,
            false,
            Some(1001),
            true,
        ),
        (
            "killed by someone long after a child was",
            137,
            true,
            Some(500),
            false,
        ),
        (
            "ended well after a child was killed",
            0,
            true,
            Some(999),
            false,
        ),
        ("ended well, flagged, no event seen", 3, true, None, false),
        ("killed by someone", 137, false, None, false),
    ] {
        let mut ooms = Ooms::default();
        if let Some(at) = event {
            ooms.note("id", second(at));
            ooms.note("another", second(1000));
        }
        let mut fact = ended(exit_code, flag);
        ooms.settle(&mut fact);
        assert_eq!(fact.oom_killed, oom, "{case}");
    }
}

#[test]
fn what_is_gone_is_forgotten() {
    let mut ooms = Ooms::default();
    ooms.note("id", second(1000));
    ooms.note("other", second(1000));
    ooms.keep_only(|id| id == "id");
    ooms.forget("id");
    assert!(ooms.newest.is_empty());
}
