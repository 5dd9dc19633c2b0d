//! More happens at once than the system keeps in mind for who watches.

use std::fs::{self, File};

use rustix::process::Signal;

use crate::as_docker::{AsDocker, Made};
use crate::rig::{BOTH, Person, Side};

/// The system drops what comes when so many events wait to be read.
const QUEUE: &str = "/proc/sys/fs/inotify/max_queued_events";
const CONTEXTS: usize = 12;

fn made<'a>(name: &'a str, host: &'a str, tls: &'a [Vec<u8>; 3]) -> Made<'a> {
    Made {
        name,
        description: "",
        host,
        tls: Some(tls),
    }
}

#[tokio::test]
async fn what_the_system_did_not_tell_is_carried_over_all_the_same() {
    let (person, client) = Person::mirrored().await;
    let stores = BOTH.map(|side| AsDocker(person.path(side).join("contexts")));
    let [one, two] =
        [b"1", b"2"].map(|mark| [b"ca", b"ce", b"ke"].map(|of| [&of[..], mark].concat()));
    let names: Vec<String> = (0..CONTEXTS).map(|number| format!("n{number}")).collect();
    for name in &names {
        assert!(stores[0].create(&made(name, "tcp://h:1", &one)).unwrap());
    }
    person.in_step(&client).await;
    // Who reads what the system tells is held, until nothing more is kept for it. What fills the queue are files beside
    // both sides, which are nothing to the mirror: that events are missing is all that it is told.
    person.signal(&client, Signal::STOP);
    let queue = fs::read_to_string(QUEUE).expect("a number");
    let queue: usize = queue.trim().parse().expect("a number");
    let beside = person.home().join("beside");
    for _ in 0..queue {
        File::create(&beside).unwrap();
        fs::remove_file(&beside).unwrap();
    }
    // Foreign files come and go in the stores as well.
    for (store, side) in stores.iter().zip(BOTH) {
        let temporary = person.path(side).join("contexts/meta/.tmp-foreign");
        File::create(&temporary).unwrap();
        let other = &stores[side as usize];
        assert!(
            other
                .update(&made(&names[side as usize], "tcp://h:2", &two))
                .unwrap()
        );
        assert!(store.remove(&names[2 + side as usize]).unwrap());
        let new = format!("new-{side:?}");
        assert!(store.create(&made(&new, "tcp://h:3", &two)).unwrap());
    }
    person.signal(&client, Signal::CONT);
    let files = person.in_step(&client).await;
    let contexts = CONTEXTS - 2 + 2;
    let foreign = 1;
    assert_eq!(files.len(), 4 * contexts + foreign, "{:?}", files.keys());
    let holds = |text: &str| {
        let texts = files.values().map(|bytes| String::from_utf8_lossy(bytes));
        texts.filter(|found| found.contains(text)).count()
    };
    assert_eq!(
        ["tcp://h:1", "tcp://h:2", "tcp://h:3"].map(holds),
        [8, 2, 2]
    );
    assert_eq!(holds("ke2"), 4);
    // It goes on as before.
    person.context(
        Side::Container,
        &["update", &names[5], "--description", "other"],
    );
    person.in_step(&client).await;
}
