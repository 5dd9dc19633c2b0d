//! Docker's own commands in any order on both sides at once, while somebody looks.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use mizzen_tests::dice::{Dice, asked, seed};

use crate::as_docker::{AsDocker, Made};
use crate::rig::{BOTH, Person, Side};

/// On each side; more than the usual number by hand.
const OPERATIONS: &str = "MIZZEN_WILD_OPERATIONS";
const USUAL_OPERATIONS: u64 = 1000;
/// One in so many is written as Docker writes it, close upon the one before; the others are its own commands.
const WRITTEN: usize = 4;
const NAMES: [&str; 5] = ["ab", "cd", "ef", "gh", "ij"];

#[tokio::test(flavor = "multi_thread")]
async fn any_commands_on_both_sides_end_with_both_the_same() {
    let (person, client) = Person::mirrored().await;
    // One that nobody deletes: all gone at once is another test's matter.
    person.context(Side::Host, &["create", "stays", "--docker", "host=ssh://h"]);
    person.in_step(&client).await;
    let (seed, operations) = (seed(), asked(OPERATIONS, USUAL_OPERATIONS));
    let marks = Marks::new(&person);
    let of_the_host = ["create", "containai-docker", "--docker", "host=ssh://u@h"];
    person.context(Side::Host, &of_the_host);
    let own = BOTH.map(|side| person.own(side).unwrap());
    let (over, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                for side in BOTH {
                    let listed = person.docker(side, &["context", "ls"]);
                    assert_eq!(listed.code, 0, "on {side:?}: {listed:?}");
                    looks.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let writing = BOTH.map(|side| {
            let (person, marks) = (&person, &marks);
            scope.spawn(move || {
                let mut dice = Dice::new(seed + side as u64);
                let done = (0..operations).filter(|_| match dice.roll(WRITTEN) {
                    0 => write(person, side, marks, &mut dice),
                    _ => command(person, side, marks, &mut dice),
                });
                done.count() as u64
            })
        });
        let done = writing.map(|writer| writer.join().expect("a writer"));
        over.store(true, Ordering::SeqCst);
        looking.join().expect("`docker context ls` never failed");
        // Many meet nothing to remove, or something that is there already.
        assert!(
            done.iter().all(|done| *done > operations / 4),
            "{done:?} of {operations}, seed {seed}"
        );
    });
    assert!(looks.load(Ordering::SeqCst) > 10);
    let files = person.in_step(&client).await;
    assert!(files.len() > 1, "more than the one that stays");
    BOTH.iter().for_each(|side| person.check_modes(*side));
    assert_eq!(BOTH.map(|side| person.own(side).unwrap()), own);
}

/// TLS files in three versions, as Docker takes them and as it writes them; and an archive of a context with keys.
struct Marks {
    named: [String; 3],
    written: [[Vec<u8>; 3]; 3],
    archive: String,
}

impl Marks {
    fn new(person: &Person) -> Self {
        let marks = ["a", "b", "c"];
        let named = marks.map(|mark| person.tls(mark));
        let written = marks.map(|mark| {
            ["ca", "cert", "key"].map(|part| {
                let path = person.home().join(format!("pem/{mark}-{part}.pem"));
                fs::read(path).expect("a file")
            })
        });
        let archive = person.home().join("archive.tar").display().to_string();
        let endpoint = format!("host=tcp://h:2376,{}", named[0]);
        let create = ["create", "archived", "--docker", &endpoint];
        person.context(Side::Host, &create);
        person.context(Side::Host, &["export", "archived", &archive]);
        person.context(Side::Host, &["rm", "archived"]);
        Self {
            named,
            written,
            archive,
        }
    }
}

/// One command of Docker's; whether it found what it wanted.
fn command(person: &Person, side: Side, marks: &Marks, dice: &mut Dice) -> bool {
    let name = NAMES[dice.roll(NAMES.len())];
    let endpoint = match dice.roll(3) {
        0 => format!("host=ssh://h{}", dice.roll(9)),
        _ => format!(
            "host=tcp://h:{},{}",
            2000 + dice.roll(9),
            marks.named[dice.roll(3)]
        ),
    };
    let said = match dice.roll(8) {
        0 => person.docker(side, &["context", "rm", "-f", name]),
        1 => person.docker(
            side,
            &["context", "update", name, "--description", &endpoint],
        ),
        2 | 3 => person.docker(side, &["context", "update", name, "--docker", &endpoint]),
        4 => person.docker(side, &["context", "import", name, &marks.archive]),
        _ => person.docker(side, &["context", "create", name, "--docker", &endpoint]),
    };
    said.code == 0
}

/// The same, written as Docker writes it.
fn write(person: &Person, side: Side, marks: &Marks, dice: &mut Dice) -> bool {
    let store = AsDocker(person.path(side).join("contexts"));
    let tls = match dice.roll(3) {
        0 => None,
        mark => Some(&marks.written[mark]),
    };
    let number = dice.roll(9);
    let host = match tls {
        None => format!("ssh://h{number}"),
        Some(_) => format!("tcp://h:{}", 3000 + number),
    };
    let made = Made {
        name: NAMES[dice.roll(NAMES.len())],
        description: &number.to_string(),
        host: &host,
        tls,
    };
    let done = match dice.roll(6) {
        0 => store.remove(made.name),
        1 => store.describe(&made),
        2 | 3 => store.update(&made),
        _ => store.create(&made),
    };
    done.expect("a store that can be written")
}
