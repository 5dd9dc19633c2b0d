//! Trees for tests.

use mizzen_sync_core::{Digest, Dir, File, Name, Node, Unsyncable};
use proptest::prelude::*;

pub(super) fn name(bytes: &[u8]) -> Name {
    Name::new(bytes).unwrap()
}

pub(super) fn file(contents: u8) -> File {
    File {
        digest: Digest([contents; 32]),
        size: u64::from(contents),
        mtime: -1,
        executable: contents % 2 == 1,
    }
}

/// A tree of a root with one file in it.
pub(super) fn of_one(contents: u8) -> Node {
    Node::Dir(Dir::new(vec![(name(b"a"), Node::File(file(contents)))]).into())
}

/// Any tree with a directory for its root.
pub(super) fn tree() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        4 => any_file(),
        1 => bytes(20).prop_map(|target| Node::Link(target.into())),
        1 => proptest::sample::select(vec![Unsyncable::Special, Unsyncable::NameImpossible])
            .prop_map(Node::Unsyncable),
    ];
    dir(leaf.prop_recursive(4, 40, 8, dir))
}

fn any_file() -> impl Strategy<Value = Node> {
    let parts = (any::<[u8; 32]>(), any::<u64>(), any::<i64>(), any::<bool>());
    parts.prop_map(|(digest, size, mtime, executable)| {
        Node::File(File {
            digest: Digest(digest),
            size,
            mtime,
            executable,
        })
    })
}

fn dir(inner: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    let name = bytes(8).prop_filter_map("no name", |name| Name::new(name).ok());
    proptest::collection::vec((name, inner), 0..8)
        .prop_map(|entries| Node::Dir(Dir::new(entries).into()))
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..most)
}
