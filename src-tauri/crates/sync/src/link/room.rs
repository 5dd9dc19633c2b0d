//! Whether the disk of a side has room for what a cycle brings there.

use std::collections::HashMap;

use mizzen_sync_core::{Digest, Halt, Node, Outcome, Plan, Side};

use super::{CycleError, Link};

/// Most disks keep contents in blocks of so many bytes.
const BLOCK: u64 = 4096;

impl Link {
    /// The first side whose disk has less room than its plan takes.
    pub(super) fn lacks_room(&self, outcome: &Outcome) -> Result<Option<Halt>, CycleError> {
        let plans = [
            (Side::Host, &self.sides.host, &outcome.host),
            (Side::Container, &self.sides.container, &outcome.container),
        ];
        for (side, endpoint, plan) in plans {
            let needed = needed(plan);
            if needed == 0 {
                continue;
            }
            let room = endpoint.room();
            let room = room.map_err(|error| CycleError::Look(side, error))?;
            if let Some(room) = room.filter(|room| *room < needed) {
                return Ok(Some(Halt::DiskFull { side, needed, room }));
            }
        }
        Ok(None)
    }
}

/// What a plan takes on its side's disk. What only gets another place takes nothing, and what makes way stays in the
/// trash.
fn needed(plan: &Plan) -> u64 {
    let mut going: HashMap<Digest, u32> = HashMap::new();
    let gone = plan.changes.iter().filter(|change| change.new.is_none());
    for old in gone.filter_map(|change| change.old.as_ref()) {
        each_file(old, &mut |digest, _| *going.entry(digest).or_default() += 1);
    }
    let mut needed: u64 = 0;
    for new in plan.changes.iter().filter_map(|change| change.new.as_ref()) {
        each_file(
            new,
            &mut |digest, size| match going.get_mut(&digest).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None => needed = needed.saturating_add(size.next_multiple_of(BLOCK)),
            },
        );
    }
    needed
}

fn each_file(node: &Node, tell: &mut impl FnMut(Digest, u64)) {
    match node {
        Node::File(file) => tell(file.digest, file.size.min(u64::MAX - BLOCK)),
        Node::Dir(dir) => dir.iter().for_each(|(_, child)| each_file(child, tell)),
        Node::Link(_) | Node::Unsyncable(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use mizzen_sync_core::{Change, Digest, File, RelPath};

    use super::*;

    fn file(digest: u8, size: u64) -> Option<Node> {
        Some(Node::File(File {
            digest: Digest([digest; 32]),
            size,
            mtime: 0,
            executable: false,
        }))
    }

    #[test]
    fn a_plan_takes_what_is_new_in_it_and_nothing_for_what_only_moves() {
        for (changes, takes) in [
            (vec![], 0),
            (vec![(None, file(1, 0))], 0),
            (vec![(None, file(1, 1)), (file(2, 9000), file(3, 4097))], 3),
            (vec![(file(1, 9000), None), (None, file(1, 9000))], 0),
            (
                vec![
                    (file(1, 9000), None),
                    (None, file(1, 9000)),
                    (None, file(1, 9000)),
                ],
                3,
            ),
            (vec![(file(1, 9000), None)], 0),
        ] {
            let changes = changes.into_iter().map(|(old, new)| Change {
                path: RelPath::root(),
                old,
                new,
            });
            let changes = changes.collect();
            assert_eq!(needed(&Plan { changes }), takes * BLOCK);
        }
        let endless = Change {
            path: RelPath::root(),
            old: None,
            new: file(1, u64::MAX),
        };
        let changes = vec![endless.clone(), endless];
        assert!(needed(&Plan { changes }) > u64::MAX / 2);
    }
}
