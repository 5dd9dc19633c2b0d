//! What a container puts where it reports is no concern of whoever serves the other sessions.

use std::fs;
use std::os::unix::fs::lchown;
use std::path::Path;
use std::time::Duration;

use mizzen_sessions::SessionFact;
use mizzen_status::{Command, CommandId, Order, STATUS_MAX, Signal};
use mizzen_testkit::worst::{self, Read, Thing};
use mizzen_tests::reported::Container;

use crate::rig::{REMOVE_ALL, Rig, SOON, USER};

/// What the account of what is read needs itself, and a runtime to wake up.
const LITTLE: u64 = 4096;
/// Entries beside the files of the protocol.
const CROWD: usize = 20_000;
/// The container's supervisor may have written over it before anybody saw it: it is put there again.
const AGAIN: Duration = Duration::from_secs(2);

/// Puts one thing where another is, by one rename: that is what the host is told of.
fn put(thing: Thing, path: &Path, fields: &str) {
    let beside = path.with_file_name(".worst.tmp");
    take_away(&beside);
    thing.put(&beside, fields).unwrap();
    lchown(&beside, Some(USER.0), Some(USER.1)).unwrap();
    // Unless it is a directory, or one stands there, and the supervisor was faster: then it is done again.
    take_away(path);
    while rustix::fs::rename(&beside, path).is_err() {
        take_away(path);
    }
}

fn take_away(path: &Path) {
    let is_dir = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let _nothing_there = match is_dir {
        true => fs::remove_dir(path),
        false => fs::remove_file(path),
    };
}

/// Does something until the session is seen to be so.
async fn until_seen(rig: &Rig, what: &str, act: impl Fn(), is: impl Fn(&SessionFact) -> bool) {
    let mut facts = rig.sessions.watch();
    let seen = async {
        loop {
            act();
            let seen = facts.wait_for(|facts| facts.get("web").is_some_and(|fact| is(fact)));
            if tokio::time::timeout(AGAIN, seen).await.is_ok() {
                return;
            }
        }
    };
    let seen = tokio::time::timeout(SOON, seen).await;
    assert!(seen.is_ok(), "never seen: {what}: {:#?}", rig.fact("web"));
}

/// Whether what it wrote last is not used.
fn is_refused(fact: &SessionFact) -> bool {
    let first = fact.report.warnings.first();
    first.is_some_and(|it| it.starts_with("The container's status.json is not used"))
}

/// This thread is the runtime's only one: what it reads, all sessions wait for.
#[tokio::test]
async fn whatever_stands_in_a_status_directory_the_thread_that_serves_all_sessions_reads_none_of_it()
 {
    let rig = Rig::new();
    rig.up("web").await;
    let project = rig.root.path().join("projects/web");
    let status = project.join(".para/state/docker/web");
    let (report, queue) = (status.join("status.json"), status.join("commands.json"));
    let logs = status.join("logs");
    fs::create_dir_all(&logs).unwrap();
    worst::crowd(&logs, CROWD).unwrap();
    lchown(&logs, Some(USER.0), Some(USER.1)).unwrap();
    let container = Container::of(&project, "web");

    for (number, thing) in (0..).zip(Thing::all(STATUS_MAX)) {
        let before = Read::by_this_thread().unwrap();
        let fields =
            format!(r#""timestamp":"{number}","status":"running","phase":"worst-{number}""#);
        let worst = || put(thing, &report, &fields);
        match thing {
            Thing::Full(_) => {
                let phase = format!("worst-{number}");
                let is = |fact: &SessionFact| fact.report.phase.as_ref() == Some(&phase);
                until_seen(&rig, "a full report", worst, is).await;
            }
            // No fault before 15 s, and the supervisor has written over it by then.
            Thing::Torn(_) => worst(),
            _ => until_seen(&rig, "a problem", worst, is_refused).await,
        }
        put(thing, &queue, r#""commands":[]"#);
        let id = CommandId::new(&format!("c{number}")).unwrap();
        let command = Command::new(id, Order::Signal(Signal::ReportNow));
        rig.sessions
            .exec("web", command)
            .await
            .expect("it is taken");
        take_away(&queue);
        let good = || {
            take_away(&report);
            container.report(number);
        };
        let phase = Container::phase(number);
        let is = |fact: &SessionFact| fact.report.phase.as_ref() == Some(&phase);
        until_seen(&rig, "a good report", good, is).await;
        let read = before.since().unwrap();
        assert!(read.bytes <= LITTLE, "{thing:?}: {read:?}");
    }

    let before = Read::by_this_thread().unwrap();
    rig.wish("web", REMOVE_ALL).await.expect("it is removed");
    let read = before.since().unwrap();
    assert!(read.bytes <= LITTLE, "at the end: {read:?}");
    assert!(!status.exists());
    rig.end().await;
}
