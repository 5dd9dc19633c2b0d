//! History between a repository of the host and the one of a workspace: packs, which name nothing, and beside them what
//! the container says of itself.

use serde::{Deserialize, Serialize};

/// What a stream of kind [`crate::StreamKind::Git`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GitTask {
    /// The container answers with a [`GitLook`], then a line for each ref: the object, a space, the name. Each stash is one
    /// of `refs/stash`, and a commit that a worktree is on without a branch one of `HEAD`.
    Look,
    /// The core sends a [`GitBring`], the texts that it counts, and a pack to the end of its direction. The container
    /// answers with a [`GitBrought`].
    Bring,
    /// The core sends a [`GitTake`], and the container answers with a pack.
    Take,
}

/// How a workspace stands with git.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitLook {
    /// Whether the container has git.
    pub git: bool,
    /// What objects are named by in the workspace's repository, such as `sha1`; none when there is no repository.
    pub format: Option<String>,
    /// Whether its history ends before its beginning.
    pub shallow: bool,
}

/// What is brought into a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitBring {
    /// What objects are named by.
    pub format: String,
    /// The branch that a new repository is on, without `refs/heads/`.
    pub branch: String,
    /// The commit that the host is on; none while it has none. No pack follows then.
    pub head: Option<String>,
    /// Where the container keeps that commit, below `refs/remotes/`.
    pub remote: String,
    /// Settings of a new repository, by their names.
    pub settings: Vec<(String, String)>,
    /// Bytes of the commits, a line each, whose parents are not brought.
    pub shallow: u64,
    /// Bytes of the tracked paths that are not on the host's disk, each ended by a zero.
    pub gone: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GitBrought {
    /// It is there.
    Done {
        /// Tracked files that are on the host and were not carried: git does not miss them.
        kept_back: u64,
        /// Files that git keeps elsewhere, and does not look at here.
        large: u64,
        /// Repositories within it, whose own history does not come.
        submodules: u64,
    },
    /// It is not, in the container's words.
    Failed(String),
}

/// What history is taken of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitTake {
    /// The last commits of it.
    pub want: Vec<String>,
    /// Commits that the host has, with all before them.
    pub have: Vec<String>,
}

/// Most refs that are told; one more says that there are more.
pub const GIT_REFS_MAX: usize = 2000;

/// Longest text that is counted in a [`GitBring`].
pub const GIT_TEXT_CAP: u64 = 16 * 1024 * 1024;
