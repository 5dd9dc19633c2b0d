use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use mizzen_tasks::Owner;
#[cfg(target_os = "linux")]
use mizzen_testkit::opened::{Count, Opened};
#[cfg(target_os = "linux")]
use mizzen_testkit::worst::{self, Read, Thing};
use tokio::sync::mpsc;

use super::looker::{Found, Looker};
use super::{Beat, Heard, Listener, Lookout, Pulse, follow};
use crate::fact::{CodeServer, Health};

const SOON: Duration = Duration::from_secs(20);

fn write(dir: &Path, text: &str) {
    mizzen_fsx::write_atomic(dir.join("status.json"), text.as_bytes()).unwrap();
}

fn start(owner: &Owner, dir: &Path) -> mpsc::Receiver<Heard> {
    let (tell, told) = mpsc::channel(16);
    let uid = cfg!(target_os = "linux").then(|| dir.metadata().unwrap().uid());
    let listener = Listener {
        lookout: Arc::new(Lookout::new(Arc::new(Timestamp::now))),
        tell,
        pulse: Arc::default(),
    };
    owner.spawn("follow", follow(dir.to_owned(), uid, listener));
    told
}

async fn next(told: &mut mpsc::Receiver<Heard>) -> Heard {
    tokio::time::timeout(SOON, told.recv())
        .await
        .expect("in time")
        .expect("the follower lives")
}

#[tokio::test]
async fn reports_are_heard_once_and_garbage_is_a_problem_that_ends() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Owner::root("test");
    let mut told = start(&owner, dir.path());
    write(
        dir.path(),
        r#"{"timestamp":"1","status":"running","health":"degraded","phase":"idle",
        "services":{"code-server":"missing"},"warnings":["old","new"],"errors":[{"message":"worse"}]}"#,
    );
    let Heard::Report {
        report,
        health,
        code_server,
        ..
    } = next(&mut told).await
    else {
        panic!("a report")
    };
    assert_eq!(
        (health, code_server),
        (Health::Degraded, CodeServer::Missing)
    );
    assert_eq!(report.phase.as_deref(), Some("idle"));
    assert_eq!(report.errors, ["worse"]);
    assert_eq!(report.warnings, ["new", "old"]);

    write(dir.path(), "[]");
    assert!(matches!(next(&mut told).await, Heard::Problem(_)));
    write(dir.path(), r#"{"timestamp":"2","status":"error"}"#);
    let Heard::Report { health, .. } = next(&mut told).await else {
        panic!("a report")
    };
    assert_eq!(
        health,
        Health::Unhealthy,
        "the same content later is not told again, a new one is"
    );
    owner.shut_down(SOON).await;
}

#[tokio::test]
async fn a_link_in_place_of_the_report_is_never_read() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("status.json")).unwrap();
    let owner = Owner::root("test");
    let mut told = start(&owner, dir.path());
    let Heard::Problem(problem) = next(&mut told).await else {
        panic!("a problem")
    };
    assert!(problem.contains("a link"), "{problem}");
    owner.shut_down(SOON).await;
}

#[test]
fn only_a_report_with_an_earlier_number_and_time_is_old() {
    let beat = |seq, at: &str| Beat {
        seq: Some(seq),
        at: at.parse().ok(),
    };
    let last = beat(7, "2026-01-01T10:00:00Z");
    assert!(beat(6, "2026-01-01T09:59:55Z").is_before(&last));
    for newer in [
        beat(8, "2026-01-01T10:00:05Z"),
        // Started again.
        beat(1, "2026-01-01T10:00:05Z"),
        // Its clock was set back.
        beat(8, "2025-01-01T00:00:00Z"),
    ] {
        assert!(!newer.is_before(&last), "{newer:?}");
    }
}

/// A looker at one directory, and where it notes what it finds.
fn looker(dir: &Path) -> (Looker, Arc<Pulse>) {
    let pulse = Arc::new(Pulse::default());
    let looker = Looker::open(dir, None, pulse.clone()).unwrap();
    (looker, pulse)
}

/// Hints may be lost, so each session is looked at every few seconds: a look at what has not changed opens nothing,
/// however many there are.
#[cfg(target_os = "linux")]
#[test]
fn sessions_that_say_nothing_are_not_read_again() {
    let home = tempfile::tempdir().unwrap();
    let dirs = (0..200).map(|number| {
        let dir = home.path().join(number.to_string());
        std::fs::create_dir(&dir).unwrap();
        write(&dir, r#"{"timestamp":"1","status":"running"}"#);
        dir
    });
    let dirs: Vec<_> = dirs.collect();
    let opened = Opened::below([home.path()]).unwrap();
    let mut lookers: Vec<_> = dirs.iter().map(|dir| looker(dir).0).collect();
    let begun = Instant::now();
    let mut news = |seconds: u64| {
        let now = begun + Duration::from_secs(seconds);
        let looks = lookers
            .iter_mut()
            .map(|looker| looker.look(now, Timestamp::UNIX_EPOCH));
        looks
            .filter(|found| matches!(found, Found::News(_)))
            .count()
    };
    assert_eq!(news(0), dirs.len());
    assert_eq!(news(7), 0);
    assert!(opened.count().unwrap().files >= dirs.len(), "it counts");
    for round in 2..500 {
        assert_eq!(news(7 * round), 0);
    }
    assert_eq!(opened.count().unwrap(), Count::default());
    write(&dirs[7], r#"{"timestamp":"2","status":"idle"}"#);
    assert_eq!(news(3600), 1);
}

/// What changes with each report is when it was made. Whoever waits for nothing else is not woken for it.
#[test]
fn a_report_that_says_nothing_new_is_noted_and_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let (mut looker, pulse) = looker(dir.path());
    let (begun, wall) = (Instant::now(), Timestamp::now());
    // The second of the look, what the report says beside its time, by how many seconds its clock is ahead.
    for (second, fields, ahead, is_told) in [
        (0, r#""health":"healthy""#, 0, true),
        // Some changes count only once two reports in a row say so.
        (5, r#""health":"healthy""#, 0, true),
        (10, r#""health":"healthy""#, 0, false),
        (15, r#""health":"healthy""#, 2, false),
        (20, r#""health":"unhealthy""#, 0, true),
        (25, r#""health":"unhealthy""#, 0, true),
        (30, r#""health":"unhealthy""#, 0, false),
        (35, r#""health":"unhealthy","warnings":["w"]"#, 0, true),
        (40, r#""health":"unhealthy","custom":{"a":1}"#, 0, true),
        (45, r#""health":"unhealthy","custom":{"a":2}"#, 0, true),
        (50, r#""health":"unhealthy","custom":{"a":3}"#, 0, false),
        (55, r#""health":"unhealthy""#, 300, true),
        (60, r#""health":"unhealthy""#, 302, true),
        (65, r#""health":"unhealthy""#, 301, false),
        // It was silent, and somebody may have been told of that.
        (80, r#""health":"unhealthy""#, 301, true),
        (85, r#""health":"unhealthy""#, 301, false),
    ] {
        let wall = wall + SignedDuration::from_secs(second);
        let at = wall + SignedDuration::from_secs(ahead);
        write(
            dir.path(),
            &format!(r#"{{"timestamp":"{at}","seq":{second},"status":"running",{fields}}}"#),
        );
        let now = begun + Duration::from_secs(second.unsigned_abs());
        let found = looker.look(now, wall);
        assert_eq!(matches!(found, Found::News(_)), is_told, "at {second} s");
        assert_eq!(pulse.last(), Some(now), "at {second} s");
    }
}

#[test]
fn each_report_is_told_while_somebody_waits_for_one_and_after_one_that_was_not_heard() {
    let dir = tempfile::tempdir().unwrap();
    let (mut looker, pulse) = looker(dir.path());
    let now = Instant::now();
    let mut seq = 0;
    let mut is_told = |looker: &mut Looker| {
        seq += 1;
        let text = format!(r#"{{"timestamp":"{seq}","status":"running"}}"#);
        write(dir.path(), &text);
        matches!(looker.look(now, Timestamp::UNIX_EPOCH), Found::News(_))
    };
    let told: Vec<_> = (0..3).map(|_| is_told(&mut looker)).collect();
    assert_eq!(told, [true, true, false]);
    pulse.want_each(true);
    assert!(is_told(&mut looker) && is_told(&mut looker));
    pulse.want_each(false);
    assert!(!is_told(&mut looker));
    looker.forget();
    let again = looker.look(now, Timestamp::UNIX_EPOCH);
    assert!(matches!(again, Found::News(_)), "the same report");
}

/// What the account of what is read needs itself, and a runtime to wake up.
#[cfg(target_os = "linux")]
const LITTLE: u64 = 4096;
#[cfg(target_os = "linux")]
const FIELDS: &str = r#""timestamp":"1","status":"running""#;

/// Whatever a container puts there, and however much beside it, a look reads no more than the protocol allows, and lists
/// nothing.
#[cfg(target_os = "linux")]
#[test]
fn rows_1_to_12_a_look_at_the_worst_directory_reads_a_bounded_amount() {
    let cap = mizzen_status::STATUS_MAX;
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    worst::crowd(dir.path(), 100_000).unwrap();
    for thing in Thing::all(cap) {
        let file = dir.path().join("status.json");
        thing.put(&file, FIELDS).unwrap();
        let opened = Opened::below([dir.path()]).unwrap();
        let mut looker = looker(dir.path()).0;
        let before = Read::by_this_thread().unwrap();
        let found = looker.look(Instant::now(), Timestamp::now());
        let read = before.since().unwrap();
        let most = match thing {
            Thing::Full(_) | Thing::TooDeep(_) | Thing::Torn(_) => cap,
            _ => 0,
        };
        assert!(read.bytes <= most + LITTLE, "{thing:?}: {read:?}");
        assert!(read.calls <= 64, "{thing:?}: {read:?}");
        assert_eq!(opened.count().unwrap().lists, 0, "{thing:?}");
        let is_as_it_should = match thing {
            Thing::Full(_) => {
                matches!(found, Found::News(told) if matches!(*told, Heard::Report { .. }))
            }
            Thing::Torn(_) => matches!(found, Found::Torn),
            _ => matches!(found, Found::News(told) if matches!(*told, Heard::Problem(_))),
        };
        assert!(is_as_it_should, "{thing:?}");
        match thing {
            Thing::Directory => std::fs::remove_dir(file).unwrap(),
            _ => std::fs::remove_file(file).unwrap(),
        }
    }
}

/// This thread is the runtime's only one: what it reads, all sessions wait for.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn whoever_follows_reads_nothing_on_the_runtimes_own_thread() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Owner::root("test");
    let full = Thing::Full(mizzen_status::STATUS_MAX);
    full.put(&dir.path().join("status.json"), FIELDS).unwrap();
    let before = Read::by_this_thread().unwrap();
    let mut told = start(&owner, dir.path());
    assert!(matches!(next(&mut told).await, Heard::Report { .. }));
    let mut record = crate::record::tests::record("web");
    record.project = dir.path().to_owned();
    let status = crate::para::ParaDirs::of(&record.project, &record.name).status;
    std::fs::create_dir_all(&status).unwrap();
    let last = r#""timestamp":"1","status":"stopped","final":true,"services":{"sync":"stopped"}"#;
    full.put(&status.join("status.json"), last).unwrap();
    record.user.uid = dir.path().metadata().unwrap().uid();
    assert!(super::ended_in_step(&record).await);
    let read = before.since().unwrap();
    assert!(read.bytes <= LITTLE, "{read:?}");
    owner.shut_down(SOON).await;
}

/// Row 10: a file that stays torn is looked at again three times, and costs nothing from then on.
#[cfg(target_os = "linux")]
#[test]
fn row_10_a_file_that_stays_torn_is_not_read_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let cap = mizzen_status::STATUS_MAX;
    let file = dir.path().join("status.json");
    Thing::Torn(cap).put(&file, FIELDS).unwrap();
    let mut looker = looker(dir.path()).0;
    let begun = Instant::now();
    let mut torn = 0;
    let look = |looker: &mut Looker, after: Duration| looker.look(begun + after, Timestamp::now());
    while matches!(look(&mut looker, Duration::ZERO), Found::Torn) {
        torn += 1;
    }
    assert_eq!(torn, 3);
    let settled = Duration::from_secs(5);
    look(&mut looker, settled);
    let before = Read::by_this_thread().unwrap();
    look(&mut looker, settled + Duration::from_millis(250));
    assert!(before.since().unwrap().bytes <= LITTLE, "it is known");
    // It is no fault before 15 s, and is told once.
    let found = look(&mut looker, Duration::from_secs(14));
    assert!(matches!(found, Found::Nothing), "{found:?}");
    let found = look(&mut looker, Duration::from_secs(15));
    let Found::News(told) = found else {
        panic!("{found:?}")
    };
    let problem = "The container's status.json is not used: not written to its end.";
    assert_eq!(*told, Heard::Problem(problem.to_owned()));
    let found = look(&mut looker, Duration::from_secs(21));
    assert!(matches!(found, Found::Nothing), "{found:?}");
    // And it is read once it is whole.
    std::fs::remove_file(&file).unwrap();
    Thing::Full(cap).put(&file, FIELDS).unwrap();
    assert!(matches!(look(&mut looker, settled * 5), Found::News(_)));
}
