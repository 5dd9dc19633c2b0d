//! What a repository of the host holds, and packs of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::command::{Git, Source};
use super::depth::{COMMITS_MAX, depth, ends, packed_kib};
use super::{Trouble, names};

/// A repository of the host, as it is now.
pub(super) struct Repository {
    pub(super) git: Git,
    /// What objects are named by.
    pub(super) format: String,
    /// The commit that it is on; none before the first.
    pub(super) head: Option<String>,
    /// The branch that it is on; none where it is on a commit alone.
    pub(super) branch: Option<String>,
    /// Commits at which its own history is cut.
    cut: String,
}

/// A history to be packed.
pub(super) struct History {
    /// Commits whose parents are not in it.
    pub(super) ends: Vec<String>,
    how: How,
}

enum How {
    /// What these revisions reach.
    Reached(String),
    /// So many of the last commits.
    Last(String),
}

impl Repository {
    pub(super) async fn look(git: Git) -> Result<Self, Trouble> {
        let asked = ["rev-parse", "--show-object-format", "--git-path", "shallow"];
        let said = git.text(&asked).await?;
        let (format, shallow) = said.split_once('\n').unwrap_or((&said, ""));
        // Git makes it anew, and it is short; a link would lead elsewhere.
        let shallow = git.folder().join(shallow);
        let is_file = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.is_file());
        let cut = match is_file(&shallow) {
            true => std::fs::read_to_string(&shallow).unwrap_or_default(),
            false => String::new(),
        };
        let head = ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"];
        let head = git
            .text(&head)
            .await
            .ok()
            .filter(|head| names::is_object(head));
        let branch = ["symbolic-ref", "--quiet", "HEAD"];
        let branch = git.text(&branch).await.ok();
        let branch = branch.and_then(|name| names::taken_branch(&name).map(str::to_owned));
        Ok(Self {
            format: format.to_owned(),
            head,
            branch,
            cut,
            git,
        })
    }

    /// All that a commit reaches, or the last of it where that is much. Where the container's history is cut, only what
    /// stands by itself is sure to fit it.
    pub(super) async fn history(
        &self,
        head: &str,
        known: &[String],
        is_cut_there: bool,
    ) -> Result<History, Trouble> {
        let counted = self.git.text(&["count-objects", "-v"]).await?;
        let limit = format!("--max-count={}", COMMITS_MAX + 1);
        let commits = self
            .git
            .text(&["rev-list", "--count", &limit, head])
            .await?;
        let commits = commits.parse().unwrap_or_default();
        let is_cut = is_cut_there || !self.cut.is_empty();
        let is_new = known.is_empty();
        let Some(depth) = depth(packed_kib(&counted), commits, is_cut).filter(|_| is_new || is_cut)
        else {
            let known = known.iter().map(|known| format!("^{known}\n"));
            let revisions = std::iter::once(format!("{head}\n")).chain(known).collect();
            return Ok(History {
                ends: Vec::new(),
                how: How::Reached(revisions),
            });
        };
        let last = format!("--max-count={depth}");
        let listed = self
            .git
            .text(&["rev-list", "--parents", &last, head])
            .await?;
        Ok(History {
            ends: ends(&listed, &self.cut),
            how: How::Last(last),
        })
    }

    /// Begins to pack; both have to come to their ends.
    pub(super) async fn pack(
        &self,
        head: &str,
        history: &History,
    ) -> Result<(Option<Source>, Source), Trouble> {
        let pack = ["pack-objects", "-q", "--stdout", "--delta-base-offset"];
        match &history.how {
            How::Reached(revisions) => {
                let pack = [&pack[..], &["--revs"]].concat();
                Ok((None, self.git.source(&pack, revisions.as_bytes()).await?))
            }
            How::Last(last) => {
                let list = ["rev-list", "--objects", last, head];
                let mut listed = self.git.source(&list, b"").await?;
                let packed = self.git.source_of(&pack, &mut listed)?;
                Ok((Some(listed), packed))
            }
        }
    }

    /// Those of these objects that are here, and whether each is a commit.
    pub(super) async fn here(&self, objects: &[String]) -> Result<BTreeMap<String, bool>, Trouble> {
        let asked: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let args = ["cat-file", "--batch-check=%(objectname) %(objecttype)"];
        let said = self.git.feed(&args, asked.as_bytes()).await?;
        let said = String::from_utf8_lossy(&said);
        let there = said.lines().filter_map(|line| line.split_once(' '));
        let there = there.filter(|(_, kind)| *kind != "missing");
        Ok(there
            .map(|(object, kind)| (object.to_owned(), kind == "commit"))
            .collect())
    }

    /// Those of these commits that are here.
    pub(super) async fn existing(&self, commits: &[String]) -> Result<Vec<String>, Trouble> {
        let here = self.here(commits).await?.into_iter();
        Ok(here
            .filter_map(|(object, is_commit)| is_commit.then_some(object))
            .collect())
    }

    /// All refs, with what each names.
    pub(super) async fn refs(&self) -> Result<BTreeMap<String, String>, Trouble> {
        let listed = ["for-each-ref", "--format=%(refname) %(objectname)"];
        let listed = self.git.text(&listed).await?;
        let pairs = listed.lines().filter_map(|line| line.rsplit_once(' '));
        Ok(pairs
            .map(|(name, object)| (name.to_owned(), object.to_owned()))
            .collect())
    }

    /// Tracked paths that are not on the disk, each ended by a zero.
    pub(super) async fn gone(&self, head: &str) -> Result<Vec<u8>, Trouble> {
        let listed = ["ls-tree", "-r", "-z", "--name-only", head];
        let listed = self.git.run(&listed).await?;
        let folder = self.git.folder().to_owned();
        let look = move || {
            let paths = listed.split_inclusive(|byte| *byte == 0);
            let is_gone = |path: &&[u8]| {
                let path = folder.join(os_path(path.strip_suffix(b"\0").unwrap_or(path)));
                path.symlink_metadata().is_err()
            };
            paths.filter(is_gone).collect::<Vec<_>>().concat()
        };
        let looked = tokio::task::spawn_blocking(look).await;
        Ok(looked.expect("BUG: looking for files panicked"))
    }

    /// Whether a branch, tag or anything else that does not lie in one of these places reaches a commit.
    pub(super) async fn reaches(&self, commit: &str, but: &[String]) -> bool {
        let but: Vec<String> = but
            .iter()
            .map(|place| format!("--exclude={place}*"))
            .collect();
        let mut args = vec!["rev-list", "--max-count=1", commit, "--not"];
        args.extend(but.iter().map(String::as_str));
        args.extend(["--all", "HEAD"]);
        let said = self.git.text(&args).await;
        said.is_ok_and(|said| said.is_empty())
    }

    /// Whether a commit is at or behind another one.
    pub(super) async fn is_behind(&self, commit: &str, other: &str) -> bool {
        let args = ["merge-base", "--is-ancestor", commit, other];
        self.git.run(&args).await.is_ok()
    }
}

#[cfg(unix)]
fn os_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn os_path(bytes: &[u8]) -> &Path {
    Path::new(std::str::from_utf8(bytes).unwrap_or_default())
}
