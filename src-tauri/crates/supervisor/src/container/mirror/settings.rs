//! Which two folders, as they were named at the start.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::places;

/// Where the host's folder is mounted unless somebody says otherwise.
const HOST: &str = "/host";

/// Where what the link remembers lies, below the workspace: the rules pass over Mizzen's own files.
const STATE: &str = ".mizzen/mirror";

/// The two folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The host's; its rules count.
    pub(crate) host: PathBuf,
    /// The container's.
    pub(crate) workspace: PathBuf,
}

impl Settings {
    /// What `run` was told; none without `--mirror`.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, String> {
        let mut arguments = arguments.into_iter();
        let (mut is_mirror, mut host, mut workspace) = (false, None, None);
        while let Some(argument) = arguments.next() {
            let place = match argument.to_str() {
                Some("--mirror") => {
                    is_mirror = true;
                    continue;
                }
                Some("--host") => &mut host,
                Some("--workspace") => &mut workspace,
                _ => return Err(format!("run does not know {}", argument.display())),
            };
            let folder = arguments.next().map(PathBuf::from);
            let folder = folder.filter(|folder| folder.is_absolute());
            *place = Some(folder.ok_or_else(|| {
                format!(
                    "{} takes the path of a folder, from / on",
                    argument.display()
                )
            })?);
        }
        match (is_mirror, &host, &workspace) {
            (false, None, None) => Ok(None),
            (false, ..) => Err("--host and --workspace belong to --mirror".to_owned()),
            (true, ..) => Ok(Some(Self {
                host: host.unwrap_or_else(|| HOST.into()),
                workspace: workspace.unwrap_or_else(|| places::WORKSPACE.into()),
            })),
        }
    }

    /// Where what is remembered lies.
    pub(super) fn state(&self) -> PathBuf {
        self.workspace.join(Path::new(STATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Option<[String; 2]>, String> {
        let settings = Settings::parse(words.iter().map(OsString::from))?;
        Ok(settings
            .map(|it| [it.host, it.workspace].map(|path| path.to_string_lossy().into_owned())))
    }

    #[test]
    fn both_folders_have_their_places_unless_they_are_named() {
        let both = |host: &str, workspace: &str| Ok(Some([host.into(), workspace.into()]));
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&["--mirror"]), both("/host", "/workspace"));
        let named = ["--mirror", "--workspace", "/w", "--host", "/h"];
        assert_eq!(parse(&named), both("/h", "/w"));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (words, expected) in [
            (&["--mirrors"][..], "run does not know --mirrors"),
            (
                &["--mirror", "--host"],
                "--host takes the path of a folder, from / on",
            ),
            (
                &["--mirror", "--host", "h"],
                "--host takes the path of a folder, from / on",
            ),
            (
                &["--host", "/h"],
                "--host and --workspace belong to --mirror",
            ),
        ] {
            assert_eq!(parse(words), Err(expected.to_owned()));
        }
    }
}
