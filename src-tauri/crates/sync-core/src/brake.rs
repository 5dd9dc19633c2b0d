//! What a cycle does not do before a person has agreed.

use crate::change::{FOLDER_NAMES, FolderNames, Plan, Side};
use crate::reconcile::Outcome;
use crate::size::sized;
use crate::tree::Node;

/// How much may go in one cycle without a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brake {
    /// Share of the base's entries, from 0 to 1.
    pub share: f64,
    /// So few may always go.
    pub few: u64,
}

impl Default for Brake {
    fn default() -> Self {
        Self {
            share: 0.5,
            few: 25,
        }
    }
}

/// Why a cycle stops until a person says how to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told(FOLDER_NAMES))]
pub enum Halt {
    /// The root was there and is not any more.
    RootMissing(Side),
    /// The root is not a directory any more.
    RootReplaced(Side),
    /// The root has lost all its entries.
    RootEmptied(Side),
    /// The root is another folder than the one that was agreed with, and holds other things.
    RootExchanged {
        /// Which one.
        side: Side,
        /// So many files and links are as they were.
        left: u64,
        /// Of so many that both sides had.
        of: u64,
    },
    /// Much would be deleted at once.
    ManyDeletions {
        /// Where.
        side: Side,
        /// So many entries.
        deleted: u64,
        /// Of so many that both sides had.
        of: u64,
    },
    /// A disk has not enough room for what is to come.
    DiskFull {
        /// Where.
        side: Side,
        /// So many bytes are to come.
        needed: u64,
        /// Before it is nearly full, it takes so many.
        room: u64,
    },
}

impl Halt {
    /// Why, by what people call the folders; no sentence yet.
    #[must_use]
    pub fn told(&self, names: FolderNames) -> String {
        let name = |side: Side| side.of(names);
        match *self {
            Self::RootMissing(side) => format!("{} is gone", name(side)),
            Self::RootReplaced(side) => format!("{} is no folder any more", name(side)),
            Self::RootEmptied(side) => format!("{} was emptied", name(side)),
            Self::RootExchanged { side, left, of } => format!(
                "{} is another folder than the last time, and holds {left} of {of} files as they were",
                name(side)
            ),
            Self::ManyDeletions { side, deleted, of } => {
                format!(
                    "{deleted} of {of} entries would be deleted in {}",
                    name(side)
                )
            }
            Self::DiskFull { side, needed, room } => format!(
                "{} are to come to {}, whose disk has room for {} only",
                sized(needed),
                name(side),
                sized(room)
            ),
        }
    }

    /// What a person does about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::RootMissing(_)
            | Self::RootReplaced(_)
            | Self::RootEmptied(_)
            | Self::ManyDeletions { .. } => Remedy::Look,
            Self::RootExchanged { .. } => Remedy::PutBack,
            Self::DiskFull { .. } => Remedy::MakeRoom,
        }
    }

    /// The same, in a sentence; `agree` is how a person says that it may go on.
    #[must_use]
    pub fn hint(&self, agree: &str) -> String {
        let mut hint = self.remedy().hint(agree);
        hint[..1].make_ascii_uppercase();
        hint
    }
}

/// What a person does about a halt, unless they agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// To see whether that is what they want.
    Look,
    /// To bring back the folder that was there.
    PutBack,
    /// To make room on a disk.
    MakeRoom,
}

impl Remedy {
    /// In words; no sentence yet. `agree` is how a person says that it may go on.
    #[must_use]
    pub fn hint(self, agree: &str) -> String {
        let [first, or] = match self {
            Self::Look => ["look at both sides", "when that is what you want"],
            Self::PutBack => [
                "put back what was there, such as a disk that is not mounted",
                "when this folder counts now, and the other is to become like it",
            ],
            Self::MakeRoom => ["make room there", "to carry what still fits"],
        };
        format!("{first}; {or}: {agree}")
    }
}

impl Brake {
    /// Looks at what a cycle is about to do. The first reason to stop is told. `exchanged` says of both sides whether
    /// their roots are other folders than those that the base was agreed with.
    #[must_use]
    pub fn check(
        &self,
        base: Option<&Node>,
        host: Option<&Node>,
        container: Option<&Node>,
        exchanged: [bool; 2],
        outcome: &Outcome,
    ) -> Option<Halt> {
        let sides = [(Side::Host, host), (Side::Container, container)];
        let missing = sides.iter().find(|(_, root)| root.is_none());
        if let Some((side, _)) = missing {
            return Some(Halt::RootMissing(*side));
        }
        let base = base?;
        let root = sides
            .into_iter()
            .find_map(|(side, root)| check_root(side, base, root?));
        let exchanged = sides
            .into_iter()
            .filter(|(side, _)| side.of(exchanged))
            .find_map(|(side, root)| check_exchanged(side, base, root?));
        root.or(exchanged).or_else(|| {
            let mut plans = outcome.plans().into_iter();
            plans.find_map(|(side, plan)| self.check_plan(side, plan, base))
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 52 bits"
    )]
    fn check_plan(&self, side: Side, plan: &Plan, base: &Node) -> Option<Halt> {
        let deleted = plan.deletions();
        // Few may always go, and then nobody needs to count a whole tree for each file that is saved.
        if deleted <= self.few {
            return None;
        }
        let of = base.count() - 1;
        let many = deleted as f64 > of as f64 * self.share;
        many.then_some(Halt::ManyDeletions { side, deleted, of })
    }
}

fn check_root(side: Side, base: &Node, root: &Node) -> Option<Halt> {
    let had_entries = base.as_dir().is_some_and(|dir| !dir.is_empty());
    match root {
        Node::Dir(dir) if dir.is_empty() && had_entries => Some(Halt::RootEmptied(side)),
        Node::Dir(_) => None,
        _ => Some(Halt::RootReplaced(side)),
    }
}

/// A folder that takes another one's place is that one restored, copied or cloned anew, unless most of it is missing or
/// other than it was.
fn check_exchanged(side: Side, base: &Node, root: &Node) -> Option<Halt> {
    let (left, of) = held(base, Some(root));
    (left < of - left).then_some(Halt::RootExchanged { side, left, of })
}

/// How many files and links of a tree another one holds as they are, and how many there are.
fn held(tree: &Node, other: Option<&Node>) -> (u64, u64) {
    match (tree, other) {
        (Node::Dir(dir), other) => {
            let other = other.and_then(Node::as_dir);
            let held = dir
                .iter()
                .map(|(name, node)| held(node, other.and_then(|other| other.get(name.as_bytes()))));
            held.fold((0, 0), |(left, of), (more, all)| (left + more, of + all))
        }
        (node, other) => (other.is_some_and(|other| node.same(other)).into(), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Mode;
    use crate::reconcile::reconcile;
    use crate::sketch::tree;

    fn check(base: &str, host: &str, container: &str) -> Option<Halt> {
        check_roots(base, host, container, [false; 2])
    }

    fn check_roots(base: &str, host: &str, container: &str, exchanged: [bool; 2]) -> Option<Halt> {
        let (base, host, container) = (tree(base), tree(host), tree(container));
        let (base, host, container) = (base.as_ref(), host.as_ref(), container.as_ref());
        let outcome = reconcile(base, host, container, Mode::TwoWaySafe);
        let brake = Brake { share: 0.5, few: 1 };
        brake.check(base, host, container, exchanged, &outcome)
    }

    #[test]
    fn another_folder_in_the_place_of_a_root_stops_a_cycle_when_it_holds_other_things() {
        let base = "a=1 b=1 d/c=1 l->a";
        for (host, left) in [
            ("a=1 b=1 d/c=1 l->a", None),
            ("a=1 b=1 d/", None),
            ("a=1 b=2 d/c=2 l->a new=1", None),
            ("a=1 b=2 d/c=2 l->b", Some(1)),
            ("x=1 y=2 d/", Some(0)),
            ("d=1", Some(0)),
        ] {
            let exchanged = |side| left.map(|left| Halt::RootExchanged { side, left, of: 4 });
            let on_host = check_roots(base, host, base, [true, false]);
            assert_eq!(on_host, exchanged(Side::Host), "{host}");
            let on_container = check_roots(base, base, host, [false, true]);
            assert_eq!(on_container, exchanged(Side::Container), "{host}");
        }
        let other = "x=1 y=2";
        let halts = [
            ([false; 2], "a=1", other),
            ([false, true], "a=1", other),
            ([true; 2], "-", other),
            ([true; 2], "", other),
        ];
        for (exchanged, base, host) in halts {
            let found = check_roots(base, host, base, exchanged);
            assert!(
                !matches!(found, Some(Halt::RootExchanged { .. })),
                "{exchanged:?} {base} {host}: {found:?}"
            );
        }
    }

    #[test]
    fn a_halt_names_the_folders_as_people_do() {
        let side = Side::Container;
        let (left, deleted, of) = (3, 3, 40);
        for (halt, told) in [
            (Halt::RootMissing(Side::Host), "A is gone"),
            (Halt::RootReplaced(side), "B is no folder any more"),
            (Halt::RootEmptied(side), "B was emptied"),
            (
                Halt::RootExchanged { side, left, of },
                "B is another folder than the last time, and holds 3 of 40 files as they were",
            ),
            (
                Halt::ManyDeletions { side, deleted, of },
                "3 of 40 entries would be deleted in B",
            ),
            (
                Halt::DiskFull {
                    side,
                    needed: 3 << 30,
                    room: 12 << 20,
                },
                "3 GiB are to come to B, whose disk has room for 12 MiB only",
            ),
        ] {
            assert_eq!(halt.told(["A", "B"]), told);
        }
    }

    #[test]
    fn roots_that_lost_what_they_held_stop_a_cycle() {
        for (base, host, container, halt) in [
            ("a=1", "-", "a=1", Some(Halt::RootMissing(Side::Host))),
            ("a=1", "a=1", "-", Some(Halt::RootMissing(Side::Container))),
            ("a=1", "", "a=1", Some(Halt::RootEmptied(Side::Host))),
            ("a=1", "a=1", "", Some(Halt::RootEmptied(Side::Container))),
            (
                "a=1",
                "a=1",
                "=2",
                Some(Halt::RootReplaced(Side::Container)),
            ),
            ("", "", "", None),
            ("-", "", "a=1", None),
            ("-", "a=1", "-", Some(Halt::RootMissing(Side::Container))),
            ("-", "-", "a=1", Some(Halt::RootMissing(Side::Host))),
        ] {
            assert_eq!(
                check(base, host, container),
                halt,
                "{base} {host} {container}"
            );
        }
    }

    #[test]
    fn many_deletions_stop_a_cycle() {
        let halt = Halt::ManyDeletions {
            side: Side::Container,
            deleted: 3,
            of: 4,
        };
        assert_eq!(
            check("a=1 b=1 c=1 d=1", "d=1", "a=1 b=1 c=1 d=1"),
            Some(halt)
        );
        assert_eq!(
            halt.to_string(),
            "3 of 4 entries would be deleted in the container's folder"
        );
        assert_eq!(
            check("a=1 b=1 c=1 d=1", "c=1 d=1", "a=1 b=1 c=1 d=1"),
            None,
            "half"
        );
        assert_eq!(check("a=1 b=1", "b=1", "a=1 b=1"), None, "few");
    }

    #[test]
    fn a_replacement_by_the_other_side_is_no_deletion() {
        assert_eq!(check("a=1 b=1 c=1", "a=2 b=2 c=2", "a=1 b=1 c=1"), None);
    }
}
