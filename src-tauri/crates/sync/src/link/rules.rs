//! Where a link's rules come from: the host's folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    pub(super) texts: RuleTexts,
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
            texts: RuleTexts::default(),
        })
    }

    /// What the settings say as they are now.
    ///
    /// # Errors
    /// They cannot be read or are none.
    pub fn settings(&self) -> Result<SyncSettings, SettingsError> {
        SyncSettings::read(&self.root, self.profile.as_deref())
    }

    /// Whether a directory is at a place now; none when nothing is there, or nobody may look.
    pub(super) fn is_dir(&self, path: &RelPath) -> Option<bool> {
        let mut way = Way::new(self.root.handle());
        let dir = way.to(&path.parent()?).ok()?;
        let kind = dir.look(path.components().last()?).ok()??;
        Some(kind == Kind::Dir)
    }

    /// Searches the whole folder.
    pub(super) fn find(&mut self) -> Result<(), RulesError> {
        let settings = self.settings()?;
        self.texts = find_rules(&self.root, &settings, self.git_global.as_deref())?;
        self.files = self.texts.gitignores.keys().cloned().collect();
        Ok(())
    }

    /// Reads them again where they are known to be, and in more places; none when they are what they were.
    pub(super) fn changed(&mut self, more: &[RelPath]) -> Result<Option<RuleTexts>, RulesError> {
        self.files.extend(more.iter().cloned());
        let settings = self.settings()?;
        let git_global = self.git_global.as_deref();
        let texts = read_rules(&self.root, &settings, git_global, &self.files)?;
        Ok((texts != self.texts).then_some(texts))
    }

    /// The same source, when its rules are obeyed as they are now.
    pub(super) fn now(self, texts: RuleTexts) -> Self {
        let files = texts.gitignores.keys().cloned().collect();
        Self {
            files,
            texts,
            ..self
        }
    }
}
