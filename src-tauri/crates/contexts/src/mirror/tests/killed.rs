//! A pass that ends before any of its changes of a disk; the next one finds its way.

use super::*;

/// Both stores as they were, and what happens to them before the pass that is killed.
type Story = (&'static str, fn(&mut Rig), &'static str);

const STORIES: [Story; 7] = [
    (
        "a new one",
        |rig| rig.write(HOST, "new", "tcp://n:1", "ca.pem=1 key.pem=2"),
        "new tcp://n:1 ca.pem=1 key.pem=2\n",
    ),
    (
        "one of the container",
        |rig| rig.write(CONTAINER, "new", "tcp://n:1", "key.pem=2"),
        "new tcp://n:1 key.pem=2\n",
    ),
    (
        "other meta",
        |rig| rig.write(HOST, "prod", "tcp://p:2", "ca.pem=1 key.pem=2"),
        "prod tcp://p:2 ca.pem=1 key.pem=2\n",
    ),
    (
        "other TLS",
        |rig| rig.write(CONTAINER, "prod", "tcp://p:1", "ca.pem=8 key.pem=9"),
        "prod tcp://p:1 ca.pem=8 key.pem=9\n",
    ),
    (
        "both",
        |rig| rig.write(CONTAINER, "prod", "tcp://p:2", "ca.pem=8 key.pem=9"),
        "prod tcp://p:2 ca.pem=8 key.pem=9\n",
    ),
    ("a deletion", |rig| rig.delete(CONTAINER, "prod"), ""),
    (
        "a conflict",
        |rig| {
            rig.write(HOST, "prod", "tcp://p:3", "ca.pem=3 key.pem=3");
            rig.write(CONTAINER, "prod", "tcp://p:4", "ca.pem=4 key.pem=4");
        },
        "prod tcp://p:3 ca.pem=3 key.pem=3\n",
    ),
];

#[test]
fn a_pass_that_is_killed_anywhere_is_finished_by_the_next() {
    let mut kills = 0;
    for (story, happen, expected) in STORIES {
        for at in 1.. {
            let mut rig = Rig::new();
            rig.write(HOST, "other", "unix:///o", "");
            rig.write(HOST, "prod", "tcp://p:1", "ca.pem=1 key.pem=2");
            rig.pass();
            happen(&mut rig);
            let held = versions(&rig);
            rig.world.steps.store(0, Ordering::SeqCst);
            rig.world.ends_at.store(at, Ordering::SeqCst);
            let ended = catch_unwind(AssertUnwindSafe(|| rig.pass()));
            rig.world.ends_at.store(0, Ordering::SeqCst);
            rig.reopen();
            rig.pass();
            let both = format!("{}\n", rig.both());
            let rest: String = both
                .split_inclusive('\n')
                .filter(|line| !line.starts_with("other"))
                .collect();
            let rest = rest.replace("prod tcp://p:1 ca.pem=1 key.pem=2\n", "");
            assert_eq!(
                rest.trim(),
                expected.trim(),
                "{story}, killed before step {at}"
            );
            assert_eq!(rig.told(), "", "{story}, killed before step {at}: it rests");
            let kept = versions(&rig);
            for version in held {
                assert!(
                    kept.contains(&version),
                    "{story}, killed before step {at}: lost {version:?}"
                );
            }
            let stage = rig.path(CONTAINER).join("contexts/.mizzen");
            let left = stage.read_dir().map_or(0, Iterator::count);
            assert_eq!(
                left, 0,
                "{story}, killed before step {at}: left in the stage"
            );
            let orphan =
                rig.tls(CONTAINER, "prod").exists() && !rig.meta(CONTAINER, "prod").exists();
            assert!(
                !orphan,
                "{story}, killed before step {at}: keys without a context"
            );
            if ended.is_ok() {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 30, "only {kills} places to be killed at");
}

/// Every version that is on a side or in the trash.
fn versions(rig: &Rig) -> Vec<String> {
    let mirror = rig.mirror.as_ref().expect("open");
    let sides = Side::BOTH.map(|side| mirror.root(side).take_inventory().contexts.into_values());
    let found = sides.into_iter().flatten().map(|found| found.payload);
    let trashed = mirror
        .trash
        .list()
        .expect("a list")
        .into_iter()
        .map(|(_, one)| one.payload);
    found
        .chain(trashed)
        .map(|payload| format!("{} {}", payload.name, payload.print()))
        .collect()
}

#[test]
fn what_cannot_be_kept_is_not_replaced() {
    let mut rig = Rig::new();
    rig.write(HOST, "prod", "tcp://p:1", "ca.pem=1 key.pem=2");
    rig.write(HOST, "other", "unix:///a", "");
    rig.pass();
    let trash = rig.home.path().join("state/trash");
    fs::remove_dir(&trash).unwrap();
    rig.write(HOST, "prod", "tcp://p:2", "ca.pem=1 key.pem=2");
    rig.delete(HOST, "other");
    rig.write(HOST, "new", "unix:///n", "");
    assert_eq!(
        rig.told(),
        "`new` is new on the host: it leads to unix:///n."
    );
    let before = "new unix:///n\nother unix:///a\nprod tcp://p:1 ca.pem=1 key.pem=2";
    assert_eq!(rig.draw(CONTAINER), before);
    assert_eq!(rig.status().standing, Standing::Damaged);
    fs::create_dir(&trash).unwrap();
    rig.pass();
    assert_eq!(
        rig.both(),
        "new unix:///n\nprod tcp://p:2 ca.pem=1 key.pem=2"
    );
    assert_eq!(rig.status().standing, Standing::InStep);
}
