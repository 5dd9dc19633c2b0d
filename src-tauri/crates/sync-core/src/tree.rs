//! One side's entries as a persistent tree: a changed copy shares all that has not changed.

use std::fmt;
use std::sync::Arc;

use crate::name::{Name, RelPath};

/// BLAKE3 of a file's contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Of its contents.
    pub digest: Digest,
    /// Of its contents, in bytes.
    pub size: u64,
    /// When its contents changed, in nanoseconds since 1970. It is carried along and never compared.
    pub mtime: i64,
    /// Whether its owner may execute it.
    pub executable: bool,
}

impl File {
    /// Whether nothing that sync compares differs.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.digest == other.digest && self.executable == other.executable
    }
}

/// Why an entry cannot be carried. It stays where it is, and so does all that would have to go for its sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsyncable {
    /// A named pipe, a socket or a device.
    Special,
    /// It may not be read.
    Unreadable,
    /// It kept changing while it was read.
    Unsteady,
    /// It is larger than the rules allow.
    TooLarge,
    /// A symbolic link that leads outside the root, or is absolute.
    LinkOutside,
    /// Another file system is mounted here.
    Mount,
    /// It holds a key or a token.
    Secret,
    /// More directories lie above it than can be held open.
    TooDeep,
    /// The disk of the other side takes its name for that of another entry.
    NameCollision,
    /// The disk of the other side cannot hold its name.
    NameImpossible,
}

impl fmt::Display for Unsyncable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Special => "pipes, sockets and devices are not synced",
            Self::Unreadable => "it may not be read",
            Self::Unsteady => "it kept changing while it was read",
            Self::TooLarge => "it is larger than the size limit",
            Self::LinkOutside => "the link leads outside the synced folder",
            Self::Mount => "another file system is mounted there",
            Self::Secret => "it holds a key or a token; `include` it in mizzen.toml to sync it",
            Self::TooDeep => "it lies too deep",
            Self::NameCollision => {
                "the disk takes its name for that of another entry; rename one of them"
            }
            Self::NameImpossible => "the disk cannot hold its name; rename it",
        })
    }
}

/// One entry and, for a directory, all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File(File),
    /// A directory.
    Dir(Arc<Dir>),
    /// A symbolic link and where it points, as it is stored.
    Link(Arc<[u8]>),
    /// Something that cannot be carried.
    Unsyncable(Unsyncable),
}

/// A directory's entries, in the order of their names' bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dir(pub(crate) Box<[(Name, Node)]>);

impl Node {
    /// A directory with nothing in it.
    #[must_use]
    pub fn empty_dir() -> Self {
        Self::Dir(Arc::default())
    }

    /// The directory, when it is one.
    #[must_use]
    pub fn as_dir(&self) -> Option<&Dir> {
        match self {
            Self::Dir(dir) => Some(dir),
            Self::File(_) | Self::Link(_) | Self::Unsyncable(_) => None,
        }
    }

    /// The file, when it is one.
    #[must_use]
    pub fn as_file(&self) -> Option<&File> {
        match self {
            Self::File(file) => Some(file),
            Self::Dir(_) | Self::Link(_) | Self::Unsyncable(_) => None,
        }
    }

    /// Whether two trees agree in all that sync compares. Shared parts are not looked at.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(two)) => one.same(two),
            (Self::Link(one), Self::Link(two)) => one == two,
            (Self::Unsyncable(one), Self::Unsyncable(two)) => one == two,
            (Self::Dir(one), Self::Dir(two)) => {
                let paired = || one.0.iter().zip(&two.0);
                Arc::ptr_eq(one, two)
                    || one.0.len() == two.0.len()
                        && paired().all(|((name, node), (other_name, other))| {
                            name == other_name && node.same(other)
                        })
            }
            _ => false,
        }
    }

    /// The same tree, in which what is identical in another one is that one's: what is shared in memory need not be
    /// compared again.
    #[must_use]
    pub fn sharing(&self, other: &Self) -> Self {
        let (Self::Dir(dir), Self::Dir(others)) = (self, other) else {
            return self.clone();
        };
        if Arc::ptr_eq(dir, others) {
            return self.clone();
        }
        let entries = dir.iter().map(|(name, node)| {
            let shared = others.get(name.as_bytes()).map(|other| node.sharing(other));
            (name.clone(), shared.unwrap_or_else(|| node.clone()))
        });
        let shared: Box<[(Name, Self)]> = entries.collect();
        Self::Dir(if others.holds(&shared) {
            others.clone()
        } else {
            Arc::new(Dir(shared))
        })
    }

    /// Whether it is one and the same as another, times included; of directories, whether they are one in memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dir(one), Self::Dir(two)) => Arc::ptr_eq(one, two),
            (one, two) => one == two,
        }
    }

    /// Whether all files in it are executable, or none is.
    #[must_use]
    pub fn has_one_mode(&self) -> bool {
        fn all(node: &Node, executable: bool) -> bool {
            match node {
                Node::File(file) => file.executable == executable,
                Node::Dir(dir) => dir.iter().all(|(_, child)| all(child, executable)),
                Node::Link(_) | Node::Unsyncable(_) => true,
            }
        }
        all(self, true) || all(self, false)
    }

    /// The same tree, in which a file is executable where it is so in the first of these that has a file there.
    #[must_use]
    pub fn with_modes_of(&self, others: [Option<&Self>; 2]) -> Self {
        match self {
            Self::File(file) => {
                let known = others.into_iter().flatten().find_map(Self::as_file);
                let executable = known.is_some_and(|known| known.executable);
                Self::File(File {
                    executable,
                    ..*file
                })
            }
            Self::Dir(dir) => {
                let entries = dir.iter().map(|(name, node)| {
                    let others = others.map(|other| other?.as_dir()?.get(name.as_bytes()));
                    (name.clone(), node.with_modes_of(others))
                });
                Self::Dir(Arc::new(Dir(entries.collect())))
            }
            Self::Link(_) | Self::Unsyncable(_) => self.clone(),
        }
    }

    /// Whether anything in it cannot be carried.
    #[must_use]
    pub fn has_unsyncable(&self) -> bool {
        match self {
            Self::File(_) | Self::Link(_) => false,
            Self::Unsyncable(_) => true,
            Self::Dir(dir) => dir.iter().any(|(_, node)| node.has_unsyncable()),
        }
    }

    /// The same tree without what cannot be carried; none when nothing is left of it.
    #[must_use]
    pub fn syncable(&self) -> Option<Self> {
        match self {
            Self::Unsyncable(_) => None,
            Self::Dir(dir) if self.has_unsyncable() => {
                let kept = dir
                    .iter()
                    .filter_map(|(name, node)| Some((name.clone(), node.syncable()?)));
                Some(Self::Dir(Arc::new(Dir(kept.collect()))))
            }
            Self::Dir(_) | Self::File(_) | Self::Link(_) => Some(self.clone()),
        }
    }

    /// Number of entries, this one included.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Dir(dir) => 1 + dir.iter().map(|(_, node)| node.count()).sum::<u64>(),
            Self::File(_) | Self::Link(_) | Self::Unsyncable(_) => 1,
        }
    }

    /// The entry at a path below this one.
    #[must_use]
    pub fn get(&self, path: &RelPath) -> Option<&Self> {
        path.components()
            .try_fold(self, |node, name| node.as_dir()?.get(name))
    }
}

impl Dir {
    /// A directory with these entries; of two with one name the later counts.
    #[must_use]
    pub fn new(mut entries: Vec<(Name, Node)>) -> Self {
        entries.reverse();
        entries.sort_by(|(one, _), (two, _)| one.cmp(two));
        entries.dedup_by(|(later, _), (earlier, _)| later == earlier);
        Self(entries.into())
    }

    /// Whether these entries, in their order, are one and the same as its own: see [`Node::is`].
    #[must_use]
    pub fn holds(&self, entries: &[(Name, Node)]) -> bool {
        self.len() == entries.len()
            && (self.iter().zip(entries))
                .all(|((name, node), (other, others))| name == other && node.is(others))
    }

    /// Where one of its entries stands in their order.
    #[must_use]
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.find(name).ok()
    }

    /// Its entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, Node)> {
        self.0.iter()
    }

    /// Number of its own entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of its entries.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Node> {
        let at = self.find(name).ok()?;
        Some(&self.0[at].1)
    }

    pub(crate) fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(found, _)| found.as_bytes().cmp(name))
    }
}

impl<'a> IntoIterator for &'a Dir {
    type Item = &'a (Name, Node);
    type IntoIter = std::slice::Iter<'a, (Name, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_carried_but_not_compared() {
        let file = File {
            digest: Digest([1; 32]),
            size: 1,
            mtime: 1,
            executable: false,
        };
        assert!(Node::File(file).same(&Node::File(File { mtime: 2, ..file })));
        assert!(!Node::File(file).same(&Node::File(File {
            executable: true,
            ..file
        })));
    }

    #[test]
    fn what_is_identical_is_shared() {
        use crate::sketch::tree;
        let dir = |node: &Node, path: &str| {
            let found = node.get(&RelPath::new(path.as_bytes()).unwrap()).cloned();
            let Some(Node::Dir(dir)) = found else {
                panic!("a directory")
            };
            dir
        };
        let [one, two] = ["a/b/c=1 a/d=1", "a/b/c=1 a/d=2"].map(|sketch| tree(sketch).unwrap());
        let shared = one.sharing(&two);
        assert_eq!(shared, one);
        assert!(Arc::ptr_eq(&dir(&shared, "a/b"), &dir(&two, "a/b")));
        assert!(!Arc::ptr_eq(&dir(&shared, "a"), &dir(&two, "a")));
        let whole = one.sharing(&tree("a/b/c=1 a/d=1").unwrap());
        assert!(!Arc::ptr_eq(&dir(&whole, ""), &dir(&one, "")));
    }

    #[test]
    fn of_two_entries_with_one_name_the_later_counts() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        let dir = Dir::new(vec![
            (name("b"), Node::empty_dir()),
            (name("a"), Node::empty_dir()),
            (name("b"), Node::Unsyncable(Unsyncable::Mount)),
        ]);
        assert_eq!(dir.len(), 2);
        assert_eq!(dir.get(b"b"), Some(&Node::Unsyncable(Unsyncable::Mount)));
    }

    #[test]
    fn a_disk_with_one_answer_takes_that_of_the_first_that_has_a_file_there() {
        use crate::sketch::tree;
        let [base, other] = ["a=1* b=1 d/c=1*", "a=2 b=2* d/c=2 d/e=2* l->a"].map(tree);
        for (all, is_one) in [
            ("a=3* b=3*", true),
            ("a=3 d/b=3", true),
            ("a=3 b=3*", false),
            ("d/", true),
        ] {
            assert_eq!(tree(all).unwrap().has_one_mode(), is_one, "{all}");
        }
        let one = tree("a=3* b=3* d/c=3* d/e=3* f=3* l->a").unwrap();
        let lent = one.with_modes_of([base.as_ref(), other.as_ref()]);
        assert_eq!(lent, tree("a=3* b=3 d/c=3* d/e=3* f=3 l->a").unwrap());
        assert_eq!(
            one.with_modes_of([None, None]),
            tree("a=3 b=3 d/c=3 d/e=3 f=3 l->a").unwrap()
        );
    }
}
