//! What merges begin from.

use std::collections::HashSet;
use std::thread;

use mizzen_fsx::PathError;
use mizzen_sync_core::{Digest, Edit, File, Node, Plan, RelPath};

use super::merge;
use crate::apply::Contents;
use crate::base::{Kept, TextStore};

/// How many texts find no room before it is looked once more which are of no use.
const PATIENCE: u32 = 64;
/// So few are kept sooner than a thread begins.
const FEW: usize = 16;

/// Texts that both sides agreed on.
pub(super) struct Texts {
    store: TextStore,
    /// How many in a row had no room.
    crowded: u32,
    /// Those of one cycle that are kept already.
    kept: HashSet<Digest>,
}

/// A file that takes the place of another one.
type Replacing<'a> = (&'a RelPath, &'a File);

impl Texts {
    pub(super) fn new(store: TextStore) -> Self {
        Self {
            store,
            crowded: 0,
            kept: HashSet::new(),
        }
    }

    /// One that was kept.
    pub(super) fn text(&self, digest: Digest) -> Option<Vec<u8>> {
        self.store.text(digest)
    }

    /// Keeps the texts that a plan brings while it is carried out, when they are many: then a disk is waited for, and
    /// there is time. What is not kept here [`Self::keep`] comes to afterwards.
    pub(super) fn keep_beside<T>(
        &mut self,
        base: Option<&Node>,
        plan: &Plan,
        contents: &dyn Contents,
        carry_out: impl FnOnce() -> T,
    ) -> T {
        self.kept.clear();
        let changes = plan.changes.iter();
        let brought = replacing(base, changes.map(|it| (&it.path, it.new.as_ref())));
        if brought.len() <= FEW || contents.suppliers() == 1 {
            return carry_out();
        }
        thread::scope(|scope| {
            // Whatever is wrong will be so afterwards, and is told then.
            scope.spawn(|| drop(self.keep_all(base, &brought, contents)));
            carry_out()
        })
    }

    /// Keeps texts that took the place of others: people are at work on them, and so both sides may change them next.
    pub(super) fn keep(
        &mut self,
        base: Option<&Node>,
        learnt: &[Edit],
        contents: &dyn Contents,
    ) -> Result<(), PathError> {
        let learnt = learnt.iter();
        let came = replacing(base, learnt.map(|it| (&it.path, it.entry.as_ref())));
        let all = self.keep_all(base, &came, contents);
        self.kept.clear();
        all
    }

    /// Notes what makes the next process cheap.
    pub(super) fn rest(&mut self) {
        self.store.rest();
    }

    fn keep_all(
        &mut self,
        base: Option<&Node>,
        files: &[Replacing<'_>],
        contents: &dyn Contents,
    ) -> Result<(), PathError> {
        let mut supplier = None;
        for (path, file) in files {
            if self.kept.contains(&file.digest) {
                continue;
            }
            let supplier = supplier.get_or_insert_with(|| contents.supplier());
            let Some(text) = merge::supplied(&mut **supplier, path, file) else {
                continue;
            };
            let mut kept = self.store.keep(file.digest, &text)?;
            if kept == Kept::Full && self.crowded.is_multiple_of(PATIENCE) {
                self.store.retain(&self.of_use(base, files))?;
                kept = self.store.keep(file.digest, &text)?;
            }
            self.crowded = match kept {
                Kept::Full => self.crowded.wrapping_add(1),
                Kept::Yes | Kept::NoText => 0,
            };
            self.kept.insert(file.digest);
        }
        Ok(())
    }

    /// The contents that merges may begin from: those of the base, before and after it has learnt.
    fn of_use(&self, base: Option<&Node>, files: &[Replacing<'_>]) -> HashSet<Digest> {
        let mut found = self.kept.clone();
        found.extend(files.iter().map(|(_, file)| file.digest));
        base.into_iter().for_each(|base| collect(base, &mut found));
        found
    }
}

/// Those of some entries that are files, where the base has a file as well.
fn replacing<'a>(
    base: Option<&Node>,
    entries: impl Iterator<Item = (&'a RelPath, Option<&'a Node>)>,
) -> Vec<Replacing<'a>> {
    let files = entries.filter_map(|(path, entry)| {
        let _before = base?.get(path)?.as_file()?;
        Some((path, entry?.as_file()?))
    });
    files.collect()
}

fn collect(node: &Node, found: &mut HashSet<Digest>) {
    match node {
        Node::File(file) => drop(found.insert(file.digest)),
        Node::Dir(dir) => dir.iter().for_each(|(_, child)| collect(child, found)),
        Node::Link(_) | Node::Unsyncable(_) => {}
    }
}
