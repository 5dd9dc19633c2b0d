//! A folder whose files say what is carried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mizzen_fsx::{PathError, write_cache};
use mizzen_sync_core::{RelPath, RuleTexts};

use crate::entry::Kind;
use crate::root::{Directory, Root, RootError, Way};
use crate::rule_files::{RuleFileError, find_rules, read_rules};
use crate::settings::{SettingsError, SyncSettings};

/// A folder whose files say what is carried: `.gitignore` files, git's own lists, `mizzen.toml`.
pub struct RuleSource {
    root: Root,
    profile: Option<String>,
    git_global: Option<PathBuf>,
    /// Where rules were found.
    files: BTreeSet<RelPath>,
    /// Where that is kept for the next process, and what is kept there.
    memory: Option<PathBuf>,
    kept: Option<BTreeSet<RelPath>>,
    pub(crate) texts: RuleTexts,
}

/// Rules cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The folder cannot be opened.
    #[error(transparent)]
    Root(#[from] RootError),
    /// Its settings are none.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file cannot be read.
    #[error(transparent)]
    Files(#[from] RuleFileError),
}

impl RuleSource {
    /// A folder, one of the profiles in its settings, and git's ignore file for all repositories.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn new(
        folder: &Path,
        profile: Option<String>,
        git_global: Option<PathBuf>,
    ) -> Result<Self, RulesError> {
        Ok(Self {
            root: Root::open(folder)?,
            profile,
            git_global,
            files: BTreeSet::new(),
            memory: None,
            kept: None,
            texts: RuleTexts::default(),
        })
    }

    /// The same, and keeps in a file where rules are, so that the next process need not search for them.
    pub(crate) fn remembered_in(self, file: PathBuf) -> Self {
        let memory = Some(file);
        Self { memory, ..self }
    }

    /// What the settings say as they are now.
    ///
    /// # Errors
    /// They cannot be read or are none.
    pub fn settings(&self) -> Result<SyncSettings, SettingsError> {
        SyncSettings::read(&self.root, self.profile.as_deref())
    }

    /// Whether a directory is at a place now; none when nothing is there, or nobody may look.
    pub(crate) fn is_dir(&self, path: &RelPath) -> Option<bool> {
        let mut way = Way::new(self.root.handle());
        let dir = way.to(&path.parent()?).ok()?;
        let kind = dir.look(path.components().last()?).ok()??;
        Some(kind == Kind::Dir)
    }

    /// Reads them where they were the last time; where that is not known, searches the whole folder. In other places
    /// they may be by now: the first look tells those, since it is one at everything.
    pub(crate) fn find(&mut self) -> Result<(), RulesError> {
        let Some(kept) = self.memory.as_deref().and_then(kept_places) else {
            return self.search();
        };
        self.files.clone_from(&kept);
        self.kept = Some(kept);
        if let Some(texts) = self.changed(&[])? {
            self.texts = texts;
        }
        Ok(())
    }

    /// Searches the whole folder.
    pub(crate) fn search(&mut self) -> Result<(), RulesError> {
        let settings = self.settings()?;
        self.texts = find_rules(&self.root, &settings, self.git_global.as_deref())?;
        self.files = self.texts.gitignores.keys().cloned().collect();
        Ok(())
    }

    /// Keeps where they are for the next process.
    pub(crate) fn rest(&mut self) {
        let is_new = self.kept.as_ref() != Some(&self.files);
        // Without it the next process searches.
        if let Some(memory) = self.memory.as_deref().filter(|_| is_new)
            && keep_places(memory, &self.files).is_ok()
        {
            self.kept = Some(self.files.clone());
        }
    }

    /// Reads them again where they are known to be, and in more places; none when they are what they were.
    pub(crate) fn changed(&mut self, more: &[RelPath]) -> Result<Option<RuleTexts>, RulesError> {
        self.files.extend(more.iter().cloned());
        let settings = self.settings()?;
        let git_global = self.git_global.as_deref();
        let texts = read_rules(&self.root, &settings, git_global, &self.files)?;
        Ok((texts != self.texts).then_some(texts))
    }

    /// The same source, when its rules are obeyed as they are now.
    pub(crate) fn now(self, texts: RuleTexts) -> Self {
        let files = texts.gitignores.keys().cloned().collect();
        Self {
            files,
            texts,
            ..self
        }
    }
}

/// Writes down where rules are, with a checksum before it.
fn keep_places(file: &Path, places: &BTreeSet<RelPath>) -> Result<(), PathError> {
    let places: Vec<&[u8]> = places.iter().map(RelPath::as_bytes).collect();
    let body = postcard::to_stdvec(&places).expect("BUG: bytes in memory take all");
    let checksum = blake3::hash(&body);
    write_cache(file, &[&checksum.as_bytes()[..], &body].concat())
}

/// What was written down; none when there is nothing that can be used.
fn kept_places(file: &Path) -> Option<BTreeSet<RelPath>> {
    let bytes = fs::read(file).ok()?;
    let (checksum, body) = bytes.split_first_chunk::<32>()?;
    if blake3::hash(body).as_bytes() != checksum {
        return None;
    }
    let places: Vec<&[u8]> = postcard::from_bytes(body).ok()?;
    let places = places.into_iter().map(|place| RelPath::new(place).ok());
    places.collect()
}
