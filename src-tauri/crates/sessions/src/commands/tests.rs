use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mizzen_status::{Command, CommandId, Exec, Order, STATUS_MAX};
use mizzen_testkit::worst::{Read, Thing};

use super::{CommandOutput, Commands, LOG_MAX};
use crate::para::ParaDirs;
use crate::record::Record;
use crate::record::tests::record;

/// What the account of what is read needs itself, and a runtime to wake up.
const LITTLE: u64 = 4096;
/// Largest queue that is read.
const QUEUE_MAX: u64 = 256 << 10;

/// A session of a project that is there; its container writes as the user that the tests run as.
fn session(root: &Path) -> (Record, PathBuf) {
    let mut record = record("web");
    record.project = root.join("project");
    let status = ParaDirs::of(&record.project, &record.name).status;
    fs::create_dir_all(status.join("logs")).unwrap();
    let owner = status.metadata().unwrap();
    (record.user.uid, record.user.gid) = (owner.uid(), owner.gid());
    (record, status)
}

fn id(text: &str) -> CommandId {
    CommandId::new(text).unwrap()
}

fn take_away(path: &Path) {
    let is_dir = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let _nothing_there = match is_dir {
        true => fs::remove_dir(path),
        false => fs::remove_file(path),
    };
}

/// This thread is the runtime's only one: what it reads, all sessions wait for.
#[tokio::test]
async fn whatever_a_container_makes_of_its_queue_and_report_the_runtimes_own_thread_reads_nothing()
{
    let root = tempfile::tempdir().unwrap();
    let (record, status) = session(root.path());
    let mut commands = Commands::open(root.path(), &record);
    let exec = Exec {
        command: "true".to_owned(),
        ..Exec::default()
    };
    let command = Command::new(id("a"), Order::Exec(exec));
    let put = commands.at_work(|list| list.put(command, Timestamp::UNIX_EPOCH).unwrap());
    put.await.unwrap();
    let queue = status.join("commands.json");
    for thing in Thing::all(QUEUE_MAX) {
        take_away(&queue);
        thing.put(&queue, r#""commands":[]"#).unwrap();
        let before = Read::by_this_thread().unwrap();
        commands.show_again();
        commands.tend().await;
        let read = before.since().unwrap();
        assert!(read.bytes <= LITTLE, "{thing:?}: {read:?}");
    }
    let last = r#""timestamp":"1","status":"stopped","commands":[{"id":"a","state":"succeeded"}]"#;
    let report = Thing::Full(STATUS_MAX);
    report.put(&status.join("status.json"), last).unwrap();
    commands.read_last_words(&record);
    let before = Read::by_this_thread().unwrap();
    assert!(commands.tend().await, "its end is news");
    let read = before.since().unwrap();
    assert!(read.bytes <= LITTLE, "{read:?}");
}

#[test]
fn a_piece_of_output_is_no_longer_than_asked_for_whatever_stands_there() {
    const PIECE: u64 = 64 * 1024;
    let root = tempfile::tempdir().unwrap();
    let (record, status) = session(root.path());
    let file = status.join("logs/a.log");
    for thing in Thing::all(LOG_MAX) {
        take_away(&file);
        thing.put(&file, r#""a":1"#).unwrap();
        let before = Read::by_this_thread().unwrap();
        let read = CommandOutput::of(&record, &id("a")).read(PIECE, PIECE);
        let bytes = before.since().unwrap().bytes;
        let is_output = matches!(thing, Thing::Full(_) | Thing::TooDeep(_) | Thing::Torn(_));
        assert_eq!(read.is_ok(), is_output, "{thing:?}: {read:?}");
        let most = if is_output { PIECE } else { 0 };
        assert!(bytes <= most + LITTLE, "{thing:?}: {bytes}");
    }
}
