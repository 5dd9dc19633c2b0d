//! Repositories that would run something, or lead elsewhere; containers that lie.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use mizzen_tests::own_core::{docker, tiny_image};
use mizzen_tests::rig::Mizzen;

use super::{commit, git, head, inside, make_repository, phase, refs, up, up_with_git, write};

/// Settings of which each names a program that git runs for somebody.
const PROGRAMS: [&str; 14] = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.gitProxy",
    "core.askPass",
    "core.pager",
    "core.editor",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "filter.canary.clean",
    "filter.canary.smudge",
    "filter.canary.process",
    "gc.recentObjectsHook",
    "uploadpack.packObjectsHook",
];

/// Hooks of which any could be asked.
const HOOKS: [&str; 7] = [
    "reference-transaction",
    "post-checkout",
    "post-index-change",
    "fsmonitor-watchman",
    "pre-auto-gc",
    "post-rewrite",
    "update",
];

/// Plants a program wherever git runs one; it leaves a file.
fn plant(folder: &Path) -> PathBuf {
    let sung = folder.join(".git/sung");
    let canary = folder.join(".git/canary");
    let script = format!("#!/bin/sh\necho \"$0 $*\" >> {}\nexit 1\n", sung.display());
    let place = |name: &Path| {
        let name = name
            .strip_prefix(folder)
            .expect("as it was made")
            .to_str()
            .expect("as it was made");
        write(folder, name, &script);
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755))
            .expect("as it was made");
    };
    place(&canary);
    git(folder, &["config", "core.hooksPath", ".git/planted"]);
    git(folder, &["init", "-q"]);
    fs::create_dir(folder.join(".git/planted")).expect("as it was made");
    for hook in HOOKS {
        place(&folder.join(".git/planted").join(hook));
    }
    for name in PROGRAMS {
        git(
            folder,
            &["config", name, canary.to_str().expect("as it was made")],
        );
    }
    git(folder, &["config", "filter.canary.required", "true"]);
    sung
}

#[test]
fn nothing_that_a_repository_names_is_run() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    write(&folder, ".gitattributes", "*.txt filter=canary\n");
    commit(&folder, "attributes");
    let sung = plant(&folder);
    up_with_git(&mizzen, &folder);
    assert_eq!(phase(&mizzen).0, "done", "{:?}", phase(&mizzen));
    let made = inside(
        &mizzen,
        "git commit -qm x --allow-empty; git rev-parse HEAD",
    );
    mizzen.json(&["git", "fetch", "web"]);
    inside(&mizzen, "git commit -q --amend -m y --allow-empty");
    mizzen.json(&["stop", "web"]);
    let kept = refs(&folder);
    assert!(
        kept.iter()
            .any(|line| line.starts_with("refs/mizzen/rescue/") && line.ends_with(&made))
    );
    let heard = fs::read_to_string(&sung).unwrap_or_default();
    // `for-each-ref` above runs none of them.
    assert_eq!(heard, "", "it sang");
    // It can sing.
    let _said = std::process::Command::new("git")
        .arg("-C")
        .arg(&folder)
        .args(["-c", "safe.directory=*", "status"])
        .output()
        .unwrap();
    assert!(sung.exists());
}

#[test]
fn a_repository_that_leads_elsewhere_is_left_alone() {
    let mizzen = Mizzen::new();
    let (private, folder) = (mizzen.project("private"), mizzen.project("p"));
    make_repository(&private, &[]);
    let tiny = lying_image(&mizzen, &["refs/heads/main"], &head(&private));
    let elsewhere = private.join(".git");

    write(
        &folder,
        ".git",
        &format!("gitdir: {}\n", elsewhere.display()),
    );
    up(&mizzen, &folder, &tiny.0);
    let said = |why: &str| {
        assert!(
            phase(&mizzen).1.contains(why) && phase(&mizzen).0 == "failed",
            "{:?}",
            phase(&mizzen)
        )
    };
    said("names a repository that does not know this folder");

    fs::remove_file(folder.join(".git")).unwrap();
    symlink(&elsewhere, folder.join(".git")).unwrap();
    mizzen.json(&["restart", "web"]);
    said("its `.git` is a link");

    fs::remove_file(folder.join(".git")).unwrap();
    make_repository(&folder, &[]);
    write(
        &folder,
        ".git/objects/info/alternates",
        &format!("{}\n", elsewhere.join("objects").display()),
    );
    mizzen.json(&["restart", "web"]);
    said("it borrows objects of another one");

    fs::remove_file(folder.join(".git/objects/info/alternates")).unwrap();
    write(
        &folder,
        ".git/commondir",
        &format!("{}\n", elsewhere.display()),
    );
    mizzen.json(&["restart", "web"]);
    said("it has a `.git/commondir`");

    fs::remove_file(folder.join(".git/commondir")).unwrap();
    symlink(
        elsewhere.join("objects/pack"),
        folder.join(".git/objects/ab"),
    )
    .unwrap();
    mizzen.json(&["restart", "web"]);
    said("there are links among its objects");
}

/// The tiny image with a git that makes an empty repository, names these refs, and gives noise for a pack.
fn lying_image(mizzen: &Mizzen, refs: &[&str], object: &str) -> Image {
    let lines: Vec<String> = refs
        .iter()
        .map(|name| format!("echo '{object} {name}'"))
        .collect();
    let script = format!(
        "#!/bin/bash\ncase \"$*\" in\n*rev-parse*) echo sha1; echo false;;\n\
         *for-each-ref*) {};;\n*pack-objects*) head -c 300000 /dev/urandom;;\n\
         *init*) mkdir -p \"${{@: -1}}/.git\"; echo here > \"${{@: -1}}/.git/lies\";;\n\
         *stdin*) cat > /dev/null;;\nesac\n",
        lines.join("; ")
    );
    let file = mizzen.dirs().state.join("git");
    mizzen_fsx::write_atomic_with(&file, script.as_bytes(), 0o755, None).expect("as it was made");
    let id = docker(&[
        "create",
        "--network",
        "none",
        &tiny_image().expect("as it was made"),
    ])
    .expect("as it was made");
    docker(&[
        "cp",
        file.to_str().expect("as it was made"),
        &format!("{id}:/usr/local/bin/git"),
    ])
    .expect("as it was made");
    let name = mizzen
        .dirs()
        .state
        .parent()
        .expect("as it was made")
        .file_name()
        .expect("as it was made")
        .to_str()
        .expect("as it was made")
        .to_lowercase();
    let tag = format!("mizzen-test-lies:{name}");
    docker(&["commit", &id, &tag]).expect("as it was made");
    docker(&["rm", &id]).expect("as it was made");
    Image(tag)
}

/// An image of a test's own; goes with it.
struct Image(String);

impl Drop for Image {
    fn drop(&mut self) {
        // A container that still runs on it keeps it.
        let _ = docker(&["rmi", "--force", &self.0]);
    }
}

#[test]
fn what_a_container_calls_a_ref_stays_below_its_sessions_and_noise_is_no_history() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    let [unknown, known] = ["0a".repeat(20), head(&folder)];
    let hostile = [
        "main",
        "refs/tags/a..b",
        "refs/tags/x.lock",
        "refs/heads/a..b",
        "refs/heads/-x",
    ];
    let image = lying_image(&mizzen, &hostile, &known);
    up(&mizzen, &folder, &image.0);
    let before = refs(&folder);
    let packs = || {
        let within = ["", "pack"].map(|dir| folder.join(".git/objects").join(dir));
        within.map(|dir| fs::read_dir(dir).unwrap().count())
    };
    let packed = packs();
    let said = mizzen.run(&["git", "fetch", "web", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let message = said.error()["message"].to_string();
    for name in hostile {
        assert!(
            message.contains(&format!("`{name}`, which is no name of a ref")),
            "{message}"
        );
    }
    mizzen.json(&["rm", "--force", "--volumes", "web"]);

    let image = lying_image(&mizzen, &["refs/heads/main"], &unknown);
    up(&mizzen, &folder, &image.0);
    let said = mizzen.run(&["git", "fetch", "web", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.error()["message"]
            .to_string()
            .contains("is no history"),
        "{said:?}"
    );
    assert_eq!((refs(&folder), packs()), (before, packed));
    mizzen.json(&["rm", "--force", "--volumes", "web"]);
}
