//! Finds and reads the files that a link's rules come from.
//!
//! They are the host's: see [`Rules`]. They are searched for once. Later a look finds them on its way: it is made by the
//! rules as they were last, and made again where the files that it has found say something else.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mizzen_sync_core::{BadPattern, GITIGNORE, Name, RelPath, RuleTexts, Rules};

use crate::entry::Kind;
use crate::root::{DirHandle, Directory, Root};
use crate::scan::DEPTH_MAX;
use crate::settings::SyncSettings;

const GIT_EXCLUDE: &[u8] = b".git/info/exclude";

/// A larger file is a mistake.
const SIZE_MAX: u64 = 1024 * 1024;
/// So are more files than that.
const FILES_MAX: usize = 10_000;

/// Why a link's rules cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// A file or directory cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There are too many files.
    #[error("{} holds more than {FILES_MAX} .gitignore files", path.display())]
    Many {
        /// The root.
        path: PathBuf,
    },
    /// A pattern of the settings is none.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
}

/// Searches a root for its rules, in all directories that are carried by what was found above them.
///
/// # Errors
/// A file that is there cannot be read: without it, what it keeps back would be carried.
pub fn find_rules(
    root: &Root,
    settings: &SyncSettings,
    git_global: Option<&Path>,
) -> Result<RuleTexts, RuleFileError> {
    let texts = whole_texts(root, settings, git_global)?;
    let mut search = Search {
        rules: Rules::new(&texts)?,
        texts,
        root,
    };
    search.directory(root.handle(), &RelPath::root(), 0)?;
    Ok(search.texts)
}

/// Reads a root's rules where they were found: those that are not there any more are none.
///
/// # Errors
/// The same as for [`find_rules`].
pub fn read_rules<'a>(
    root: &Root,
    settings: &SyncSettings,
    git_global: Option<&Path>,
    files: impl IntoIterator<Item = &'a RelPath>,
) -> Result<RuleTexts, RuleFileError> {
    let mut texts = whole_texts(root, settings, git_global)?;
    for file in files {
        let names: Vec<&[u8]> = file.components().collect();
        if let Some(text) = read_at(root.handle(), &names).map_err(failed(root, file))? {
            add(root, file, text, &mut texts)?;
        }
    }
    Ok(texts)
}

/// The texts that hold for the whole root.
fn whole_texts(
    root: &Root,
    settings: &SyncSettings,
    git_global: Option<&Path>,
) -> Result<RuleTexts, RuleFileError> {
    let git_exclude = RelPath::new(GIT_EXCLUDE).expect("BUG: names between slashes");
    let names: Vec<&[u8]> = git_exclude.components().collect();
    let git_exclude = read_at(root.handle(), &names).map_err(failed(root, &git_exclude))?;
    let git_global = match git_global {
        Some(path) => read_global(path).map_err(|source| RuleFileError::Io {
            path: path.to_owned(),
            source,
        })?,
        None => None,
    };
    Ok(RuleTexts {
        git_exclude: git_exclude.unwrap_or_default(),
        git_global: git_global.unwrap_or_default(),
        ignore: settings.ignore.clone(),
        include: settings.include.clone(),
        ..RuleTexts::default()
    })
}

struct Search<'a> {
    root: &'a Root,
    texts: RuleTexts,
    rules: Rules,
}

impl Search<'_> {
    fn directory(
        &mut self,
        handle: &DirHandle,
        path: &RelPath,
        depth: usize,
    ) -> Result<(), RuleFileError> {
        let gitignore = Name::new(GITIGNORE).expect("BUG: a name");
        let gitignore = path.join(&gitignore);
        let text = read_at(handle, &[GITIGNORE]).map_err(failed(self.root, &gitignore))?;
        if let Some(text) = text {
            self.rules.add_gitignore(&gitignore, &text);
            add(self.root, &gitignore, text, &mut self.texts)?;
        }
        if depth == DEPTH_MAX {
            return Ok(());
        }
        for entry in handle.list().map_err(failed(self.root, path))? {
            let inner = path.join(&entry.name);
            if entry.kind == Kind::Dir
                && self.rules.check(&inner, true).is_ok()
                // What cannot be opened is not looked at either.
                && let Ok(opened) = handle.open_dir(entry.name.as_bytes())
            {
                self.directory(&opened, &inner, depth + 1)?;
            }
        }
        Ok(())
    }
}

fn add(
    root: &Root,
    file: &RelPath,
    text: String,
    texts: &mut RuleTexts,
) -> Result<(), RuleFileError> {
    if texts.gitignores.len() == FILES_MAX {
        let path = root.path().to_owned();
        return Err(RuleFileError::Many { path });
    }
    texts.gitignores.insert(file.clone(), text);
    Ok(())
}

fn failed(root: &Root, path: &RelPath) -> impl FnOnce(io::Error) -> RuleFileError {
    let path = root.path().join(path.to_string());
    |source| RuleFileError::Io { path, source }
}

/// The text of a file some directories down; none when it is not there or is none.
fn read_at(handle: &DirHandle, names: &[&[u8]]) -> io::Result<Option<String>> {
    match names {
        [] => Ok(None),
        [file] => read_file(handle, file, SIZE_MAX),
        [dir, rest @ ..] => match handle.look(dir)? {
            Some(Kind::Dir) => read_at(&handle.open_dir(dir)?, rest),
            _ => Ok(None),
        },
    }
}

/// The text of a file; none when it is not there or is none. Git does not follow a link in its place either.
pub(crate) fn read_file(
    handle: &DirHandle,
    name: &[u8],
    size_max: u64,
) -> io::Result<Option<String>> {
    match handle.look(name)? {
        Some(Kind::File { .. }) => {}
        _ => return Ok(None),
    }
    read_text(handle.open_file(name)?.file, size_max).map(Some)
}

/// The person's own file, which may be a link: it is theirs.
fn read_global(path: &Path) -> io::Result<Option<String>> {
    match File::open(path) {
        Ok(file) => read_text(file, SIZE_MAX).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Bytes that are no text are replaced: a pattern that holds them fits nothing.
fn read_text(file: File, size_max: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(size_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > size_max {
        let problem = format!("it is larger than {size_max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::scan::{Dirty, Links, Made, ScanOptions, scan};

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        mizzen_fsx::write_atomic(path, text.as_bytes()).unwrap();
    }

    fn rel(path: &str) -> RelPath {
        RelPath::new(path.as_bytes()).unwrap()
    }

    /// A root with rules in all places.
    fn project() -> (tempfile::TempDir, Root, SyncSettings) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("root/.gitignore", "build/\n"),
            ("root/.git/info/exclude", "excluded\n"),
            ("root/app/.gitignore", "gen\n"),
            ("root/cache/.gitignore", "*\n"),
            ("root/app/gen/.gitignore", "x\n"),
            ("root/build/.gitignore", "x\n"),
            ("root/mine/.gitignore", "x\n"),
            ("global", "*.swp\n"),
        ] {
            write(&folder.path().join(file), text);
        }
        symlink("../global", folder.path().join("root/link")).unwrap();
        std::fs::create_dir(folder.path().join("root/linked")).unwrap();
        symlink("../../global", folder.path().join("root/linked/.gitignore")).unwrap();
        let settings = SyncSettings {
            ignore: vec!["mine".to_owned()],
            include: vec!["wanted".to_owned()],
            ..SyncSettings::default()
        };
        let root = Root::open(folder.path().join("root")).unwrap();
        (folder, root, settings)
    }

    #[test]
    fn rules_are_found_where_they_hold() {
        let (folder, root, settings) = project();
        let global = folder.path().join("global");
        let found = find_rules(&root, &settings, Some(&global)).unwrap();
        let expected = RuleTexts {
            gitignores: [
                (rel(".gitignore"), "build/\n".to_owned()),
                (rel("app/.gitignore"), "gen\n".to_owned()),
                (rel("cache/.gitignore"), "*\n".to_owned()),
            ]
            .into(),
            git_exclude: "excluded\n".to_owned(),
            git_global: "*.swp\n".to_owned(),
            ignore: settings.ignore.clone(),
            include: settings.include.clone(),
        };
        assert_eq!(found, expected);
        let again = read_rules(&root, &settings, Some(&global), found.gitignores.keys());
        assert_eq!(again.unwrap(), expected);
    }

    #[test]
    fn a_look_tells_the_files_that_rules_are_read_from() {
        let (_folder, root, settings) = project();
        let found = find_rules(&root, &settings, None).unwrap();
        let rules = Rules::new(&found).unwrap();
        let options = ScanOptions {
            rules: &rules,
            size_max: u64::MAX,
            links: Links::Posix,
            look_for_secrets: false,
            now: || 0,
            made: &Made::default(),
            agreed: None,
        };
        let seen = scan(&root, &options, None, &Dirty::All).unwrap();
        let again = read_rules(&root, &settings, None, &seen.rule_files).unwrap();
        assert_eq!(again, found, "the one that is not carried itself included");
    }

    #[test]
    fn files_that_went_are_none() {
        let (folder, root, settings) = project();
        let gone = [
            rel("app/none/.gitignore"),
            rel("link/.gitignore"),
            rel("linked/.gitignore"),
        ];
        let found = read_rules(&root, &settings, Some(&folder.path().join("no")), &gone).unwrap();
        assert_eq!(found.gitignores.len(), 0);
        assert_eq!(found.git_global, "");
    }

    #[test]
    fn files_that_are_too_large_or_too_many_are_named() {
        let (folder, root, settings) = project();
        let large = " ".repeat(usize::try_from(SIZE_MAX).unwrap() + 1);
        write(&folder.path().join("root/app/.gitignore"), &large);
        let error = find_rules(&root, &settings, None).unwrap_err().to_string();
        assert!(
            error.ends_with("root/app/.gitignore: it is larger than 1048576 bytes"),
            "{error}"
        );
        let error = find_rules(&root, &settings, Some(folder.path())).unwrap_err();
        assert!(matches!(error, RuleFileError::Io { path, .. } if path == folder.path()));
        let mut texts = RuleTexts::default();
        for number in 0..FILES_MAX {
            add(&root, &rel(&number.to_string()), String::new(), &mut texts).unwrap();
        }
        let many = add(&root, &rel("more"), String::new(), &mut texts).unwrap_err();
        assert!(many.to_string().contains("more than 10000"), "{many}");
    }
}
