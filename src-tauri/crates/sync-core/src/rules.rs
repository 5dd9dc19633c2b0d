//! What is carried and what is not, and which rule says so.
//!
//! A link has one set of rules for both sides. Were each side to follow its own files, an entry that one side has just
//! begun to ignore would look deleted there, and go from the other.

mod secrets;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::name::RelPath;

pub use secrets::{SECRET_SIZE_MAX, Secret, find_secret};

/// Folders of version control: two sides that write into one history destroy it.
const VCS: [&[u8]; 5] = [b".git", b".hg", b".svn", b".jj", b".bzr"];

/// Where Mizzen keeps a project's files of its own: each side has its own, and a session writes there while it runs.
const OWN: [&[u8]; 2] = [b".para", b".mizzen"];

/// Name of the files that git takes patterns from.
pub const GITIGNORE: &[u8] = b".gitignore";

/// Where a pattern stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A `.gitignore`, by its path.
    Gitignore(RelPath),
    /// `.git/info/exclude` of the host.
    GitExclude,
    /// The person's own ignore file, for all their repositories.
    GitGlobal,
    /// `ignore` in `mizzen.toml`.
    Settings,
}

/// Why an entry is not carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// A pattern fits it.
    Pattern {
        /// Where the pattern stands.
        source: Source,
        /// The pattern as it is written.
        pattern: String,
    },
    /// It is version control's own.
    VersionControl,
    /// It is Mizzen's own.
    Mizzen,
    /// Its name is that of a secret.
    Secret,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern { source, pattern } => match source {
                Source::Gitignore(file) => write!(f, "`{pattern}` in {file}"),
                Source::GitExclude => write!(f, "`{pattern}` in .git/info/exclude"),
                Source::GitGlobal => {
                    write!(f, "`{pattern}` in git's ignore file for all repositories")
                }
                Source::Settings => write!(f, "`{pattern}` in mizzen.toml"),
            },
            Self::VersionControl => f.write_str("version control's own files are never synced"),
            Self::Mizzen => f.write_str("Mizzen's own files are never synced"),
            Self::Secret => {
                f.write_str("its name is that of a secret; `include` it in mizzen.toml to sync it")
            }
        }
    }
}

/// A line that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no pattern: {reason}")]
pub struct BadPattern {
    /// The line.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a link's rules are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleTexts {
    /// Contents of each `.gitignore`, by its path.
    pub gitignores: BTreeMap<RelPath, String>,
    /// Contents of `.git/info/exclude`.
    pub git_exclude: String,
    /// Contents of git's ignore file for all repositories.
    pub git_global: String,
    /// Patterns of `ignore` in `mizzen.toml`.
    pub ignore: Vec<String>,
    /// Patterns of `include` in `mizzen.toml`; what they fit is carried although another rule says no.
    pub include: Vec<String>,
}

/// A link's rules.
#[derive(Clone, Debug)]
pub struct Rules {
    include: Gitignore,
    /// Settings, then each directory's file, then the files for the whole repository.
    settings: Gitignore,
    gitignores: BTreeMap<RelPath, (Arc<Gitignore>, Source)>,
    whole: [(Gitignore, Source); 2],
}

impl Rules {
    /// Reads the texts. A line of git's that is no pattern is passed over, as git does.
    ///
    /// # Errors
    /// A pattern in `mizzen.toml` is none.
    pub fn new(texts: &RuleTexts) -> Result<Self, BadPattern> {
        let mut rules = Self {
            include: from_settings(&texts.include)?,
            settings: from_settings(&texts.ignore)?,
            gitignores: BTreeMap::new(),
            whole: [
                (from_git(&texts.git_exclude), Source::GitExclude),
                (from_git(&texts.git_global), Source::GitGlobal),
            ],
        };
        for (file, text) in &texts.gitignores {
            rules.add_gitignore(file, text);
        }
        Ok(rules)
    }

    /// Adds the patterns of one more `.gitignore`.
    pub fn add_gitignore(&mut self, file: &RelPath, text: &str) {
        if let Some(directory) = file.parent() {
            let patterns = (Arc::new(from_git(text)), Source::Gitignore(file.clone()));
            self.gitignores.insert(directory, patterns);
        }
    }

    /// Whether an entry is carried, when the directories above it are.
    ///
    /// # Errors
    /// It is not, and this is why.
    pub fn check(&self, path: &RelPath, is_dir: bool) -> Result<(), Ignored> {
        let name = path.components().last().unwrap_or_default();
        if VCS.contains(&name) {
            return Err(Ignored::VersionControl);
        }
        if OWN.contains(&name) {
            return Err(Ignored::Mizzen);
        }
        let whole = os_path(path.as_bytes());
        if self.include.matched(whole, is_dir).is_ignore() {
            return Ok(());
        }
        if let Match::Ignore(glob) = self.settings.matched(whole, is_dir) {
            return Err(by_pattern(&Source::Settings, glob));
        }
        if secrets::is_secret_name(path) {
            return Err(Ignored::Secret);
        }
        self.check_git(path, is_dir)
    }

    /// Whether an entry is carried: asks for each directory above it as well.
    ///
    /// # Errors
    /// It is not, and this is why; the path is that of the entry which the rule fits.
    pub fn check_whole(&self, path: &RelPath, is_dir: bool) -> Result<(), (RelPath, Ignored)> {
        let mut above = RelPath::root();
        for name in path.names() {
            above = above.join(&name);
            let is_dir = is_dir || above != *path;
            self.check(&above, is_dir)
                .map_err(|why| (above.clone(), why))?;
        }
        Ok(())
    }

    /// Whether a file is one that git takes patterns from.
    #[must_use]
    pub fn is_source(path: &RelPath) -> bool {
        path.components().last() == Some(GITIGNORE)
    }

    /// The nearest file that says something decides.
    fn check_git(&self, path: &RelPath, is_dir: bool) -> Result<(), Ignored> {
        let whole = path.as_bytes();
        let mut inner = whole.len();
        // From each name on, the last one first.
        while let Some(before) = inner.checked_sub(1).filter(|_| !self.gitignores.is_empty()) {
            let slash = whole[..before].iter().rposition(|byte| *byte == b'/');
            let above = &whole[..slash.unwrap_or(0)];
            inner = slash.map_or(0, |slash| slash + 1);
            if let Some((patterns, source)) = self.gitignores.get(above) {
                match patterns.matched(os_path(&whole[inner..]), is_dir) {
                    Match::Ignore(glob) => return Err(by_pattern(source, glob)),
                    Match::Whitelist(_) => return Ok(()),
                    Match::None => {}
                }
            }
        }
        for (patterns, source) in &self.whole {
            match patterns.matched(os_path(path.as_bytes()), is_dir) {
                Match::Ignore(glob) => return Err(by_pattern(source, glob)),
                Match::Whitelist(_) => return Ok(()),
                Match::None => {}
            }
        }
        Ok(())
    }
}

/// Whether a `.gitignore` with one text keeps back all that it did with another: lines were added only, and none of them
/// takes a pattern back.
#[must_use]
pub fn is_tighter(before: &str, after: &str) -> bool {
    let mut left = before.lines().peekable();
    for line in after.lines() {
        if left.next_if(|next| *next == line).is_none() && line.trim_start().starts_with('!') {
            return false;
        }
    }
    left.peek().is_none()
}

fn by_pattern(source: &Source, glob: &ignore::gitignore::Glob) -> Ignored {
    Ignored::Pattern {
        source: source.clone(),
        pattern: glob.original().to_owned(),
    }
}

fn from_git(text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    // A byte order mark, which editors on Windows write.
    for line in text.trim_start_matches('\u{feff}').lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

fn from_settings(patterns: &[String]) -> Result<Gitignore, BadPattern> {
    let bad = |pattern: &str, error: ignore::Error| BadPattern {
        pattern: pattern.to_owned(),
        reason: error.to_string(),
    };
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        builder
            .add_line(None, pattern)
            .map_err(|error| bad(pattern, error))?;
    }
    builder
        .build()
        .map_err(|error| bad(&patterns.join(" "), error))
}

/// Bytes as this platform names files.
#[cfg(unix)]
fn os_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// Bytes as this platform names files; what is no text names none, and no pattern fits it.
#[cfg(not(unix))]
fn os_path(bytes: &[u8]) -> &Path {
    Path::new(std::str::from_utf8(bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests;
