//! Paths, and trees at them, as they are told.

use std::io;

use mizzen_sync_core::{Change, Edit, Node, Plan, RelPath};
use serde::{Deserialize, Serialize};

use super::few::ENTRIES_MAX;
use super::frames::senseless;
use crate::encoding::{Most, decode_below, encode};
use crate::scan::Dirty;

/// A path below the root.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place(pub(super) Vec<u8>);

#[derive(Serialize, Deserialize)]
pub(super) struct Edited {
    path: Place,
    entry: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Changed {
    path: Place,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
}

impl From<&RelPath> for Place {
    fn from(path: &RelPath) -> Self {
        Self(path.as_bytes().to_vec())
    }
}

impl Place {
    pub(super) fn path(&self) -> io::Result<RelPath> {
        RelPath::new(&self.0).map_err(senseless)
    }
}

pub(super) fn places<'a>(paths: impl IntoIterator<Item = &'a RelPath>) -> Vec<Place> {
    paths.into_iter().map(Place::from).collect()
}

pub(super) fn paths(places: &[Place]) -> io::Result<Vec<RelPath>> {
    places.iter().map(Place::path).collect()
}

pub(super) fn dirty(places: &[Place]) -> io::Result<Dirty> {
    Ok(paths(places)?.iter().collect())
}

pub(super) fn edited(edits: &[Edit]) -> Vec<Edited> {
    let edits = edits.iter().map(|edit| Edited {
        path: Place::from(&edit.path),
        entry: bytes(edit.entry.as_ref()),
    });
    edits.collect()
}

pub(super) fn edits(edited: &[Edited]) -> io::Result<Vec<Edit>> {
    let mut most = Most(ENTRIES_MAX);
    let edits = edited.iter().map(|edited| {
        let path = edited.path.path()?;
        let entry = node(&path, edited.entry.as_deref(), &mut most)?;
        Ok(Edit { path, entry })
    });
    edits.collect()
}

pub(super) fn changed(plan: &Plan) -> Vec<Changed> {
    let changes = plan.changes.iter().map(|change| Changed {
        path: Place::from(&change.path),
        old: bytes(change.old.as_ref()),
        new: bytes(change.new.as_ref()),
    });
    changes.collect()
}

pub(super) fn plan(changed: &[Changed]) -> io::Result<Plan> {
    // What goes and what comes.
    let mut most = Most(2 * ENTRIES_MAX);
    let changes = changed.iter().map(|changed| {
        let path = changed.path.path()?;
        let old = node(&path, changed.old.as_deref(), &mut most)?;
        let new = node(&path, changed.new.as_deref(), &mut most)?;
        Ok(Change { path, old, new })
    });
    let changes = changes.collect::<io::Result<_>>()?;
    Ok(Plan { changes })
}

fn bytes(node: Option<&Node>) -> Option<Vec<u8>> {
    Some(encode(node?))
}

fn node(at: &RelPath, bytes: Option<&[u8]>, most: &mut Most) -> io::Result<Option<Node>> {
    let depth = at.components().count();
    bytes
        .map(|bytes| decode_below(depth, bytes, most).map_err(senseless))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_and_no_tree_is_refused() {
        for path in [&b"../a"[..], b"a//b", b"/a", b"a\0"] {
            assert!(Place(path.to_vec()).path().is_err());
        }
        let file = Edited {
            path: Place(b"a".to_vec()),
            entry: Some(vec![255]),
        };
        assert!(edits(&[file]).is_err());
    }

    #[test]
    fn a_tree_may_not_lie_deeper_than_it_is_looked_at() {
        let deep = Place(vec!["d"; 199].join("/").into_bytes());
        let entry = |node: &Node| Some(encode(node));
        let check = |node: &Node| {
            let edited = Edited {
                path: deep.clone(),
                entry: entry(node),
            };
            edits(&[edited]).is_ok()
        };
        let inner = crate::sample::of_one(1);
        assert!(check(&Node::empty_dir()));
        assert!(check(&inner));
        let name = crate::sample::name(b"e");
        let nested =
            |node| Node::Dir(mizzen_sync_core::Dir::new(vec![(name.clone(), node)]).into());
        assert!(!check(&nested(nested(inner))));
    }

    #[test]
    fn trees_of_more_entries_than_anybody_has_are_refused() {
        let many = usize::try_from(ENTRIES_MAX).unwrap() + 1;
        let stated = |entries: u64| {
            let start = postcard::to_stdvec(&(1_u8, entries)).unwrap();
            let entry = [start, vec![0; 4 * many]].concat();
            let path = Place(Vec::new());
            let edited = Edited {
                path,
                entry: Some(entry),
            };
            edits(&[edited]).unwrap_err().to_string()
        };
        assert_eq!(stated(ENTRIES_MAX), "a name is empty");
        let many = stated(ENTRIES_MAX + 1);
        assert_eq!(many, "a directory has more entries than there can be");
    }
}
