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
    rest(&mut rig);
    rig
}

fn rest(rig: &mut Rig) {
    for _ in 0..3 {
        rig.pass();
        rig.world.pause(LONG);
    }
}

/// Writes so that neither size nor time of the file is another.
fn quietly(path: &Path, text: &[u8]) {
    let facts = || {
        let facts = path.metadata().expect("a file");
        (facts.len(), facts.modified().expect("a time"))
    };
    let before = facts();
    let file = File::options().write(true).open(path);
    let mut file = file.expect("a file");
    file.write_all(text).expect("written");
    file.set_modified(before.1).expect("a time");
    assert_eq!(before, facts());
}

/// Lets a context lead elsewhere.
fn turn(rig: &Rig, side: Side, name: &str) {
    let meta = rig.meta(side, name);
    let text = fs::read_to_string(&meta).expect("a context");
    let text = match text.contains("//h:") {
        true => text.replace("//h:", "//i:"),
        false => text.replace("//i:", "//h:"),
    };
    quietly(&meta, text.as_bytes());
}

/// What a glance carried over.
fn glance(rig: &mut Rig) -> usize {
    rig.mirror().glance().expect("a pass").changes.len()
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
fn a_glance_at_rest_asks_for_stamps_alone() {
    let mut rig = at_rest();
    let opened = count(&rig);
    for _ in 0..GLANCES {
        assert_eq!(glance(&mut rig), 0);
        rig.world.pause(LONG);
    }
    let Count {
        files,
        reads,
        lists,
        ..
    } = opened.count().unwrap();
    assert_eq!((files, reads, lists), (0, 0, 0));
    // What changed last is read once more before its stamps are believed, and it alone.
    rig.write(HOST, "n7", "tcp://i:7", "ca.pem=1 cert.pem=2 key.pem=3");
    assert_eq!(rig.pass().changes.len(), 1);
    rig.pass();
    rig.world.pause(LONG);
    opened.count().unwrap();
    let revision = rig.mirror().revision();
    assert_eq!(glance(&mut rig), 0);
    let of_one = opened.count().unwrap();
    assert!((2..=8).contains(&of_one.files), "{of_one:?}");
    assert_eq!(rig.mirror().revision(), revision);
    assert_eq!(glance(&mut rig), 0);
    assert_eq!(opened.count().unwrap().files, 0);
    // One that cannot be judged is judged again, and it alone.
    fs::write(rig.meta(CONTAINER, "n6"), "{").unwrap();
    rest(&mut rig);
    opened.count().unwrap();
    assert_eq!(glance(&mut rig), 0);
    let of_one = opened.count().unwrap();
    assert_eq!((of_one.files, of_one.reads), (1, 1));
    fs::write(rig.meta(CONTAINER, "n6"), "}").unwrap();
    glance(&mut rig);
    let status = rig.status();
    assert_eq!(status.standing, Standing::Damaged);
    rig.write(
        CONTAINER,
        "n6",
        "tcp://h:6",
        "ca.pem=1 cert.pem=2 key.pem=3",
    );
    glance(&mut rig);
    assert_eq!(rig.status().standing, Standing::InStep);
}

#[test]
fn a_change_that_keeps_size_and_time_of_a_file_is_seen() {
    let mut rig = at_rest();
    quietly(&rig.tls(CONTAINER, "n1").join("key.pem"), b"9");
    assert_eq!(
        rig.told(),
        "`n1` was changed on the container side: its TLS material is another."
    );
    turn(&rig, HOST, "n2");
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

#[test]
fn a_change_that_nobody_told_of_is_found_by_one_of_ten_glances_and_all_others_with_it() {
    let mut rig = at_rest();
    let mut glances = Vec::new();
    for number in 0..8 {
        let side = Side::BOTH[number % 2];
        turn(&rig, side, &format!("n{number}"));
        let mut count = 1;
        while glance(&mut rig) == 0 {
            count += 1;
            assert!(count <= GLANCES, "never: {glances:?}");
        }
        assert!(rig.both().contains(&format!("n{number} tcp://i:")));
        glances.push(count);
        rest(&mut rig);
    }
    assert!(
        glances.iter().any(|count| *count > 1),
        "each takes in everything: {glances:?}"
    );
    for number in 0..CONTEXTS {
        turn(&rig, Side::BOTH[number % 2], &format!("n{number}"));
    }
    assert_eq!(glance(&mut rig), CONTEXTS, "who finds one looks for more");
}

#[test]
fn a_glance_finds_what_came_and_went_and_another_store() {
    let mut rig = at_rest();
    assert_eq!(glance(&mut rig), 0);
    rig.write(CONTAINER, "new", "tcp://new:1", "ca.pem=1");
    assert_eq!(glance(&mut rig), 1);
    rest(&mut rig);
    fs::remove_dir_all(rig.meta(HOST, "n3").parent().unwrap()).unwrap();
    assert_eq!(glance(&mut rig), 1);
    rest(&mut rig);
    // Another store takes its place, as where a link leads elsewhere: in it, all contexts but one are the same.
    for number in 4..12 {
        let contexts = rig.path(HOST).join("contexts");
        let (meta, aside) = (contexts.join("meta"), contexts.join("aside"));
        fs::rename(&meta, &aside).unwrap();
        fs::create_dir(&meta).unwrap();
        for entry in aside.read_dir().unwrap().flatten() {
            fs::rename(entry.path(), meta.join(entry.file_name())).unwrap();
        }
        fs::remove_dir(&aside).unwrap();
        turn(&rig, HOST, &format!("n{number}"));
        assert_eq!(glance(&mut rig), 1, "n{number}");
        rest(&mut rig);
    }
}
