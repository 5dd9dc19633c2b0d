//! Whatever people do on both sides and ask for, no version is lost, and both come in step in the end.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const PATHS: [&str; 4] = ["a", "d/b", "d/c", "e"];
const SIDES: [&str; 2] = ["host", "container"];
/// Where one side wins, the other's version goes to the trash.
const TWO_WAY: [Mode; 4] = [
    Mode::TwoWaySafe,
    Mode::TwoWaySafe,
    Mode::TwoWayHostWins,
    Mode::TwoWayContainerWins,
];
const LINES: usize = 3;
/// More would make the files large.
const WRITES: usize = 13;

#[derive(Clone, Debug)]
enum Step {
    /// A person writes a line of a file, or the file.
    Write(Index, Index, Index),
    Remove(Index, Index),
    Cycle,
    /// As the next process finds both.
    Reopen,
    Undo(Index),
    Restore(Index, Option<Index>),
    Resolve(Index, Index),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        6 => (index(), index(), index()).prop_map(|(side, path, line)| Step::Write(side, path, line)),
        2 => (index(), index()).prop_map(|(side, path)| Step::Remove(side, path)),
        4 => Just(Step::Cycle),
        1 => Just(Step::Reopen),
        3 => index().prop_map(Step::Undo),
        2 => (index(), proptest::option::of(index())).prop_map(|(path, at)| Step::Restore(path, at)),
        2 => (index(), index()).prop_map(|(which, keep)| Step::Resolve(which, keep)),
    ]
}

/// The contents of all files, wherever they lie.
fn versions(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            versions(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.insert(text);
        }
    }
}

struct Play {
    fixture: Fixture,
    link: Link,
    writes: usize,
}

impl Play {
    fn new(mode: Mode) -> Self {
        let fixture = Fixture::new(mode);
        for path in PATHS {
            fixture.write(&format!("host/{path}"), &"\n".repeat(LINES));
        }
        let link = fixture.link();
        let mut play = Self {
            fixture,
            link,
            writes: 0,
        };
        play.cycle();
        play
    }

    fn cycle(&mut self) -> Cycle {
        self.link.cycle(&Both::everything(), true).unwrap()
    }

    fn ids(&mut self) -> Vec<CycleId> {
        let history = self.link.history(&Recall::last(usize::MAX)).unwrap();
        history.into_iter().map(|past| past.id).collect()
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Write(side, path, line) => {
                if self.writes == WRITES {
                    return;
                }
                let path = format!("{}/{}", side.get(&SIDES), path.get(&PATHS));
                let place = self.fixture.path(&path);
                let text = fs::read_to_string(&place).unwrap_or("\n".repeat(LINES));
                let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
                // No two versions of a file are of one size, so that each is seen, however soon it comes.
                *line.get_mut(&mut lines) = "x".repeat(1 << self.writes);
                self.writes += 1;
                self.fixture
                    .write(&path, &format!("{}\n", lines.join("\n")));
            }
            Step::Remove(side, path) => {
                let place = format!("{}/{}", side.get(&SIDES), path.get(&PATHS));
                let place = self.fixture.path(&place);
                if place.exists() {
                    remove(&place);
                }
            }
            Step::Cycle => drop(self.cycle()),
            Step::Reopen => self.link = self.fixture.link(),
            Step::Undo(which) => {
                let ids = self.ids();
                self.link.undo(*which.get(&ids)).unwrap();
            }
            Step::Restore(path, at) => {
                let ids = self.ids();
                let path = RelPath::new(path.get(&PATHS).as_bytes()).unwrap();
                let at = at.map(|at| *at.get(&ids));
                match self.link.restore(&path, at, None) {
                    Ok(_) | Err(AskError::NothingKept(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Resolve(which, keep) => {
                let conflicts = self.link.conflicts(&Both::everything()).unwrap();
                if !conflicts.is_empty() {
                    let path = &which.get(&conflicts).path;
                    self.link.resolve(path, *keep.get(&Keep::ALL)).unwrap();
                }
            }
        }
    }

    fn versions(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        versions(self.fixture.folder.path(), &mut found);
        found
    }

    /// People decide what is left to them, and both sides come in step.
    fn settle(&mut self) {
        while let Some(conflict) = self.cycle().conflicts.first() {
            match self.link.resolve(&conflict.path, Keep::Host) {
                // A merge of it has become possible: its base was what another file has got meanwhile.
                Ok(_) | Err(AskError::NoConflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let cycle = self.cycle();
        assert!(cycle.is_in_step(), "{cycle:?}");
        assert_eq!(self.fixture.tree("host"), self.fixture.tree("container"));
        for applied in [&cycle.applied.host, &cycle.applied.container] {
            assert!(applied.done.is_empty(), "{cycle:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_version_is_lost_and_both_come_in_step(
        mode in proptest::sample::select(TWO_WAY.to_vec()),
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let mut play = Play::new(mode);
        for step in steps {
            let by_a_person = matches!(step, Step::Write(..) | Step::Remove(..));
            let before = play.versions();
            let told = format!("{step:?}");
            play.take(step);
            if !by_a_person {
                let after = play.versions();
                let lost: Vec<_> = before.difference(&after).filter(|text| text.starts_with(['x', '\n'])).collect();
                prop_assert!(lost.is_empty(), "{}: {:?}", told, lost);
            }
        }
        play.settle();
    }
}
