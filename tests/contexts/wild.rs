//! Docker's own commands in any order on both sides at once, while somebody looks.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::rig::{BOTH, OWN, Person, Side};

const SEED: u64 = 20_260_301;
/// On each side.
const OPERATIONS: usize = 100;
const NAMES: [&str; 5] = ["ab", "cd", "ef", "gh", "ij"];

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % below
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_commands_on_both_sides_end_with_both_the_same() {
    let (person, client) = Person::mirrored().await;
    // One that nobody deletes: all gone at once is another test's matter.
    person.context(Side::Host, &["create", "stays", "--docker", "host=ssh://h"]);
    person.in_step(&client).await;
    let marks = ["a", "b", "c"].map(|mark| person.tls(mark));
    let own = fs::read(
        person
            .path(Side::Container)
            .join("contexts/meta")
            .join(OWN)
            .join("meta.json"),
    )
    .unwrap();
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
                let mut dice = Dice(SEED + side as u64);
                let done = (0..OPERATIONS).filter(|_| operate(person, side, marks, &mut dice));
                done.count()
            })
        });
        let done = writing.map(|writer| writer.join().expect("a writer"));
        over.store(true, Ordering::SeqCst);
        looking.join().expect("`docker context ls` never failed");
        // Many meet nothing to remove, or something that is there already.
        assert!(
            done.iter().all(|done| *done > OPERATIONS / 4),
            "{done:?} of {OPERATIONS}"
        );
    });
    assert!(looks.load(Ordering::SeqCst) > 10);
    let files = person.in_step(&client).await;
    assert!(files.len() > 1, "more than the one that stays");
    BOTH.iter().for_each(|side| person.check_modes(*side));
    let after = fs::read(
        person
            .path(Side::Container)
            .join("contexts/meta")
            .join(OWN)
            .join("meta.json"),
    )
    .unwrap();
    assert_eq!(own, after);
    assert!(
        !person
            .path(Side::Host)
            .join("contexts/meta")
            .join(OWN)
            .exists()
    );
}

/// One command; whether it found what it wanted.
fn operate(person: &Person, side: Side, marks: &[String; 3], dice: &mut Dice) -> bool {
    let name = NAMES[dice.roll(NAMES.len())];
    let endpoint = match dice.roll(3) {
        0 => format!("host=ssh://h{}", dice.roll(9)),
        _ => format!(
            "host=tcp://h:{},{}",
            2000 + dice.roll(9),
            marks[dice.roll(3)]
        ),
    };
    let said = match dice.roll(7) {
        0 => person.docker(side, &["context", "rm", "-f", name]),
        1 => person.docker(
            side,
            &["context", "update", name, "--description", &endpoint],
        ),
        2 | 3 => person.docker(side, &["context", "update", name, "--docker", &endpoint]),
        _ => person.docker(side, &["context", "create", name, "--docker", &endpoint]),
    };
    said.code == 0
}
