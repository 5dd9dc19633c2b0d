//! Whether the disk of a side has room for what a cycle brings there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use mizzen_sync_core::{Digest, Halt, Node, Outcome, Plan};

use super::{CycleError, Link};

/// Most disks keep contents in blocks of so many bytes.
const BLOCK: u64 = 4096;

/// What a disk has said holds for so long: others write to it as well.
const HOLDS_FOR: Duration = Duration::from_secs(60);

/// No more than this share of a disk's room may come before it is asked again.
const SMALL_SHARE: u64 = 100;

/// What a disk has said of its room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    said: Instant,
    /// None when nobody can tell.
    bytes: Option<u64>,
    /// What was planned for it since, whether it came or not.
    planned: u64,
}

impl Room {
    /// Whether so much more does not matter to the disk.
    fn is_ample_for(&self, needed: u64, now: Instant) -> bool {
        let all = self.planned.saturating_add(needed);
        let is_small = |bytes| all <= bytes / SMALL_SHARE;
        now.duration_since(self.said) < HOLDS_FOR && self.bytes.is_none_or(is_small)
    }
}

impl Link {
    /// The first side whose disk has less room than its plan takes. For a little no disk is asked that has said lately
    /// that it has plenty: it would be one round trip more for each edit.
    pub(super) fn lacks_room(&mut self, outcome: &Outcome) -> Result<Option<Halt>, CycleError> {
        for (side, plan) in outcome.plans() {
            let needed = needed(plan);
            if needed == 0 {
                continue;
            }
            let now = Instant::now();
            if let Some(known) = self.rooms.of(side)
                && known.is_ample_for(needed, now)
            {
                known.planned += needed;
                continue;
            }
            let bytes = self.sides.of(side).room();
            let bytes = bytes.map_err(|error| CycleError::Look(side, error))?;
            *self.rooms.of(side) = Some(Room {
                said: now,
                bytes,
                planned: needed,
            });
            if let Some(room) = bytes.filter(|room| *room < needed) {
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
    fn a_disk_is_asked_again_when_its_word_is_old_or_what_comes_matters_to_it() {
        let said = Instant::now();
        let mebibyte = 1 << 20;
        for (bytes, planned, needed, later, is_ample) in [
            (Some(100 * mebibyte), 0, mebibyte, 0, true),
            (Some(100 * mebibyte), 0, mebibyte, 59, true),
            (Some(100 * mebibyte), 0, mebibyte, 60, false),
            (Some(100 * mebibyte), 0, mebibyte + 1, 0, false),
            (Some(100 * mebibyte), mebibyte, 1, 0, false),
            (Some(100 * mebibyte), 1, u64::MAX, 0, false),
            (Some(0), 0, 1, 0, false),
            (None, mebibyte, mebibyte, 59, true),
            (None, mebibyte, mebibyte, 60, false),
        ] {
            let room = Room {
                said,
                bytes,
                planned,
            };
            let now = said + Duration::from_secs(later);
            assert_eq!(room.is_ample_for(needed, now), is_ample, "{room:?}");
        }
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
