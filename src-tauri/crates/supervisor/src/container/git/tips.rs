//! What of a repository nothing else leads to: its refs, its stashes, and commits that a worktree is on without a branch.

use mizzen_wire::git::GIT_REFS_MAX;

use super::command::Git;

/// All of it, a line each: the object, a space, the name.
pub(super) async fn of(git: &Git<'_>) -> String {
    let refs = ["for-each-ref", "--format=%(objectname) %(refname)"];
    let stashes = ["rev-list", "--walk-reflogs", "refs/stash"];
    let trees = ["worktree", "list", "--porcelain"];
    // Where there is no stash, that is an error.
    let [refs, stashes, trees] = [
        git.run(&refs).await.unwrap_or_default(),
        git.run(&stashes).await.unwrap_or_default(),
        git.run(&trees).await.unwrap_or_default(),
    ]
    .map(|said| String::from_utf8_lossy(&said).into_owned());
    told(&refs, &stashes, &trees)
}

/// Branches first: where there are too many, others are left out before them.
fn told(refs: &str, stashes: &str, trees: &str) -> String {
    let of_host = |name: &str| name.starts_with("refs/remotes/host/");
    let is_branch = |name: &str| name.starts_with("refs/heads/") || of_host(name);
    // What is known of other repositories lies there.
    let is_foreign = |name: &str| {
        ["refs/remotes/", "refs/prefetch/"]
            .iter()
            .any(|dir| name.starts_with(dir))
    };
    let name = |line: &&str| line.split_once(' ').map_or("", |(_, name)| name).to_owned();
    let (branches, others): (Vec<&str>, Vec<&str>) =
        refs.lines().partition(|line| is_branch(&name(line)));
    let others = others.into_iter().filter(|line| !is_foreign(&name(line)));
    let lines = branches.into_iter().chain(others).map(str::to_owned);
    let stashes = stashes.lines().map(|object| format!("{object} refs/stash"));
    let all = lines.chain(detached(trees)).chain(stashes);
    all.take(GIT_REFS_MAX + 1).map(|line| line + "\n").collect()
}

/// The commits of worktrees that are on no branch, of what git says of all worktrees.
fn detached(trees: &str) -> impl Iterator<Item = String> {
    let trees = trees.split("\n\n").filter_map(|tree| {
        let head = tree.lines().find_map(|line| line.strip_prefix("HEAD "))?;
        let is_detached = tree.lines().any(|line| line == "detached");
        is_detached.then(|| format!("{head} HEAD"))
    });
    trees.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_nothing_else_leads_to_is_told_and_branches_first() {
        let refs = "1 refs/bisect/bad\n2 refs/heads/a\n3 refs/notes/commits\n4 refs/remotes/host/main\n\
                    5 refs/remotes/origin/main\n6 refs/stash\n7 refs/tags/v1\n";
        let trees = "worktree /workspace\nHEAD 2\nbranch refs/heads/a\n\n\
                     worktree /tmp/x\nHEAD 8\ndetached\n\nworktree /tmp/y\nHEAD 9\ndetached\nprunable it is gone\n\n";
        let expected = "2 refs/heads/a\n4 refs/remotes/host/main\n1 refs/bisect/bad\n3 refs/notes/commits\n6 refs/stash\n\
                        7 refs/tags/v1\n8 HEAD\n9 HEAD\n6 refs/stash\n5 refs/stash\n";
        assert_eq!(told(refs, "6\n5\n", trees), expected);
        assert_eq!(told("", "", ""), "");
    }

    #[test]
    fn one_more_than_are_told_says_that_there_are_more() {
        let tags: String = (0..3 * GIT_REFS_MAX)
            .map(|nth| format!("1 refs/a/{nth}\n"))
            .collect();
        let told = told(&format!("{tags}2 refs/heads/main\n"), "", "");
        assert_eq!(told.lines().count(), GIT_REFS_MAX + 1);
        assert!(
            told.starts_with("2 refs/heads/main\n"),
            "branches are told whatever else there is"
        );
    }
}
