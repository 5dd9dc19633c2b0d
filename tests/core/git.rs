//! Git in sessions whose workspace is kept in step: the real one on both sides.

mod beside;
mod hostile;
mod late;
mod unusual;

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use mizzen_tests::own_core::{USER, full_image, tiny_image};
use mizzen_tests::rig::Mizzen;

/// Runs git in a folder as its owner, with an environment of its own; what it prints.
fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ])
        .uid(USER)
        .gid(USER)
        .output()
        .expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .trim_end()
        .to_owned()
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    mizzen_fsx::write_atomic(&path, text.as_bytes()).expect("a file");
    chown(path, Some(USER), Some(USER)).expect("tests run as root");
}

/// Makes a folder a repository with one commit of all that is in it.
fn make_repository(folder: &Path, init: &[&str]) {
    git(folder, &[&["init", "-q", "-b", "main"], init].concat());
    git(folder, &["config", "user.name", "Ada"]);
    git(folder, &["config", "user.email", "ada@example.org"]);
    commit(folder, "first");
}

fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--force", "."]);
    git(folder, &["commit", "-q", "-m", message]);
}

fn up(mizzen: &Mizzen, folder: &Path, image: &str) {
    up_as(mizzen, folder, "sync", image);
}

fn up_as(mizzen: &Mizzen, folder: &Path, workspace: &str, image: &str) {
    let folder = folder.to_str().expect("UTF-8");
    let up = ["up", folder, "--name", "web", "--workspace", workspace];
    mizzen.json(&[&up[..], &["--image", image, "--memory", "1g"]].concat());
}

/// The session `web` of a folder, in the image that has git.
fn up_with_git(mizzen: &Mizzen, folder: &Path) {
    up(mizzen, folder, &full_image().expect("an image"));
}

/// How its git phase went: `done` or `failed`, and what was said.
fn phase(mizzen: &Mizzen) -> (String, String) {
    let phases = mizzen.session("web")["phases"].clone();
    let phases = phases.as_array().expect("phases").iter();
    let mut phases = phases.filter(|phase| phase["phase"] == "git");
    let phase = phases.next().expect("a git phase");
    let text = |name: &str| phase[name].as_str().expect("a text").to_owned();
    (text("state"), text("message"))
}

/// Runs a script in the workspace, as its user; what it prints.
fn inside(mizzen: &Mizzen, script: &str) -> String {
    let id = mizzen.session("web")["container_id"].clone();
    let id = id.as_str().expect("a container");
    let said = mizzen.docker(&["exec", "-w", "/workspace", id, "sh", "-ec", script]);
    assert_eq!(said.code, 0, "{script}: {said:?}");
    said.stdout.trim_end().to_owned()
}

/// All refs of a repository with what they name.
fn refs(folder: &Path) -> Vec<String> {
    let listed = git(
        folder,
        &["for-each-ref", "--format=%(refname) %(objectname)"],
    );
    listed.lines().map(str::to_owned).collect()
}

fn head(folder: &Path) -> String {
    git(folder, &["rev-parse", "HEAD"])
}

#[test]
fn a_mirror_has_a_repository_of_its_own_as_well() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    write(&folder, "hello.txt", "changed\n");
    up_as(&mizzen, &folder, "mirror", &full_image().expect("an image"));
    let said = inside(&mizzen, "git rev-parse HEAD; git status --porcelain");
    assert_eq!(said, format!("{}\n M hello.txt", head(&folder)));
    inside(&mizzen, "git commit -qam there");
    let there = inside(&mizzen, "git rev-parse HEAD");
    mizzen.json(&["stop", "web"]);
    let came = git(&folder, &["rev-parse", "refs/mizzen/web/mizzen/web"]);
    assert_eq!(came, there);
}

#[test]
fn a_workspace_has_the_history_and_exactly_the_uncommitted_changes() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    for name in [".env", "gone.txt", "kept.txt"] {
        write(&folder, name, "as committed\n");
    }
    make_repository(&folder, &[]);
    write(&folder, "hello.txt", "changed\n");
    write(&folder, "new.txt", "new\n");
    fs::remove_file(folder.join("gone.txt")).unwrap();
    up_with_git(&mizzen, &folder);

    let said = "On branch `mizzen/web`. One tracked file was not carried, and is not missed.";
    assert_eq!(phase(&mizzen), ("done".to_owned(), said.to_owned()));
    assert_eq!(mizzen.session("web")["branch"], "mizzen/web");
    let status = inside(&mizzen, "git status --porcelain");
    assert_eq!(status, " D gone.txt\n M hello.txt\n?? new.txt");
    assert_eq!(inside(&mizzen, "git rev-parse HEAD"), head(&folder));
    let shown = "git log --format='%an %s'; git branch --show-current; git config user.email";
    assert_eq!(
        inside(&mizzen, shown),
        "Ada first\nmizzen/web\nada@example.org"
    );
    assert_eq!(
        inside(
            &mizzen,
            "git remote; git fsck 2>&1; ls -a .env .mizzen 2>/dev/null || true"
        ),
        ""
    );
}

#[test]
fn commits_come_back_and_nothing_else_is_touched() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    up_with_git(&mizzen, &folder);
    let (first, before) = (head(&folder), refs(&folder));
    let fetched = mizzen.json(&["git", "fetch", "web"]);
    assert_eq!(fetched["message"], "Session `web` has no new commits.");
    assert_eq!(
        refs(&folder),
        before,
        "the host's own commit is nothing new"
    );

    let index = fs::read(folder.join(".git/index")).unwrap();
    let made = inside(
        &mizzen,
        "echo more > more.txt; git add .; git commit -qm more; git rev-parse HEAD",
    );
    let fetched = mizzen.json(&["git", "fetch", "web"]);
    assert_eq!(fetched["message"], "Fetched refs/mizzen/web/mizzen/web.");
    let ours = format!("refs/mizzen/web/mizzen/web {made}");
    assert_eq!(refs(&folder), [before.clone(), vec![ours]].concat());
    assert_eq!(
        (head(&folder), git(&folder, &["symbolic-ref", "HEAD"])),
        (first, "refs/heads/main".to_owned())
    );
    assert_eq!(fs::read(folder.join(".git/index")).unwrap(), index);
    assert_eq!(
        git(&folder, &["log", "-1", "--format=%an %s", &made]),
        "Ada more"
    );

    // What a rewritten branch was is kept; a stop fetches, too.
    let amended = inside(
        &mizzen,
        "git commit -q --amend -m better; git rev-parse HEAD",
    );
    mizzen.json(&["stop", "web"]);
    let now = refs(&folder);
    let ours = format!("refs/mizzen/web/mizzen/web {amended}");
    assert!(now.contains(&ours), "{now:?}");
    let rescued = now
        .iter()
        .filter(|line| line.starts_with("refs/mizzen/rescue/web/"));
    let rescued: Vec<_> = rescued.collect();
    assert_eq!(rescued.len(), 1, "{now:?}");
    assert!(
        rescued[0].ends_with(&format!("/mizzen/web {made}")),
        "{rescued:?}"
    );

    // A restart keeps what is there, and brings what is new on the host.
    write(&folder, "later.txt", "later\n");
    git(&folder, &["add", "later.txt"]);
    git(&folder, &["commit", "-q", "-m", "later"]);
    mizzen.json(&["start", "web"]);
    assert_eq!(
        phase(&mizzen).1,
        "The host's newer commits are `host/main`."
    );
    let there = inside(
        &mizzen,
        "git rev-parse HEAD refs/remotes/host/main; git branch --show-current",
    );
    assert_eq!(there, format!("{amended}\n{}\nmizzen/web", head(&folder)));
    mizzen.json(&["restart", "web"]);
    assert_eq!(phase(&mizzen).1, "The repository is there already.");
}

#[test]
fn removal_of_a_session_brings_its_commits() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    up_with_git(&mizzen, &folder);
    let made = inside(
        &mizzen,
        "git switch -qc side; git commit -qm x --allow-empty; git rev-parse HEAD",
    );
    mizzen.json(&["rm", "--force", "--volumes", "web"]);
    let ours = format!("refs/mizzen/web/side {made}");
    assert!(refs(&folder).contains(&ours), "{:?}", refs(&folder));
}

#[test]
fn a_history_that_is_cut_is_brought_as_far_as_it_goes() {
    let mizzen = Mizzen::new();
    let source = mizzen.project("source");
    make_repository(&source, &[]);
    for nth in ["2", "3", "4"] {
        write(&source, "hello.txt", nth);
        commit(&source, nth);
    }
    let folder = mizzen.project("p");
    fs::remove_file(folder.join("hello.txt")).unwrap();
    let from = format!("file://{}", source.display());
    git(&folder, &["clone", "-q", "--depth", "2", &from, "."]);
    up_with_git(&mizzen, &folder);
    let said = "On branch `mizzen/web`. Its history ends before its beginning, which is far back.";
    assert_eq!(phase(&mizzen), ("done".to_owned(), said.to_owned()));
    let shown = inside(
        &mizzen,
        "git status --porcelain; git log --format=%s; git fsck 2>&1; git remote",
    );
    assert_eq!(shown, "4\n3");
    let identity = "git -c user.name=a -c user.email=b";
    let made = inside(
        &mizzen,
        &format!("{identity} commit -qm x --allow-empty; git rev-parse HEAD"),
    );
    mizzen.json(&["git", "fetch", "web"]);
    assert_eq!(
        git(&folder, &["rev-parse", "refs/mizzen/web/mizzen/web"]),
        made
    );

    mizzen.json(&["stop", "web"]);
    git(
        &folder,
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "5",
        ],
    );
    mizzen.json(&["start", "web"]);
    let shown = inside(
        &mizzen,
        "git log --format=%s host/main; git fsck 2>&1; git log --format=%s",
    );
    assert_eq!(shown, "5\n4\n3\nx\n4\n3");
}

#[test]
fn other_ways_of_naming_objects_and_a_commit_alone_are_brought() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &["--object-format=sha256"]);
    git(&folder, &["switch", "-q", "--detach"]);
    up_with_git(&mizzen, &folder);
    assert!(
        phase(&mizzen).1.contains("on a commit, not on a branch"),
        "{:?}",
        phase(&mizzen)
    );
    let shown = inside(
        &mizzen,
        "git status --porcelain; git rev-parse HEAD host/detached",
    );
    assert_eq!(shown, format!("{0}\n{0}", head(&folder)));
    assert_eq!(head(&folder).len(), 64);
    let made = inside(
        &mizzen,
        "git commit -qm x --allow-empty; git rev-parse HEAD",
    );
    mizzen.json(&["git", "fetch", "web"]);
    assert_eq!(
        git(&folder, &["rev-parse", "refs/mizzen/web/mizzen/web"]),
        made
    );
}

#[test]
fn a_repository_without_commits_is_begun() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    git(&folder, &["init", "-q", "-b", "main"]);
    up_with_git(&mizzen, &folder);
    let said = "The project has no commits yet.".to_owned();
    assert_eq!(phase(&mizzen), ("done".to_owned(), said));
    let script = "git status --porcelain; git -c user.name=a -c user.email=b commit -qm x --allow-empty; git rev-parse HEAD";
    let shown = inside(&mizzen, script);
    let (status, made) = shown.split_once('\n').unwrap();
    assert_eq!(status, "?? hello.txt");
    mizzen.json(&["git", "fetch", "web"]);
    assert_eq!(
        refs(&folder),
        [format!("refs/mizzen/web/mizzen/web {made}")]
    );
}

#[test]
fn a_worktree_is_brought_like_its_repository() {
    let mizzen = Mizzen::new();
    let (main, folder) = (mizzen.project("main"), mizzen.project("p"));
    make_repository(&main, &[]);
    fs::remove_file(folder.join("hello.txt")).unwrap();
    git(
        &main,
        &[
            "worktree",
            "add",
            "-q",
            "-b",
            "side",
            folder.to_str().unwrap(),
        ],
    );
    up_with_git(&mizzen, &folder);
    assert_eq!(phase(&mizzen).1, "On branch `mizzen/web`.");
    let shown = inside(&mizzen, "git status --porcelain; git rev-parse host/side");
    assert_eq!(shown, head(&main));
}

#[test]
fn without_a_repository_or_git_a_session_works() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let tiny = tiny_image().expect("an image");
    up(&mizzen, &folder, &tiny);
    let said = |why: &str| {
        (
            "done".to_owned(),
            format!("{why} The session works without branches."),
        )
    };
    assert_eq!(
        phase(&mizzen),
        said("The folder is not the top of a git repository.")
    );
    assert!(mizzen.session("web")["branch"].is_null());
    let refused = mizzen.run(&["git", "fetch", "web", "--json"]);
    assert_eq!(
        (refused.code, refused.error()["hint"].as_str()),
        (6, Some("Make it one: git init.")),
        "{refused:?}"
    );

    make_repository(&folder, &[]);
    mizzen.json(&["restart", "web"]);
    assert_eq!(phase(&mizzen), said("The image has no git."));
    assert_eq!(inside(&mizzen, "ls -A | grep -c .git || true"), "0");
    assert_eq!(
        mizzen.json(&["git", "fetch", "web"])["message"],
        "Session `web` has no new commits."
    );
}
