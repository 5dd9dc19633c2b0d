//! Who says what a link carries.

use mizzen_sync_core::{RelPath, RuleTexts, Side};

use super::{Both, CycleError};
use crate::endpoint::{Endpoint, Looked};
use crate::rule_source::RuleSource;

/// The side whose files say what is carried, and what they said last.
pub struct Ruler {
    pub(super) side: Side,
    source: Source,
}

enum Source {
    /// A folder of this machine.
    Here(RuleSource),
    /// The side tells it.
    There {
        profile: Option<String>,
        texts: RuleTexts,
    },
}

impl From<RuleSource> for Ruler {
    /// The host's folder, on this machine.
    fn from(source: RuleSource) -> Self {
        Self::here(Side::Host, source)
    }
}

impl Ruler {
    /// A side whose folder lies on this machine.
    #[must_use]
    pub fn here(side: Side, source: RuleSource) -> Self {
        let source = Source::Here(source);
        Self { side, source }
    }

    /// A side that lies elsewhere and reads its files itself, with one of the profiles in its settings.
    #[must_use]
    pub fn there(side: Side, profile: Option<String>) -> Self {
        let texts = RuleTexts::default();
        let source = Source::There { profile, texts };
        Self { side, source }
    }

    /// The same, and keeps in a file where rules are, so that the next process need not search for them.
    pub(super) fn remembered_in(self, file: std::path::PathBuf) -> Self {
        let source = match self.source {
            Source::Here(source) => Source::Here(source.remembered_in(file)),
            there @ Source::There { .. } => there,
        };
        Self { source, ..self }
    }

    pub(super) fn texts(&self) -> &RuleTexts {
        match &self.source {
            Source::Here(source) => &source.texts,
            Source::There { texts, .. } => texts,
        }
    }

    /// Whether a directory is at a place now; none when nothing is there, or nobody can tell.
    pub(super) fn is_dir(&self, path: &RelPath) -> Option<bool> {
        match &self.source {
            Source::Here(source) => source.is_dir(path),
            Source::There { .. } => None,
        }
    }

    /// Learns what is said, as cheaply as that can be.
    pub(super) fn find(&mut self, sides: &mut Sides) -> Result<(), CycleError> {
        match &mut self.source {
            Source::Here(source) => Ok(source.find()?),
            Source::There { .. } => self.search(sides),
        }
    }

    /// Learns what is said by searching all of the folder.
    pub(super) fn search(&mut self, sides: &mut Sides) -> Result<(), CycleError> {
        let side = self.side;
        match &mut self.source {
            Source::Here(source) => source.search()?,
            Source::There { profile, texts } => {
                let told = sides.of(side).rules(profile.as_deref(), true);
                let told = told.map_err(|error| CycleError::Look(side, error))?;
                *texts = told.unwrap_or_default();
            }
        }
        Ok(())
    }

    /// What is said by now, after a look at the side; none when it is what was said before.
    pub(super) fn changed(
        &mut self,
        seen: &Looked,
        sides: &mut Sides,
    ) -> Result<Option<RuleTexts>, CycleError> {
        let side = self.side;
        match &mut self.source {
            Source::Here(source) if seen.rules_changed => Ok(source.changed(&seen.rule_files)?),
            Source::Here(_) => Ok(None),
            Source::There { profile, .. } => {
                let told = sides.of(side).rules(profile.as_deref(), false);
                told.map_err(|error| CycleError::Look(side, error))
            }
        }
    }

    /// The same ruler, when what it says is obeyed as it is now.
    pub(super) fn now(self, texts: RuleTexts) -> Self {
        let source = match self.source {
            Source::Here(source) => Source::Here(source.now(texts)),
            Source::There { profile, .. } => Source::There { profile, texts },
        };
        Self { source, ..self }
    }

    pub(super) fn rest(&mut self) {
        match &mut self.source {
            Source::Here(source) => source.rest(),
            Source::There { .. } => {}
        }
    }
}

/// Both sides of a link.
type Sides = Both<Box<dyn Endpoint>>;
