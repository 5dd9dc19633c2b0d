//! What is no branch: tags, stashes, notes, and commits that a worktree is on without a branch.

use std::path::Path;

use mizzen_tests::rig::Mizzen;

use super::{git, head, inside, make_repository, refs, up_with_git};

/// Makes one of each, none of which any branch leads to.
const ALL: &str = "git tag of-branch; git tag of-host HEAD~1
    git switch -q --detach; git commit -qm tagged --allow-empty; git tag -a noted -m words; git tag light
    git commit -qm alone --allow-empty; git notes add -m note; git update-ref refs/odd/one HEAD
    git worktree add -q --detach /tmp/tree HEAD~2; cd /tmp/tree; git commit -qm elsewhere --allow-empty; cd /workspace
    for text in one two; do echo $text > hello.txt; git stash -q; done";
/// Where each is told to be, by what git calls it there.
const PLACES: [(&str, &str); 7] = [
    ("noted", "tags/noted"),
    ("light", "tags/light"),
    ("refs/notes/commits", "notes/commits"),
    ("refs/odd/one", "odd/one"),
    ("stash@{0}", "stash/"),
    ("stash@{1}", "stash/"),
    ("worktrees/tree/HEAD", "head/"),
];

/// What is below the place of all that is no branch.
fn others(folder: &Path) -> Vec<String> {
    let refs = refs(folder).into_iter();
    let others =
        refs.filter_map(|line| Some(line.strip_prefix("refs/mizzen/other/web/")?.to_owned()));
    others.collect()
}

#[test]
fn tags_stashes_and_commits_that_no_branch_leads_to_come_back_before_their_volume_goes() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    up_with_git(&mizzen, &folder);
    inside(&mizzen, "git commit -qm on --allow-empty");
    inside(&mizzen, ALL);
    let expected = PLACES.map(|(name, place)| {
        let object = inside(&mizzen, &format!("git rev-parse '{name}'"));
        match place.strip_suffix('/') {
            Some(_) => format!("{place}{object} {object}"),
            None => format!("{place} {object}"),
        }
    });
    mizzen.json(&["stop", "web"]);
    assert_eq!(mizzen.session("web")["only_there"], serde_json::Value::Null);
    let came = others(&folder);
    for line in &expected {
        assert!(came.contains(line), "{line}: {came:#?}");
    }
    // The commit of the branch has another name there, and the host's own is no news.
    assert_eq!(came.len(), expected.len() + 1, "{came:#?}");
    assert!(
        came.iter().any(|line| line.starts_with("tags/of-branch ")),
        "{came:#?}"
    );
    mizzen.json(&["rm", "--volumes", "web"]);

    let stashed = expected[5].split(' ').next_back().expect("an object");
    let show = |what: &str| git(&folder, &["show", what]);
    assert_eq!(show(&format!("{stashed}:hello.txt")), "one");
    assert!(show("refs/mizzen/other/web/tags/noted").contains("words"));
    assert!(git(&folder, &["fsck", "--strict"]).is_empty());
}

#[test]
fn what_is_fetched_is_named_once_and_what_was_moved_or_dropped_stays() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    git(&folder, &["tag", "-a", "mine", "-m", "of the host"]);
    up_with_git(&mizzen, &folder);
    inside(&mizzen, "git tag v1; git switch -q --detach");
    let fetch = || mizzen.json(&["git", "fetch", "web"])["message"].clone();
    let nothing = "Session `web` has no new commits.";
    assert_eq!(
        fetch(),
        nothing,
        "all of it is the host's own: {}",
        head(&folder)
    );

    let stash = "echo more > hello.txt; git stash -q; git rev-parse stash";
    let stashed = format!("refs/mizzen/other/web/stash/{}", inside(&mizzen, stash));
    assert_eq!(fetch(), format!("Fetched {stashed}."));
    let tagged = inside(&mizzen, "git tag -fam one v1 > /dev/null; git rev-parse v1");
    assert_eq!(fetch(), "Fetched refs/mizzen/other/web/tags/v1.");
    assert_eq!(fetch(), nothing);

    inside(
        &mizzen,
        "git stash drop -q; git tag -fam two v1 > /dev/null",
    );
    let said = fetch();
    let said = said.as_str().expect("a text");
    assert!(
        said.starts_with("Fetched refs/mizzen/other/web/tags/v1. History was rewritten;"),
        "{said}"
    );
    let kept = refs(&folder);
    assert!(
        kept.iter().any(|line| line.starts_with(&stashed)),
        "{kept:#?}"
    );
    let rescued =
        |line: &&String| line.starts_with("refs/mizzen/rescue/web/") && line.ends_with(&tagged);
    assert_eq!(kept.iter().filter(rescued).count(), 1, "{kept:#?}");
}

#[test]
fn a_stash_alone_keeps_its_volume_where_it_cannot_come_back() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    up_with_git(&mizzen, &folder);
    let identity = "git config user.name a; git config user.email b";
    let stash = "echo more > hello.txt; git stash -q; git update-ref -d refs/heads/main";
    inside(
        &mizzen,
        &format!("git init -qb main; {identity}; git add hello.txt; git commit -qm x; {stash}"),
    );
    mizzen.json(&["stop", "web"]);
    let refused = mizzen.run(&["rm", "--volumes", "web", "--json"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    let message = refused.error()["message"].to_string();
    assert!(
        message.contains("not the top of a git repository"),
        "{message}"
    );
}
