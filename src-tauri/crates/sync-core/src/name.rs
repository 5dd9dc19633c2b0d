//! Names and paths below a root, as bytes: a tree holds what the disk holds, valid text or not.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Longest name that the file systems in use can hold.
const NAME_MAX: usize = 255;

/// One normal component of a path: never empty, `.`, `..`, nor with a slash or NUL in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// Why some bytes are no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all.
    #[error("a name is empty")]
    Empty,
    /// `.` or `..`, which name another place.
    #[error("`.` and `..` name no entry")]
    Dots,
    /// A slash or a NUL byte.
    #[error("a name holds a slash or a NUL byte")]
    Separator,
    /// More than 255 bytes.
    #[error("a name is longer than 255 bytes")]
    TooLong,
}

impl Name {
    /// Takes bytes that come from outside.
    ///
    /// # Errors
    /// They are no single normal component.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, NameError> {
        let bytes = bytes.into();
        match &*bytes {
            [] => Err(NameError::Empty),
            b"." | b".." => Err(NameError::Dots),
            name if name.contains(&b'/') || name.contains(&0) => Err(NameError::Separator),
            name if name.len() > NAME_MAX => Err(NameError::TooLong),
            _ => Ok(Self(bytes)),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.0))
    }
}

/// A path below a root: names with a slash between them. The empty one is the root itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelPath(Arc<[u8]>);

/// Paths are compared as their bytes are.
impl Borrow<[u8]> for RelPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl RelPath {
    /// The root itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Takes a path that comes from outside.
    ///
    /// # Errors
    /// One of its components is no name.
    pub fn new(path: &[u8]) -> Result<Self, NameError> {
        if !path.is_empty() {
            for component in path.split(|byte| *byte == b'/') {
                Name::new(component)?;
            }
        }
        Ok(Self(path.into()))
    }

    /// The path of an entry in this directory.
    #[must_use]
    pub fn join(&self, name: &Name) -> Self {
        let mut path = self.0.to_vec();
        push(&mut path, name);
        Self(path.into())
    }

    /// The directory that holds it; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        Some(Self(self.0[..end].into()))
    }

    /// Its names, from the root down.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.components().map(|component| Name(component.into()))
    }

    /// Its components, from the root down.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|component| !component.is_empty())
    }

    /// Whether it is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is this path or lies below it.
    #[must_use]
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        match self.0.strip_prefix(&*other.0) {
            Some(rest) => other.is_root() || rest.is_empty() || rest[0] == b'/',
            None => false,
        }
    }

    /// The way from a directory above it, or from itself; none when it lies elsewhere.
    #[must_use]
    pub fn below(&self, other: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&*other.0)?;
        match rest {
            [b'/', rest @ ..] => Some(Self(rest.into())),
            rest if rest.is_empty() || other.is_root() => Some(Self(rest.into())),
            _ => None,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        write!(f, "{}", String::from_utf8_lossy(&self.0))
    }
}

/// A path that grows and shrinks while a tree is walked.
#[derive(Default)]
pub(crate) struct Walk(Vec<u8>);

impl Walk {
    /// Goes to an entry of the directory that the walk stands in; answers how to come back.
    pub(crate) fn enter(&mut self, name: &Name) -> usize {
        let mark = self.0.len();
        push(&mut self.0, name);
        mark
    }

    /// Comes back to where an entry was entered from.
    pub(crate) fn leave(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    pub(crate) fn path(&self) -> RelPath {
        RelPath(self.0.as_slice().into())
    }

    pub(crate) fn at(path: &RelPath) -> Self {
        Self(path.0.to_vec())
    }
}

fn push(path: &mut Vec<u8>, name: &Name) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(&name.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_normal_component() {
        for (bytes, expected) in [
            (&b""[..], Err(NameError::Empty)),
            (b".", Err(NameError::Dots)),
            (b"..", Err(NameError::Dots)),
            (b"a/b", Err(NameError::Separator)),
            (b"a\0", Err(NameError::Separator)),
            (&[b'a'; 256], Err(NameError::TooLong)),
            (&[b'a'; 255], Ok(())),
            (b"...", Ok(())),
            (b"\xff\n ", Ok(())),
        ] {
            let name = Name::new(bytes).map(|name| assert_eq!(name.as_bytes(), bytes));
            assert_eq!(name, expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_path_is_names_or_the_root() {
        for (path, expected) in [
            (&b""[..], Ok(())),
            (b"a/b", Ok(())),
            (b"/a", Err(NameError::Empty)),
            (b"a//b", Err(NameError::Empty)),
            (b"a/", Err(NameError::Empty)),
            (b"a/../b", Err(NameError::Dots)),
        ] {
            assert_eq!(RelPath::new(path).map(drop), expected);
        }
    }

    #[test]
    fn parents_and_prefixes_go_by_components() {
        let path = |text: &str| RelPath::new(text.as_bytes()).unwrap();
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(RelPath::root()));
        assert_eq!(RelPath::root().parent(), None);
        assert!(path("a/b").is_at_or_below(&path("a")));
        assert!(path("a").is_at_or_below(&RelPath::root()));
        assert!(!path("ab").is_at_or_below(&path("a")));
        assert!(!path("a").is_at_or_below(&path("a/b")));
        assert_eq!(path("a/b").below(&path("a")), Some(path("b")));
        assert_eq!(path("a/b").below(&path("a/b")), Some(RelPath::root()));
        assert_eq!(path("a/b").below(&RelPath::root()), Some(path("a/b")));
        assert_eq!(path("ab").below(&path("a")), None);
        let names: Vec<Name> = path("a/b").names().collect();
        assert_eq!(RelPath::root().join(&names[0]).join(&names[1]), path("a/b"));
    }
}
