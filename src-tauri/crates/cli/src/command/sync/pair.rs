//! The two folders that are named, and whose rules hold.

use std::fs;
use std::path::{Path, PathBuf};

use mizzen_core::verb::ErrorCode;
use mizzen_core::{CONTAINER_SCHEME, CoreConfig};
use mizzen_sync::{
    Both, End, LinkId, LocalOptions, RuleSource, Ruler, RulesError, SettingsError, SyncSettings,
};
use mizzen_sync_core::Side;

use super::elsewhere::Way;
use crate::args::SyncHow;
use crate::output::{Failure, failed};

/// Two folders, and the ways to those that lie in containers.
pub(super) struct Pair<'a> {
    sides: [&'a Path; 2],
    pub(super) ways: [Option<Way>; 2],
}

impl<'a> Pair<'a> {
    pub(super) fn reach(config: &CoreConfig, sides: [&'a Path; 2]) -> Result<Self, Failure> {
        let [one, other] = sides;
        let ways = [Way::to(config, one)?, Way::to(config, other)?];
        let here = sides.iter().zip(&ways).filter(|(_, way)| way.is_none());
        here.map(|(side, _)| side)
            .try_for_each(|side| is_folder(side))?;
        let pair = Self { sides, ways };
        if let [Some(one), Some(other)] = &pair.ways
            && one.id == other.id
            && lie_in_each_other([&one.folder.path, &other.folder.path])
        {
            let [one, other] = pair.sides.map(Path::display);
            return Err(failed(
                ErrorCode::Usage,
                format!("{one} and {other} are not two folders apart."),
                "Name two folders of which neither lies in the other.",
            ));
        }
        Ok(pair)
    }

    pub(super) fn is_any_elsewhere(&self) -> bool {
        self.ways.iter().any(Option::is_some)
    }

    /// How the pair is called, and how it would be the other way round. Another container is another side, also under
    /// the same name.
    pub(super) fn links(&self) -> [LinkId; 2] {
        let [one, other] = [0, 1].map(|at| self.parts(at));
        let id = |parts: [&[Vec<u8>]; 2]| LinkId::new(parts.concat().iter().map(Vec::as_slice));
        [id([&one, &other]), id([&other, &one])]
    }

    /// What they are called where links are listed.
    pub(super) fn names(&self) -> Both<String> {
        Both {
            host: called(self.sides[0]),
            container: called(self.sides[1]),
        }
    }

    fn parts(&self, at: usize) -> Vec<Vec<u8>> {
        let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
        match &self.ways[at] {
            Some(way) => vec![way.id.as_bytes().to_vec(), bytes(&way.folder.path)],
            // One that cannot be used is told when it is joined.
            None => vec![bytes(&whole(self.sides[at]))],
        }
    }

    /// How both are opened.
    pub(super) fn ends<'l>(&mut self, link: LinkId, local: &'l LocalOptions) -> Both<End<'l>> {
        let sides = self.sides;
        let mut end = |at: usize| match &mut self.ways[at] {
            Some(way) => way.end(link, local),
            None => End::Here(sides[at].to_owned()),
        };
        Both {
            host: end(0),
            container: end(1),
        }
    }

    /// Whose rules hold, and what is said there, or on the command line: the first folder's, but one of this machine
    /// before one of a container, which could else ask for what is kept back here.
    pub(super) fn rules(&self, how: &SyncHow) -> Result<(Ruler, SyncSettings), Failure> {
        let found = match &self.ways {
            [None, _] => here(Side::Host, self.sides[0], how),
            [Some(_), None] => here(Side::Container, self.sides[1], how),
            [Some(way), Some(_)] => there(way, how),
        };
        let (ruler, said) = found.map_err(|error| no_rules(&error))?;
        let settings = SyncSettings {
            mode: how.mode.or(said.mode),
            max_file_size: how.max_file_size.or(said.max_file_size),
            ..said
        };
        Ok((ruler, settings))
    }
}

fn here(side: Side, folder: &Path, how: &SyncHow) -> Result<(Ruler, SyncSettings), RulesError> {
    let git_global = ignore::gitignore::gitconfig_excludes_path();
    let source = RuleSource::new(folder, how.profile.clone(), git_global)?;
    let said = source.settings()?;
    Ok((Ruler::here(side, source), said))
}

fn there(way: &Way, how: &SyncHow) -> Result<(Ruler, SyncSettings), RulesError> {
    let said: Result<_, SettingsError> = way.folder.settings(&way.address, how.profile.as_deref());
    Ok((Ruler::there(Side::Host, how.profile.clone()), said?))
}

/// Whether there is a folder of this machine at all: before anybody looks for rules in it.
fn is_folder(side: &Path) -> Result<(), Failure> {
    fs::read_dir(side).map(drop).map_err(|error| {
        failed(
            ErrorCode::Usage,
            format!("{} cannot be used: {error}", side.display()),
            "Name two folders that exist and that you may read.",
        )
    })
}

fn no_rules(error: &RulesError) -> Failure {
    failed(
        ErrorCode::Usage,
        format!("{error}."),
        "Mend the file that is named.",
    )
}

/// What a side is called: a folder of this machine by its whole path, also when it is gone.
pub(super) fn called(side: &Path) -> String {
    let name = match side.to_str() {
        Some(address) if address.starts_with(CONTAINER_SCHEME) => side.to_owned(),
        _ => std::path::absolute(whole(side)).unwrap_or_else(|_| side.to_owned()),
    };
    name.display().to_string()
}

/// A folder's own path, without links in it.
fn whole(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn lie_in_each_other([one, other]: [&Path; 2]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
