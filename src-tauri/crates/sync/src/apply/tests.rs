//! Two sides on a real disk.

mod faults;
mod laws;
mod moved;
mod places;
mod races;
mod shelf;
mod steps;
mod trash;
mod write_back;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use mizzen_sync_core::{Mode, Outcome, RuleTexts, Rules, reconcile};
use tempfile::TempDir;

use super::*;
use crate::root::{Op, Tap};
use crate::scan::{Dirty, Links, Made, ScanOptions, scan};
use crate::trash::Leftovers;

/// One side and its trash.
pub(super) struct Side {
    folder: TempDir,
    /// Where the trash lies, when not beside the root.
    pub(super) elsewhere: Option<TempDir>,
    pub(super) now: fn() -> i64,
    pub(super) tap: Tap,
    pub(super) options: ApplyOptions,
}

impl Side {
    /// A side that holds what a sketch says: `a=1` a file, `a=1*` an executable one, `d/` a directory, `l->a` a link.
    pub(super) fn new(sketch: &str) -> Self {
        // Where there is a disk in memory, it is many times faster.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        let side = Self {
            folder,
            elsewhere: None,
            now: || i64::MAX,
            tap: Tap::none(),
            options: ApplyOptions {
                umask: 0o022,
                links: Links::Portable,
                durability: Durability::None,
                cycle: CycleId(1_000),
                moves_whole: true,
            },
        };
        sketch.split_whitespace().for_each(|word| side.put(word));
        side
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    pub(super) fn trash_path(&self) -> PathBuf {
        let folder = self.elsewhere.as_ref().unwrap_or(&self.folder);
        folder.path().join("trash")
    }

    pub(super) fn put(&self, word: &str) {
        if let Some((name, contents)) = word.split_once('=') {
            let (contents, mode) = match contents.strip_suffix('*') {
                Some(contents) => (contents, 0o755),
                None => (contents, 0o644),
            };
            write(&self.path(name), contents.as_bytes());
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        } else if let Some((name, target)) = word.split_once("->") {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            symlink(target, self.path(name)).unwrap();
        } else {
            fs::create_dir_all(self.path(word)).unwrap();
        }
    }

    pub(super) fn root(&self) -> Root {
        Root::tapped(&self.path(""), self.tap.clone())
    }

    pub(super) fn trash(&self) -> Trash {
        Trash::tapped(&self.trash_path(), self.tap.clone())
    }

    pub(super) fn scan(&self) -> Scan {
        let texts = RuleTexts {
            ignore: vec!["ignored".to_owned()],
            ..RuleTexts::default()
        };
        let options = ScanOptions {
            rules: &Rules::new(&texts).unwrap(),
            size_max: u64::MAX,
            links: Links::Portable,
            look_for_secrets: false,
            now: self.now,
            made: &Made::default(),
            agreed: None,
        };
        scan(&self.root(), &options, None, &Dirty::All)
            .unwrap()
            .scan
    }

    pub(super) fn apply_from(
        &self,
        plan: &Plan,
        before: &Scan,
        other: &Self,
    ) -> Result<Applied, ApplyError> {
        let other = other.root();
        apply(
            &self.root(),
            plan,
            before,
            &FromRoot(&other),
            &self.trash(),
            &self.options,
        )
    }

    /// Makes it like another one.
    pub(super) fn follow(&self, other: &Self) -> Result<Applied, ApplyError> {
        let before = self.scan();
        let plan = decide(&other.scan(), &before).container;
        self.apply_from(&plan, &before, other)
    }

    /// What it holds, in the words of a sketch.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        tell(&self.path(""), "", &mut words);
        words
    }

    /// Clears up after a cycle that was killed.
    pub(super) fn tidy(&self) -> Leftovers {
        self.trash().remove_leftovers(&self.root()).unwrap()
    }

    /// The contents of all files in the root and in the trash, whatever their names.
    pub(super) fn all_contents(&self) -> BTreeSet<Vec<u8>> {
        let mut found = BTreeSet::new();
        contents(self.folder.path(), &mut found);
        contents(&self.trash_path(), &mut found);
        found
    }

    /// Gives all files one time, long ago: what moved is seen to have moved, and what is edited is seen to have changed.
    pub(super) fn age(&self) {
        age(&self.path(""));
    }
}

/// One becomes like the other, whatever it holds.
pub(super) fn decide(leader: &Scan, follower: &Scan) -> Outcome {
    let (leader, follower) = (leader.tree(), follower.tree());
    reconcile(None, Some(&leader), Some(&follower), Mode::OneWayReplica)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side that writes without care"
)]
pub(super) fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

fn age(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let facts = entry.metadata().unwrap();
        if facts.is_dir() {
            age(&entry.path());
        } else if facts.is_file() {
            let file = fs::File::open(entry.path()).unwrap();
            let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
            file.set_modified(long_ago).unwrap();
        }
    }
}

fn tell(dir: &Path, prefix: &str, words: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = format!("{prefix}{}", name.as_bytes().escape_ascii());
        let facts = entry.metadata().unwrap();
        if facts.is_dir() {
            words.push(format!("{name}/"));
            tell(&entry.path(), &format!("{name}/"), words);
        } else if facts.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            words.push(format!("{name}->{}", target.display()));
        } else {
            let contents = fs::read(entry.path()).unwrap();
            let executable = if facts.permissions().mode() & 0o100 != 0 {
                "*"
            } else {
                ""
            };
            words.push(format!("{name}={}{executable}", contents.escape_ascii()));
        }
    }
}

fn contents(dir: &Path, found: &mut BTreeSet<Vec<u8>>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let facts = entry.metadata().unwrap();
        if facts.is_dir() {
            contents(&entry.path(), found);
        } else if facts.is_file() {
            found.insert(fs::read(entry.path()).unwrap());
        }
    }
}
