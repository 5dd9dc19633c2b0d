//! Makes the workspace's repository, or adds to it what is new on the host. No file of the workspace is touched.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mizzen_fsx::write_atomic;
use mizzen_wire::Stream;
use mizzen_wire::git::{GitBring, GitBrought};

use super::super::places::WORKSPACE;
use super::command::Git;

/// Files of Mizzen's own, which are no work.
const OWN: &[u8] = b"/.para/\n.mizzen/\n.mizzen-tmp-*\n";
/// What reads a pack.
const UNPACK: [&str; 2] = ["index-pack", "--stdin"];

/// Nothing that a person should know of.
const NOTHING: GitBrought = GitBrought::Done {
    kept_back: 0,
    large: 0,
    submodules: 0,
};

/// What goes along with the history.
pub(super) struct Texts {
    /// Commits whose parents are not brought, a line each.
    pub(super) shallow: Vec<u8>,
    /// Tracked paths that the host does not have, each ended by a zero.
    pub(super) gone: Vec<u8>,
}

/// Makes a repository beside its place, whole, and then gives it its place: one that was begun is never met.
pub(super) async fn make(
    git: &Git<'_>,
    bring: &GitBring,
    texts: &Texts,
    pack: &mut Stream,
) -> Result<GitBrought, String> {
    let above = Path::new(WORKSPACE).join(".mizzen");
    let beside = above.join(format!("git-{}", std::process::id()));
    fs::create_dir_all(&beside).map_err(|error| error.to_string())?;
    let dir = beside.join(".git");
    let format = format!("--object-format={}", bring.format);
    let place = beside.to_str().expect("BUG: it is made of text");
    let mut init = vec!["init", "-q", "--template="];
    if bring.format != "sha1" {
        init.push(&format);
    }
    init.push(place);
    git.run(&init).await?;
    let new = git.at(dir.clone());
    fill(&new, &dir, bring, texts, pack).await?;
    let brought = match bring.head {
        Some(_) => take_files_as_they_are(&new, &texts.gone).await?,
        None => NOTHING,
    };
    let place = Path::new(WORKSPACE).join(".git");
    rustix::fs::rename(&dir, place).map_err(|error| format!("cannot take its place: {error}"))?;
    // Empty, unless somebody else's is there.
    let _ = fs::remove_dir(&beside);
    let _ = fs::remove_dir(&above);
    Ok(brought)
}

async fn fill(
    new: &Git<'_>,
    dir: &Path,
    bring: &GitBring,
    texts: &Texts,
    pack: &mut Stream,
) -> Result<(), String> {
    let failed = |error: mizzen_fsx::PathError| error.to_string();
    let branch = format!("refs/heads/{}", bring.branch);
    new.run(&["symbolic-ref", "HEAD", &branch]).await?;
    for (name, value) in &bring.settings {
        new.run(&["config", name, value]).await?;
    }
    fs::create_dir_all(dir.join("info")).map_err(|error| error.to_string())?;
    write_atomic(dir.join("info/exclude"), OWN).map_err(failed)?;
    if let Some(head) = &bring.head {
        new.drink(&UNPACK, pack).await?;
        if !texts.shallow.is_empty() {
            write_atomic(dir.join("shallow"), &texts.shallow).map_err(failed)?;
        }
        new.run(&["update-ref", &branch, head]).await?;
        let remote = format!("refs/remotes/{}", bring.remote);
        new.run(&["update-ref", &remote, head]).await?;
    }
    Ok(())
}

/// What was carried counts as it lies there. What the host has and was not carried is not missed; how much that is, and
/// how many files git keeps elsewhere.
async fn take_files_as_they_are(new: &Git<'_>, gone: &[u8]) -> Result<GitBrought, String> {
    new.run(&["read-tree", "HEAD"]).await?;
    // Says by its exit code that there are changes.
    let _ = new.run(&["update-index", "-q", "--refresh"]).await;
    let gone: BTreeSet<&[u8]> = paths(gone).collect();
    let missing = new.run(&["ls-files", "-z", "--deleted"]).await?;
    let kept_back = paths(&missing).filter(|path| !gone.contains(path));
    let kept_back = mark(new, "--skip-worktree", kept_back).await?;
    let large = new
        .run(&["ls-files", "-z", "--", ":(attr:filter=lfs)"])
        .await?;
    let large = mark(new, "--assume-unchanged", paths(&large)).await?;
    let staged = new.run(&["ls-files", "-z", "--stage"]).await?;
    let submodules = paths(&staged).filter(|line| line.starts_with(b"160000 "));
    Ok(GitBrought::Done {
        kept_back,
        large,
        submodules: submodules.count() as u64,
    })
}

/// Adds the host's history to a repository that is there.
pub(super) async fn add_to(
    git: &Git<'_>,
    bring: &GitBring,
    texts: &Texts,
    pack: &mut Stream,
) -> Result<GitBrought, String> {
    if let Some(head) = &bring.head {
        let ends: Vec<String> = String::from_utf8_lossy(&texts.shallow)
            .lines()
            .map(str::to_owned)
            .collect();
        // What is here already has its parents.
        let here: BTreeSet<String> = git.existing(&ends).await?.into_iter().collect();
        git.drink(&UNPACK, pack).await?;
        let new = ends.into_iter().filter(|end| !here.contains(end));
        add_ends(git, new).await?;
        let remote = format!("refs/remotes/{}", bring.remote);
        git.run(&["update-ref", &remote, head]).await?;
    }
    see_what_came(git).await?;
    Ok(NOTHING)
}

async fn add_ends(git: &Git<'_>, new: impl Iterator<Item = String>) -> Result<(), String> {
    let file = git.path("shallow").await?;
    let old = fs::read_to_string(&file).unwrap_or_default();
    let all: BTreeSet<String> = old.lines().map(str::to_owned).chain(new).collect();
    let text: String = all.iter().map(|end| format!("{end}\n")).collect();
    if text.is_empty() {
        return Ok(());
    }
    write_atomic(&file, text.as_bytes()).map_err(|error| error.to_string())
}

/// A file that was kept back and was carried later is looked at again.
async fn see_what_came(git: &Git<'_>) -> Result<(), String> {
    let listed = git.run(&["ls-files", "-z", "-t"]).await?;
    let skipped = paths(&listed).filter_map(|line| line.strip_prefix(b"S "));
    let is_there = |path: &&[u8]| {
        let path = Path::new(WORKSPACE).join(OsStr::from_bytes(path));
        path.symlink_metadata().is_ok()
    };
    mark(git, "--no-skip-worktree", skipped.filter(is_there)).await?;
    Ok(())
}

/// Marks tracked paths; how many.
async fn mark<'a>(
    git: &Git<'_>,
    how: &str,
    which: impl Iterator<Item = &'a [u8]>,
) -> Result<u64, String> {
    let (mut input, mut count) = (Vec::new(), 0);
    for path in which {
        input.extend_from_slice(path);
        input.push(0);
        count += 1;
    }
    if count > 0 {
        git.feed(&["update-index", "-z", how, "--stdin"], &input)
            .await?;
    }
    Ok(count)
}

fn paths(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
}
