//! While nothing happens, a look opens no file; and whatever happens is seen all the same.

use std::fs::File;
use std::io::Write as _;

use mizzen_testkit::opened::{Count, Opened};

use super::*;

const CONTEXTS: usize = 20;
/// Longer than any file system's clock is coarse.
const LONG: Duration = Duration::from_secs(30);

/// Both sides hold the same, and have been looked at since for long enough.
fn at_rest() -> Rig {
    let mut rig = Rig::new();
    for number in 0..CONTEXTS {
        let (name, host) = (format!("n{number}"), format!("tcp://h:{number}"));
        rig.write(HOST, &name, &host, "ca.pem=1 cert.pem=2 key.pem=3");
    }
    for side in Side::BOTH {
        fs::write(rig.path(side).join("config.json"), "{}").expect("a file");
    }
    for _ in 0..3 {
        rig.pass();
        rig.world.pause(LONG);
    }
    rig
}

fn count(rig: &Rig) -> Opened {
    Opened::below(Side::BOTH.map(|side| rig.path(side))).expect("a count")
}

#[test]
fn a_look_at_rest_opens_no_file_and_plans_nothing() {
    let mut rig = at_rest();
    let (opened, revision, moves) = (count(&rig), rig.mirror().revision(), rig.mirror().moves());
    for _ in 0..3 {
        rig.pass();
        rig.world.pause(LONG);
    }
    let Count {
        files,
        reads,
        folders,
        lists,
    } = opened.count().unwrap();
    assert_eq!((files, reads), (0, 0));
    // Some of each side, however many contexts there are: who watches them is told of each, and a context has three.
    assert!(folders < 3 * 2 * CONTEXTS, "{folders} folders were opened");
    // `meta/` of both sides, three times: a list is asked for until it has an end, and told of to its parent as well.
    assert!(lists < 3 * CONTEXTS, "{lists} folders were listed");
    assert_eq!(rig.mirror().revision(), revision);
    assert_eq!(rig.mirror().moves(), moves);
    assert_eq!(rig.status().standing, Standing::InStep);
    // It does count: what a change makes it read are few of all these.
    rig.write(
        CONTAINER,
        "n3",
        "tcp://other:1",
        "ca.pem=1 cert.pem=2 key.pem=3",
    );
    rig.pass();
    let one = opened.count().unwrap();
    assert!(one.files > 0 && one.reads > 0, "{one:?}");
    assert!(one.reads < CONTEXTS * 4, "all were read for one: {one:?}");
    assert!(rig.both().contains("n3 tcp://other:1"));
    assert!(rig.mirror().revision() > revision && rig.mirror().moves() > moves);
}

#[test]
fn a_change_that_keeps_size_and_time_of_a_file_is_seen() {
    let mut rig = at_rest();
    let quietly = |path: &Path, text: &[u8]| {
        let before = path.metadata().unwrap();
        let mut file = File::options().write(true).open(path).unwrap();
        file.write_all(text).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        let after = path.metadata().unwrap();
        assert_eq!(
            (before.len(), before.modified().unwrap()),
            (after.len(), after.modified().unwrap())
        );
    };
    quietly(&rig.tls(CONTAINER, "n1").join("key.pem"), b"9");
    assert_eq!(
        rig.told(),
        "`n1` was changed on the container side: its TLS material is another."
    );
    let meta = rig.meta(HOST, "n2");
    let text = fs::read_to_string(&meta).unwrap().replace("//h:", "//i:");
    quietly(&meta, text.as_bytes());
    rig.world.pause(LONG);
    assert_eq!(
        rig.told(),
        "`n2` was changed on the host: it leads to tcp://i:2 now, not to tcp://h:2."
    );
    quietly(&rig.path(HOST).join("config.json"), b"[]");
    rig.world.pause(LONG);
    rig.pass();
    assert!(rig.status().sides[0].problem.is_some());
}

#[test]
fn files_and_folders_that_come_and_go_are_seen() {
    let mut rig = at_rest();
    let key = rig.tls(HOST, "n4").join("key.pem");
    fs::remove_file(&key).unwrap();
    rig.pass();
    rig.world.pause(LONG);
    rig.pass();
    assert!(rig.both().contains("n4 tcp://h:4 ca.pem=1 cert.pem=2\n"));
    rig.world.pause(LONG);
    rig.pass();
    fs::remove_dir_all(rig.tls(CONTAINER, "n5").parent().unwrap()).unwrap();
    rig.pass();
    rig.world.pause(LONG);
    rig.pass();
    assert!(rig.both().contains("n5 tcp://h:5\n"));
    // Another store with the same in it is as it was, and has to be watched anew.
    let (meta, aside) = (
        rig.path(HOST).join("contexts/meta"),
        rig.path(HOST).join("aside"),
    );
    rig.world.pause(LONG);
    rig.pass();
    let (moves, revision) = (rig.mirror().moves(), rig.mirror().revision());
    fs::create_dir(&aside).unwrap();
    for entry in meta.read_dir().unwrap() {
        let from = entry.unwrap();
        let to = aside.join(from.file_name());
        fs::create_dir(&to).unwrap();
        fs::copy(from.path().join("meta.json"), to.join("meta.json")).unwrap();
    }
    fs::remove_dir_all(&meta).unwrap();
    fs::rename(&aside, &meta).unwrap();
    assert_eq!(rig.told(), "");
    assert!(rig.mirror().moves() > moves);
    assert_eq!(
        rig.mirror().revision(),
        revision,
        "nothing else is to be shown"
    );
}

#[test]
fn what_could_not_be_read_is_tried_each_time() {
    let mut rig = at_rest();
    fs::write(rig.meta(CONTAINER, "n6"), "{").unwrap();
    for _ in 0..3 {
        rig.pass();
        rig.world.pause(LONG);
    }
    let opened = count(&rig);
    rig.pass();
    let damaged = opened.count().unwrap();
    assert_eq!((damaged.files, damaged.reads), (1, 1));
    assert_eq!(rig.status().standing, Standing::Damaged);
}
