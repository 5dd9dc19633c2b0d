//! Rules as they are told.

use std::collections::BTreeMap;
use std::io;

use mizzen_sync_core::RuleTexts;
use serde::{Deserialize, Serialize};

use super::few::few;
use super::frames::senseless;
use super::place::Place;

/// Longer rules are a mistake, and take many times as much memory.
const TEXTS_MAX: usize = 16 * 1024 * 1024;

/// [`RuleTexts`] as they are told.
#[derive(Serialize, Deserialize)]
pub(super) struct Texts {
    #[serde(deserialize_with = "few")]
    gitignores: Vec<(Place, String)>,
    git_exclude: String,
    git_global: String,
    #[serde(deserialize_with = "few")]
    ignore: Vec<String>,
    #[serde(deserialize_with = "few")]
    include: Vec<String>,
}

impl From<&RuleTexts> for Texts {
    fn from(texts: &RuleTexts) -> Self {
        let gitignores = texts.gitignores.iter();
        Self {
            gitignores: gitignores
                .map(|(path, text)| (path.into(), text.clone()))
                .collect(),
            git_exclude: texts.git_exclude.clone(),
            git_global: texts.git_global.clone(),
            ignore: texts.ignore.clone(),
            include: texts.include.clone(),
        }
    }
}

impl Texts {
    pub(super) fn rules(self) -> io::Result<RuleTexts> {
        if self.length() > TEXTS_MAX {
            let long = format!("rules of more than {} MiB", TEXTS_MAX >> 20);
            return Err(senseless(long));
        }
        let gitignores = self.gitignores.into_iter();
        let gitignores = gitignores.map(|(place, text)| Ok((place.path()?, text)));
        Ok(RuleTexts {
            gitignores: gitignores.collect::<io::Result<BTreeMap<_, _>>>()?,
            git_exclude: self.git_exclude,
            git_global: self.git_global,
            ignore: self.ignore,
            include: self.include,
        })
    }

    /// All its bytes.
    fn length(&self) -> usize {
        let files = self.gitignores.iter();
        let files = files.map(|(place, text)| place.0.len() + text.len());
        let lines = self.ignore.iter().chain(&self.include).map(String::len);
        let whole = self.git_exclude.len() + self.git_global.len();
        files.chain(lines).sum::<usize>() + whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::remote::few::ENTRIES_MAX;

    #[test]
    fn rules_without_end_are_refused() {
        let texts = |length: usize| Texts {
            gitignores: vec![(Place(b"a/.gitignore".to_vec()), "x".repeat(length))],
            git_exclude: "x".repeat(length),
            git_global: String::new(),
            ignore: vec!["x".repeat(length)],
            include: Vec::new(),
        };
        assert!(texts(TEXTS_MAX / 4).rules().is_ok());
        let refused = texts(TEXTS_MAX / 3).rules().unwrap_err();
        assert_eq!(refused.to_string(), "rules of more than 16 MiB");
    }

    #[test]
    fn lists_of_more_entries_than_anybody_has_are_refused() {
        let many = usize::try_from(ENTRIES_MAX).unwrap() + 1;
        // Two bytes each, and forty-eight in memory.
        let told = |many: usize| -> postcard::Result<Texts> {
            let (files, none) = (vec![("", ""); many], Vec::<&str>::new());
            let texts = (files, "", "", &none, &none);
            postcard::from_bytes(&postcard::to_stdvec(&texts).unwrap())
        };
        assert!(told(1000).is_ok());
        assert!(told(many).is_err());
    }
}
