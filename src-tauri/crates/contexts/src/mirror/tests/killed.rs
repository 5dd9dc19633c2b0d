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
    for story in STORIES {
        for at in 1.. {
            let (mut rig, held) = begin(&story);
            rig.world.steps.store(0, Ordering::SeqCst);
            rig.world.ends_at.store(at, Ordering::SeqCst);
            let ended = catch_unwind(AssertUnwindSafe(|| rig.pass()));
            rig.world.ends_at.store(0, Ordering::SeqCst);
            check_next(rig, &story, &held, &format!("killed before step {at}"));
            if ended.is_ok() {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 30, "only {kills} places to be killed at");
}

/// What changes a disk, and what waits for it; a call that only looks leaves what the next of these meets.
#[cfg(target_os = "linux")]
const CALLS: [&str; 10] = [
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "write",
    "fchmod",
    "fsync",
];
/// Names the home folder to the process that is killed.
#[cfg(target_os = "linux")]
const HOME: &str = "MIZZEN_TEST_PASS_IN";

/// The same by the real thing: a process that is killed at a system call, at each in turn.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_killed_at_any_system_call_is_finished_by_the_next() {
    use std::os::unix::process::ExitStatusExt as _;
    if let Some(home) = std::env::var_os(HOME) {
        let mut mirror = open(Path::new(&home), &Wishes::default(), Arc::default());
        mirror.pass().unwrap();
        return;
    }
    let test = "a_process_that_is_killed_at_any_system_call_is_finished_by_the_next";
    let is_killed_at = |call: &str, at: usize, home: &Path| {
        let mut strace = std::process::Command::new("strace");
        let strace = strace
            .args(["-f", "-qq", "-o", "/dev/null"])
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:signal=KILL:when={at}")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &format!("mirror::tests::killed::{test}")])
            .env(HOME, home);
        let ended = strace.output().expect("strace runs");
        let was_killed = ended.status.signal() == Some(9);
        assert!(was_killed || ended.status.success(), "{ended:?}");
        was_killed
    };
    let mut kills = 0;
    // The others make the same calls.
    let stories = STORIES.into_iter();
    for story in
        stories.filter(|(story, ..)| !matches!(*story, "one of the container" | "a conflict"))
    {
        for call in CALLS {
            for at in 1.. {
                let (mut rig, held) = begin(&story);
                // It holds the lock.
                rig.mirror = None;
                let was_killed = is_killed_at(call, at, rig.home.path());
                check_next(rig, &story, &held, &format!("killed at {call} {at}"));
                if !was_killed {
                    break;
                }
                kills += 1;
            }
        }
    }
    assert!(kills > 200, "only {kills} places to be killed at");
}

/// Both sides in step, and then what the story tells; with all versions that there are.
fn begin((_, happen, _): &Story) -> (Rig, Vec<String>) {
    let mut rig = Rig::new();
    rig.write(HOST, "other", "unix:///o", "");
    rig.write(HOST, "prod", "tcp://p:1", "ca.pem=1 key.pem=2");
    rig.pass();
    happen(&mut rig);
    let held = versions(&rig);
    (rig, held)
}

/// The next core comes to what the story expects, with nothing lost and nothing left over.
fn check_next(mut rig: Rig, (story, _, expected): &Story, held: &[String], killed: &str) {
    rig.reopen();
    rig.pass();
    let both = format!("{}\n", rig.both());
    let rest: String = both
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("other"))
        .collect();
    let rest = rest.replace("prod tcp://p:1 ca.pem=1 key.pem=2\n", "");
    assert_eq!(rest.trim(), expected.trim(), "{story}, {killed}");
    assert_eq!(rig.told(), "", "{story}, {killed}: it rests");
    let kept = versions(&rig);
    for version in held {
        assert!(
            kept.contains(version),
            "{story}, {killed}: lost {version:?}"
        );
    }
    let stage = rig.path(CONTAINER).join("contexts/.mizzen");
    let left = stage.read_dir().map_or(0, Iterator::count);
    assert_eq!(left, 0, "{story}, {killed}: left in the stage");
    let orphan = rig.tls(CONTAINER, "prod").exists() && !rig.meta(CONTAINER, "prod").exists();
    assert!(!orphan, "{story}, {killed}: keys without a context");
}

/// Every version that is on a side or in the trash.
fn versions(rig: &Rig) -> Vec<String> {
    let mirror = rig.mirror.as_ref().expect("open");
    let sides = Side::BOTH.map(|side| mirror.root(side).take_inventory().contexts.into_values());
    let found = sides
        .into_iter()
        .flatten()
        .map(|found| found.payload.clone());
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
