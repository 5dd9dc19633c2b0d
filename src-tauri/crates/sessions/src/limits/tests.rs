use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::{Limits, SessionSettings, find_room};

const GIB: u64 = 1 << 30;

fn settings(max_running: u32, budget: Option<u64>) -> SessionSettings {
    SessionSettings {
        max_running,
        memory_budget_bytes: budget,
        remote_engines: Vec::new(),
        image: None,
        memory_bytes: 4 * GIB,
        cpus: 2.0,
    }
}

fn check(
    what: &str,
    running: &[(&str, u64)],
    settings: &SessionSettings,
    engine: Option<u64>,
    expected: Expect,
) {
    let running: BTreeMap<String, u64> =
        running.iter().map(|(n, m)| ((*n).to_owned(), *m)).collect();
    let said = match find_room("default", &running, 4 * GIB, settings, engine) {
        Ok(room) => room.warning.unwrap_or_else(|| "room".to_owned()),
        Err(error) => format!("{:?}: {} {}", error.kind, error.message, error.hint),
    };
    expected.assert_eq(&format!("{what}: {said}"));
}

#[test]
fn room_is_found_or_refused_with_the_name_of_the_setting() {
    check(
        "first",
        &[],
        &settings(5, None),
        Some(8 * GIB),
        expect!["first: room"],
    );
    check(
        "third of two",
        &[("api", GIB), ("web", GIB)],
        &settings(2, None),
        None,
        expect![
            "third of two: Limit: 2 sessions run already on the engine `default` (api, web) and `max_running` is 2. Stop one (paused ones count too), or raise `max_running` in the settings."
        ],
    );
    check(
        "over the budget",
        &[("api", 4 * GIB)],
        &settings(5, Some(6 * GIB)),
        None,
        expect![
            "over the budget: Limit: With this session 8 GiB of memory would be promised on the engine `default`, and `memory_budget_bytes` is 6 GiB. Stop one, give this one less with --memory, or raise `memory_budget_bytes` in the settings."
        ],
    );
    check(
        "just in the budget",
        &[("api", 4 * GIB)],
        &settings(5, Some(8 * GIB)),
        None,
        expect!["just in the budget: room"],
    );
    check(
        "more than the engine has",
        &[("api", 4 * GIB)],
        &settings(5, None),
        Some(6 * GIB),
        expect![
            "more than the engine has: Running sessions may use 8 GiB of memory together; the engine has 6 GiB."
        ],
    );
}

#[test]
fn limits_no_container_could_live_with_are_refused() {
    let limits = |memory_bytes, cpus| Limits {
        memory_bytes,
        cpus,
        pids: 512,
    };
    limits(16 << 20, 0.5).check().expect("small, and possible");
    for bad in [
        limits(0, 1.0),
        limits((16 << 20) - 1, 1.0),
        limits(GIB, 0.0),
        limits(GIB, -1.0),
        limits(GIB, f64::NAN),
    ] {
        bad.check().expect_err(&format!("{bad:?}"));
    }
}
