//! `[sync]` in a project's `mizzen.toml`.
//!
//! The file is carried like any other: what it says may come from the container. A caller that asks a person before it
//! takes over looser settings compares them with those that were taken over last.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use mizzen_sync_core::{BadPattern, Mode, RuleTexts, Rules, UnknownMode};
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::root::Root;
use crate::rule_files::read_file;
use crate::scan::Links;

/// Name of the project's settings, in its root.
pub const SETTINGS_FILE: &str = "mizzen.toml";

/// Larger ones are a mistake.
pub(crate) const SIZE_MAX: u64 = 1024 * 1024;

/// Larger files are problems unless a project says otherwise.
pub(crate) const FILE_SIZE_MAX: u64 = 4 << 30;
/// How often everything is looked at unless a project says otherwise.
pub const INTERVAL: Duration = Duration::from_secs(300);

/// What a project says of its sync. What is none, the caller decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncSettings {
    /// Patterns of what is not carried.
    pub ignore: Vec<String>,
    /// Patterns of what is carried although another rule says no.
    pub include: Vec<String>,
    /// Larger files are problems; in bytes.
    pub max_file_size: Option<u64>,
    /// What is done with changes.
    pub mode: Option<Mode>,
    /// How often everything is looked at.
    pub interval: Option<Duration>,
    /// What becomes of symbolic links.
    pub symlinks: Option<Links>,
}

/// Why a project's settings cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It has no such profile.
    #[error("{} has no profile `{name}` for sync", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// The profile.
        name: String,
    },
}

impl SyncSettings {
    /// Reads a project's settings; without a file, nothing is said. A profile adds its patterns to those of all, and
    /// what else it says counts instead; the one that is asked for counts, or else the one that the file names.
    ///
    /// # Errors
    /// The file cannot be read, says something unknown, or has no such profile.
    pub fn read(root: &Root, profile: Option<&str>) -> Result<Self, SettingsError> {
        let path = root.path().join(SETTINGS_FILE);
        match text(root) {
            Ok(text) => Self::of_text(&text, path, profile),
            Err(source) => Err(SettingsError::Io { path, source }),
        }
    }

    /// The same from a file's text, which lies at a path or is said to.
    ///
    /// # Errors
    /// It says something unknown, or has no such profile.
    pub fn of_text(
        text: &str,
        path: PathBuf,
        profile: Option<&str>,
    ) -> Result<Self, SettingsError> {
        Self::parse(text, profile).map_err(|problem| match problem {
            Problem::At(line, problem) => SettingsError::Line {
                path,
                line,
                problem,
            },
            Problem::Profile(name) => SettingsError::Profile { path, name },
        })
    }

    fn parse(text: &str, profile: Option<&str>) -> Result<Self, Problem> {
        let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let file: ProjectFile = toml::from_str(text).map_err(|error| {
            let problem: Vec<&str> = error.message().lines().map(str::trim).collect();
            Problem::At(
                line(error.span().map_or(0, |span| span.start)),
                problem.join(", "),
            )
        })?;
        let Sync {
            ignore,
            include,
            max_file_size,
            mode,
            interval,
            symlinks,
            profile: named,
            mut profiles,
        } = file.sync;
        let of_profile = match (profile, named) {
            (Some(name), _) => match profiles.remove(name) {
                Some(found) => found,
                None => return Err(Problem::Profile(name.to_owned())),
            },
            (None, Some(name)) => profiles.remove(name.get_ref()).ok_or_else(|| {
                let problem = format!("there is no [sync.profiles.{}]", name.get_ref());
                Problem::At(line(name.span().start), problem)
            })?,
            (None, None) => Profile::default(),
        };
        let patterns = |general: Vec<Spanned<String>>, of_profile: Vec<Spanned<String>>| {
            let all = general.into_iter().chain(of_profile);
            let checked = all.map(|pattern| match check(pattern.get_ref()) {
                Ok(()) => Ok(pattern.into_inner()),
                Err(bad) => Err(Problem::At(line(pattern.span().start), bad.to_string())),
            });
            checked.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            ignore: patterns(ignore, of_profile.ignore)?,
            include: patterns(include, of_profile.include)?,
            max_file_size: of_profile
                .max_file_size
                .or(max_file_size)
                .map(|size| size.0),
            mode: of_profile.mode.or(mode).map(|mode| mode.0),
            interval: of_profile.interval.or(interval).map(|time| time.0),
            symlinks: of_profile.symlinks.or(symlinks),
        })
    }
}

/// What stands in a root's settings; nothing when there are none.
pub(crate) fn text(root: &Root) -> io::Result<String> {
    let text = read_file(root.handle(), SETTINGS_FILE.as_bytes(), SIZE_MAX)?;
    Ok(text.unwrap_or_default())
}

enum Problem {
    At(usize, String),
    Profile(String),
}

fn check(pattern: &str) -> Result<(), BadPattern> {
    let alone = RuleTexts {
        ignore: vec![pattern.to_owned()],
        ..RuleTexts::default()
    };
    Rules::new(&alone).map(drop)
}

/// Other tables of the file are others' concern.
#[derive(Deserialize)]
struct ProjectFile {
    #[serde(default)]
    sync: Sync,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Sync {
    ignore: Vec<Spanned<String>>,
    include: Vec<Spanned<String>>,
    max_file_size: Option<Size>,
    mode: Option<ModeName>,
    interval: Option<Seconds>,
    symlinks: Option<Links>,
    profile: Option<Spanned<String>>,
    profiles: BTreeMap<String, Profile>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Profile {
    ignore: Vec<Spanned<String>>,
    include: Vec<Spanned<String>>,
    max_file_size: Option<Size>,
    mode: Option<ModeName>,
    interval: Option<Seconds>,
    symlinks: Option<Links>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ModeName(Mode);

impl TryFrom<String> for ModeName {
    type Error = UnknownMode;

    fn try_from(name: String) -> Result<Self, UnknownMode> {
        name.parse().map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct Seconds(Duration);

impl TryFrom<u64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        match seconds {
            1..=86_400 => Ok(Self(Duration::from_secs(seconds))),
            _ => Err("a time lies between 1 and 86400 seconds"),
        }
    }
}

/// Bytes, or a text with a unit: `"100M"`.
struct Size(u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor).map(Self)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size as bytes or a text like \"100M\"")
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<u64, E> {
        u64::try_from(bytes).map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        bytes(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

fn bytes(text: &str) -> Option<u64> {
    let (number, shift) = match text.split_at_checked(text.len().checked_sub(1)?)? {
        (number, "K" | "k") => (number, 10),
        (number, "M" | "m") => (number, 20),
        (number, "G" | "g") => (number, 30),
        _ => (text, 0),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, profile: Option<&str>) -> Result<SyncSettings, String> {
        let folder = tempfile::tempdir().unwrap();
        mizzen_fsx::write_atomic(folder.path().join(SETTINGS_FILE), text.as_bytes()).unwrap();
        let root = Root::open(folder.path()).unwrap();
        SyncSettings::read(&root, profile).map_err(|error| {
            let folder = folder.path().join("");
            error.to_string().replace(&*folder.to_string_lossy(), "")
        })
    }

    const ALL: &str = r#"
image = "theirs"
[sync]
ignore = ["*.bin", "/cache/"]
include = [".env.test"]
max_file_size = "100M"
mode = "one-way-safe"
interval = 60
symlinks = "ignore"
profile = "light"
[sync.profiles.light]
ignore = ["docs"]
max_file_size = 1000
[sync.profiles.full]
mode = "two-way-safe"
[limits]
cpus = 2
"#;

    #[test]
    fn a_profile_adds_to_what_holds_for_all() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let light = SyncSettings {
            ignore: texts(&["*.bin", "/cache/", "docs"]),
            include: texts(&[".env.test"]),
            max_file_size: Some(1000),
            mode: Some(Mode::OneWaySafe),
            interval: Some(Duration::from_mins(1)),
            symlinks: Some(Links::Ignore),
        };
        assert_eq!(read(ALL, None), Ok(light.clone()));
        assert_eq!(read(ALL, Some("light")), Ok(light.clone()));
        let full = SyncSettings {
            ignore: texts(&["*.bin", "/cache/"]),
            max_file_size: Some(100 << 20),
            mode: Some(Mode::TwoWaySafe),
            ..light
        };
        assert_eq!(read(ALL, Some("full")), Ok(full));
    }

    #[test]
    fn without_a_file_or_a_table_nothing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let none = SyncSettings::default();
        assert_eq!(SyncSettings::read(&root, None).unwrap(), none);
        assert_eq!(read("image = \"x\"\n", None), Ok(none));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            ("x = ", "mizzen.toml, line 1: "),
            (
                "[sync]\n\nignor = []",
                "mizzen.toml, line 3: unknown field `ignor`",
            ),
            (
                "[sync]\nignore = [\n\"ok\",\n\"a{b\"]",
                "mizzen.toml, line 4: `a{b` is no pattern",
            ),
            (
                "[sync]\nmode = \"mirror\"",
                "mizzen.toml, line 2: `mirror` is no sync mode",
            ),
            (
                "[sync]\ninterval = 0",
                "mizzen.toml, line 2: a time lies between",
            ),
            (
                "[sync]\nsymlinks = \"follow\"",
                "mizzen.toml, line 2: unknown variant `follow`, expected one of `portable`, `ignore`, `posix`",
            ),
            (
                "[sync]\nmax_file_size = \"1T\"",
                "mizzen.toml, line 2: invalid value: string \"1T\"",
            ),
            (
                "[sync]\nmax_file_size = -1",
                "mizzen.toml, line 2: invalid value: integer `-1`",
            ),
            (
                "\n[sync]\nprofile = \"x\"",
                "mizzen.toml, line 3: there is no [sync.profiles.x]",
            ),
            (
                "[sync.profiles.x]\nprofile = \"y\"",
                "mizzen.toml, line 2: unknown field `profile`",
            ),
        ] {
            let error = read(text, None).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        let error = read(ALL, Some("other")).unwrap_err();
        assert_eq!(error, "mizzen.toml has no profile `other` for sync");
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("12", Some(12)),
            ("1k", Some(1024)),
            ("3G", Some(3 << 30)),
            ("G", None),
            ("", None),
            ("1.5M", None),
            ("99999999999999999999G", None),
            ("18014398509481984k", None),
            ("1é", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
