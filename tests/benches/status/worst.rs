//! What one look costs at the worst that a container can put into its status directory.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mizzen_fsx::SafeDir;
use mizzen_status::{
    COMMANDS_FILE, Command, CommandId, Exec, Order, Outbox, STATUS_FILE, STATUS_MAX, read_status,
};
use mizzen_testkit::worst::{self, Thing};
use mizzen_tests::figure::Figure;

/// Looks at each thing.
const LOOKS: u32 = 20;
/// Entries beside the files of the protocol.
const CROWD: usize = 100_000;

/// Each thing that can stand there, and the worst of them.
pub(crate) fn looks() {
    let place = tempfile::tempdir().unwrap();
    worst::crowd(place.path(), CROWD).unwrap();
    let report = |path: &Path| drop(read_status(&SafeDir::open(path).unwrap(), None));
    let fields = r#""timestamp":"1","status":"running""#;
    print(
        "the worst report",
        &slowest(place.path(), (STATUS_FILE, fields), report),
    );

    let outbox = std::cell::RefCell::new(outbox(place.path()));
    let queue = |path: &Path| drop(outbox.borrow_mut().show(path, None, false));
    let fields = r#""processed":[]"#;
    print(
        "the worst queue, which is written again",
        &slowest(place.path(), (COMMANDS_FILE, fields), queue),
    );
}

/// Times of the thing that takes longest. It is put there anew before each look.
fn slowest(place: &Path, (name, fields): (&str, &str), look: impl Fn(&Path)) -> Vec<Duration> {
    let path = place.join(name);
    let times = Thing::all(STATUS_MAX).into_iter().map(|thing| {
        let times = (0..LOOKS).map(|_| {
            take_away(&path);
            thing.put(&path, fields).unwrap();
            let begun = Instant::now();
            look(place);
            begun.elapsed()
        });
        times.collect::<Vec<_>>()
    });
    let slowest = times.max_by_key(|times| times.iter().sum::<Duration>());
    take_away(&path);
    slowest.unwrap()
}

fn outbox(place: &Path) -> Outbox {
    let mut outbox = Outbox::open(place.join("list.json"), "session").unwrap();
    let exec = Exec {
        command: "true".to_owned(),
        ..Exec::default()
    };
    let command = Command::new(CommandId::new("a").unwrap(), Order::Exec(exec));
    outbox.put(command, Timestamp::UNIX_EPOCH).unwrap();
    outbox
}

fn take_away(path: &Path) {
    let is_dir = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let _nothing_there = match is_dir {
        true => std::fs::remove_dir(path),
        false => std::fs::remove_file(path),
    };
}

fn print(what: &str, times: &[Duration]) {
    let name = format!("one look at {what} in a directory of {CROWD} entries");
    Figure::of_times(&name, "", times).print();
}
