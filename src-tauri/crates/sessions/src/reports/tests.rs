use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use mizzen_tasks::Owner;
#[cfg(target_os = "linux")]
use mizzen_testkit::opened::{Count, Opened};
#[cfg(target_os = "linux")]
use mizzen_testkit::worst::{self, Read, Thing};
use tokio::sync::mpsc;

use super::{Beat, Heard, follow};
use crate::fact::{CodeServer, Health};

const SOON: Duration = Duration::from_secs(20);

fn write(dir: &Path, text: &str) {
    mizzen_fsx::write_atomic(dir.join("status.json"), text.as_bytes()).unwrap();
}

fn start(owner: &Owner, dir: &Path) -> mpsc::Receiver<Heard> {
    let (tell, told) = mpsc::channel(16);
    let uid = cfg!(target_os = "linux").then(|| dir.metadata().unwrap().uid());
    owner.spawn("follow", follow(dir.to_owned(), uid, tell));
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

/// Row 23: whoever follows sees the newest four times a second, and that is all it costs. Time passes as it is waited for.
#[tokio::test(start_paused = true)]
async fn row_23_a_thousand_reports_a_second_are_heard_four_times() {
    const SECONDS: usize = 2;
    let dir = tempfile::tempdir().unwrap();
    let owner = Owner::root("test");
    let mut told = start(&owner, dir.path());
    let (mut heard, mut last) = (0, None);
    for number in 0..SECONDS * 1000 {
        write(
            dir.path(),
            &format!(r#"{{"timestamp":"1","seq":{number},"status":"running"}}"#),
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
        while let Ok(report) = told.try_recv() {
            heard += 1;
            last = Some(report);
        }
    }
    assert!(last.is_some() && heard <= 4 * SECONDS + 1, "{heard}");
    // The very last one is heard, too.
    let newest = Some(SECONDS as u64 * 1000 - 1);
    let is_newest =
        |heard: &Heard| matches!(heard, Heard::Report { beat, .. } if beat.seq == newest);
    while !last.as_ref().is_some_and(is_newest) {
        last = Some(next(&mut told).await);
    }
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

/// Hints may be lost, so each session is looked at every few seconds: a look at what has not changed opens nothing,
/// however many there are.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn sessions_that_say_nothing_are_not_read_again() {
    let home = tempfile::tempdir().unwrap();
    let owner = Owner::root("test");
    let dirs = (0..200).map(|number| {
        let dir = home.path().join(number.to_string());
        std::fs::create_dir(&dir).unwrap();
        write(&dir, r#"{"timestamp":"1","status":"running"}"#);
        dir
    });
    let dirs: Vec<_> = dirs.collect();
    let opened = Opened::below([home.path()]).unwrap();
    let mut all: Vec<_> = dirs.iter().map(|dir| start(&owner, dir)).collect();
    for told in &mut all {
        assert!(matches!(next(told).await, Heard::Report { .. }));
    }
    // Time passes in no time while all of them wait.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(opened.count().unwrap().files >= dirs.len(), "it counts");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(opened.count().unwrap(), Count::default());
    write(&dirs[7], r#"{"timestamp":"2","status":"idle"}"#);
    let Heard::Report { report, .. } = next(&mut all[7]).await else {
        panic!("a report")
    };
    assert_eq!(report.phase.as_deref(), Some("idle"));
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
    use super::{Found, Instant, Looker, SafeDir};
    let cap = mizzen_status::STATUS_MAX;
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    worst::crowd(dir.path(), 100_000).unwrap();
    for thing in Thing::all(cap) {
        let file = dir.path().join("status.json");
        thing.put(&file, FIELDS).unwrap();
        let opened = Opened::below([dir.path()]).unwrap();
        let mut looker = Looker::new(SafeDir::open(dir.path()).unwrap(), None);
        let before = Read::by_this_thread().unwrap();
        let found = looker.look(Instant::now());
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
    use super::{Duration, Found, Instant, Looker, SETTLED, SafeDir};
    let dir = tempfile::tempdir().unwrap();
    let cap = mizzen_status::STATUS_MAX;
    let file = dir.path().join("status.json");
    Thing::Torn(cap).put(&file, FIELDS).unwrap();
    let mut looker = Looker::new(SafeDir::open(dir.path()).unwrap(), None);
    let begun = Instant::now();
    let mut torn = 0;
    while matches!(looker.look(begun), Found::Torn) {
        torn += 1;
    }
    assert_eq!(torn, 3);
    looker.look(begun + SETTLED);
    let before = Read::by_this_thread().unwrap();
    looker.look(begun + SETTLED + Duration::from_millis(250));
    assert!(before.since().unwrap().bytes <= LITTLE, "it is known");
    // And it is read once it is whole.
    std::fs::remove_file(&file).unwrap();
    Thing::Full(cap).put(&file, FIELDS).unwrap();
    assert!(matches!(looker.look(begun), Found::News(_)));
}
