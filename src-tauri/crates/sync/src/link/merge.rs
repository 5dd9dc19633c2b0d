//! Texts that both sides changed.

use std::collections::BTreeMap;
use std::io::Write;

use mizzen_sync_core::{
    Change, Conflict, Digest, File, Merge, Node, Outcome, Plan, RelPath, merge,
};

use super::Both;
use super::progress::Carrying;
use super::texts::Texts;
use crate::apply::{Applied, ApplyError, Behind, Contents, PartHere, Supply, SupplyError, Wish};
use crate::base::TEXT_SIZE_MAX;
use crate::endpoint::Endpoint;
use crate::trash::CycleId;

/// The merged texts of one cycle.
#[derive(Default)]
pub(super) struct Merged(BTreeMap<RelPath, Vec<u8>>);

impl Merged {
    /// Tries all merges of an outcome: one that comes about is a change of both sides, one that does not is a conflict.
    pub(super) fn of(
        outcome: &mut Outcome,
        texts: &Texts,
        sides: &Both<Box<dyn Endpoint>>,
    ) -> Self {
        let mut merged = BTreeMap::new();
        for wanted in std::mem::take(&mut outcome.merges) {
            let Some(text) = tried(&wanted, texts, sides) else {
                outcome.conflicts.push(conflict(&wanted));
                continue;
            };
            let file = Node::File(File {
                digest: Digest(*blake3::hash(&text).as_bytes()),
                size: text.len() as u64,
                mtime: wanted.host.mtime.max(wanted.container.mtime),
                executable: wanted.executable,
            });
            for (plan, old) in [
                (&mut outcome.host, wanted.host),
                (&mut outcome.container, wanted.container),
            ] {
                plan.changes.push(Change {
                    path: wanted.path.clone(),
                    old: Some(Node::File(old)),
                    new: Some(file.clone()),
                });
            }
            merged.insert(wanted.path, text);
        }
        Self(merged)
    }

    /// Carries out a plan on a side, with contents of the other and with those that were made of both.
    pub(super) fn carry(
        &self,
        cycle: CycleId,
        plan: &Plan,
        from: &dyn Endpoint,
        to: &mut dyn Endpoint,
        carrying: &Carrying,
    ) -> Result<Applied, ApplyError> {
        let (merged, from) = (self, &*from.contents());
        let contents = WithMerged { merged, from };
        to.apply(cycle, plan, &carrying.counting(&contents))
    }

    pub(super) fn is_at(&self, path: &RelPath) -> bool {
        self.0.contains_key(path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &RelPath> {
        self.0.keys()
    }
}

fn tried(wanted: &Merge, texts: &Texts, sides: &Both<Box<dyn Endpoint>>) -> Option<Vec<u8>> {
    let base = texts.text(wanted.base.digest)?;
    let host = text(&*sides.host.contents(), &wanted.path, &wanted.host)?;
    let container = text(
        &*sides.container.contents(),
        &wanted.path,
        &wanted.container,
    )?;
    merge(&base, &host, &container)
}

/// A file's contents, when they are as they were seen and not too many.
pub(super) fn text(contents: &dyn Contents, path: &RelPath, file: &File) -> Option<Vec<u8>> {
    let text = supplied(&mut *contents.supplier(), path, file)?;
    (blake3::hash(&text).as_bytes() == &file.digest.0).then_some(text)
}

/// A file's contents as they are handed over, when they are not too many.
pub(super) fn supplied(supplier: &mut dyn Supply, path: &RelPath, file: &File) -> Option<Vec<u8>> {
    if file.size > TEXT_SIZE_MAX {
        return None;
    }
    let mut text = Vec::new();
    supplier.supply(path, file, &mut text).ok()?;
    Some(text)
}

fn conflict(wanted: &Merge) -> Conflict {
    let of = |file| Some(Node::File(file));
    Conflict {
        path: wanted.path.clone(),
        base: of(wanted.base),
        host: of(wanted.host),
        container: of(wanted.container),
    }
}

/// The other side's contents, and those that were made of both.
struct WithMerged<'a> {
    merged: &'a Merged,
    from: &'a dyn Contents,
}

impl Contents for WithMerged<'_> {
    fn suppliers(&self) -> usize {
        self.from.suppliers()
    }

    fn is_far(&self) -> bool {
        self.from.is_far()
    }

    fn expect(&self, mut files: Vec<Wish>) {
        files.retain(|wish| !self.merged.is_at(&wish.path));
        self.from.expect(files);
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(OneOf {
            merged: self.merged,
            from: self.from.supplier(),
        })
    }
}

struct OneOf<'a> {
    merged: &'a Merged,
    from: Box<dyn Supply + 'a>,
}

impl Supply for OneOf<'_> {
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError> {
        match self.merged.0.get(path) {
            Some(text) => to.write_all(text).map_err(SupplyError::File),
            None => self.from.supply(path, file, to),
        }
    }

    fn supply_rest(
        &mut self,
        path: &RelPath,
        file: &File,
        here: &PartHere<'_>,
        to: &mut dyn Write,
    ) -> Result<u64, SupplyError> {
        match self.merged.0.get(path) {
            Some(text) => {
                let left = here.first;
                let written = Behind { left, to }.write_all(text);
                written.map(|()| 0).map_err(SupplyError::File)
            }
            None => self.from.supply_rest(path, file, here, to),
        }
    }
}
