//! What a cycle does not do before a person has agreed.

use crate::change::{Plan, Side};
use crate::reconcile::Outcome;
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
pub enum Halt {
    /// The root was there and is not any more.
    #[error("the {0}'s folder is gone")]
    RootMissing(Side),
    /// The root is not a directory any more.
    #[error("the {0}'s folder is no folder any more")]
    RootReplaced(Side),
    /// The root has lost all its entries.
    #[error("the {0}'s folder was emptied")]
    RootEmptied(Side),
    /// Much would be deleted at once.
    #[error("{deleted} of {of} entries would be deleted on the {side}")]
    ManyDeletions {
        /// Where.
        side: Side,
        /// So many entries.
        deleted: u64,
        /// Of so many that both sides had.
        of: u64,
    },
}

impl Brake {
    /// Looks at what a cycle is about to do. The first reason to stop is told.
    #[must_use]
    pub fn check(
        &self,
        base: Option<&Node>,
        host: Option<&Node>,
        container: Option<&Node>,
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
        root.or_else(|| {
            let plans = [
                (Side::Host, &outcome.host),
                (Side::Container, &outcome.container),
            ];
            let of = base.count() - 1;
            plans
                .into_iter()
                .find_map(|(side, plan)| self.check_plan(side, plan, of))
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 52 bits"
    )]
    fn check_plan(&self, side: Side, plan: &Plan, of: u64) -> Option<Halt> {
        let deleted = plan.deletions();
        let many = deleted > self.few && deleted as f64 > of as f64 * self.share;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Mode;
    use crate::reconcile::reconcile;
    use crate::sketch::tree;

    fn check(base: &str, host: &str, container: &str) -> Option<Halt> {
        let (base, host, container) = (tree(base), tree(host), tree(container));
        let (base, host, container) = (base.as_ref(), host.as_ref(), container.as_ref());
        let outcome = reconcile(base, host, container, Mode::TwoWaySafe);
        let brake = Brake { share: 0.5, few: 1 };
        brake.check(base, host, container, &outcome)
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
            "3 of 4 entries would be deleted on the container"
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
