//! Whether a folder's repository is its own. One that was in a container's hands may lead to another, and what lies there
//! would go into the next container.

use std::fs;
use std::io;
use std::path::Path;

use super::Trouble;
use super::command::Git;

/// Longest file of the kind that leads elsewhere.
const POINTER_CAP: usize = 4096;

/// Makes sure that nothing in `.git` leads elsewhere.
pub(super) async fn check(git: &Git) -> Result<(), Trouble> {
    let folder = git.folder();
    let dot_git = folder.join(".git");
    let meta = dot_git
        .symlink_metadata()
        .map_err(|error| unreadable(&dot_git, &error))?;
    if meta.is_file() {
        return match leads_back(git).await? {
            true => Ok(()),
            false => Err(elsewhere(
                "its `.git` names a repository that does not know this folder",
            )),
        };
    }
    if !meta.is_dir() {
        return Err(elsewhere("its `.git` is a link"));
    }
    let leads = [
        ("commondir", "it has a `.git/commondir`"),
        (
            "objects/info/alternates",
            "it borrows objects of another one",
        ),
    ];
    for (name, why) in leads {
        if dot_git.join(name).symlink_metadata().is_ok() {
            return Err(elsewhere(why));
        }
    }
    let objects = dot_git.join("objects");
    for dir in [&objects, &objects.join("info"), &objects.join("pack")] {
        if has_link(dir).map_err(|error| unreadable(dir, &error))? {
            return Err(elsewhere("there are links among its objects"));
        }
    }
    Ok(())
}

/// Whether the repository that a `.git` file names says that this folder is its worktree, or its submodule's.
async fn leads_back(git: &Git) -> Result<bool, Trouble> {
    let folder = git.folder();
    let said = git.text(&["rev-parse", "--absolute-git-dir"]).await?;
    let dir = Path::new(&said);
    let same = |path: &Path, other: &Path| {
        let canonical = [path, other].map(Path::canonicalize);
        matches!(canonical, [Ok(path), Ok(other)] if path == other)
    };
    if let Ok(back) = fs::read_to_string(dir.join("gitdir"))
        && back.len() < POINTER_CAP
    {
        return Ok(same(Path::new(back.trim_end()), &folder.join(".git")));
    }
    let worktree = git
        .text(&["config", "--local", "--get", "core.worktree"])
        .await;
    Ok(worktree.is_ok_and(|worktree| same(&dir.join(worktree), folder)))
}

/// Whether a folder, or something in it, is a link.
fn has_link(dir: &Path) -> io::Result<bool> {
    match dir.symlink_metadata() {
        Ok(meta) if meta.is_symlink() => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        _ => {}
    }
    for entry in dir.read_dir()? {
        if entry?.file_type()?.is_symlink() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn elsewhere(why: &str) -> Trouble {
    let why = format!("The folder's git repository is left alone: {why}.");
    let hint = "Without that, or in a fresh clone, the next start brings its history.";
    Trouble::new(why, hint)
}

fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    let why = format!("{} cannot be read: {error}.", path.display());
    Trouble::new(why, "Check its owner and permissions.")
}
