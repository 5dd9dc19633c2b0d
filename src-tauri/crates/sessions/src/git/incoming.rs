//! A place for objects that are not known to be well: none of them counts before all do, and nothing is left of them when
//! they are not.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Trouble;
use super::command::Git;
use crate::identity::random_token;

/// Among a repository's objects. Git's own clean-up removes what is called so and is old.
pub(super) struct Incoming {
    objects: PathBuf,
    dir: PathBuf,
}

impl Incoming {
    pub(super) async fn new(git: &Git) -> Result<Self, Trouble> {
        let objects = git.text(&["rev-parse", "--git-path", "objects"]).await?;
        let objects = git.folder().join(objects);
        let dir = objects.join(format!("tmp_objdir-mizzen-{}", random_token()));
        let made = fs::create_dir_all(dir.join("pack"));
        let incoming = Self { objects, dir };
        let given = made.and_then(|()| {
            git.give(&incoming.dir)?;
            git.give(&incoming.dir.join("pack"))
        });
        given.map_err(|error| incoming.failed(&error))?;
        Ok(incoming)
    }

    /// Where git puts new objects, and where it finds the others.
    pub(super) fn environment(&self) -> [(&'static str, &OsStr); 2] {
        [
            ("GIT_OBJECT_DIRECTORY", self.dir.as_os_str()),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.objects.as_os_str()),
        ]
    }

    /// Makes them objects of the repository.
    pub(super) fn keep(self) -> Result<(), Trouble> {
        let kept = self.packed().and_then(|mut files| {
            // A pack counts once its index is there.
            files.sort_by_key(|file| file.extension().is_some_and(|kind| kind == "idx"));
            files.iter().try_for_each(|file| self.keep_one(file))
        });
        kept.map_err(|error| self.failed(&error))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a whole file of git's own, in the file system that it lies in"
    )]
    fn keep_one(&self, file: &Path) -> io::Result<()> {
        let name = file.file_name().unwrap_or_default();
        let place = self.objects.join("pack").join(name);
        match name.to_string_lossy().starts_with("pack-") && !place.exists() {
            true => fs::rename(file, place),
            false => Ok(()),
        }
    }

    fn packed(&self) -> io::Result<Vec<PathBuf>> {
        let entries = self.dir.join("pack").read_dir()?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }

    fn failed(&self, error: &io::Error) -> Trouble {
        let why = format!("{} cannot be written: {error}.", self.objects.display());
        Trouble::new(
            why,
            "Check its owner, its permissions and the space on its disk.",
        )
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed now, `git gc` removes later.
        for file in self.packed().unwrap_or_default() {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_dir(self.dir.join("pack"));
        let _ = fs::remove_dir(&self.dir);
    }
}
