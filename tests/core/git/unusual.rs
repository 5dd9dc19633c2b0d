//! Repositories with more in them than commits of files: submodules, large files kept elsewhere, a long past.

use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use mizzen_tests::own_core::USER;
use mizzen_tests::rig::Mizzen;

use super::{commit, git, head, inside, make_repository, phase, up_with_git, write};

/// One more than are brought whole.
const MANY: usize = 20_001;

#[test]
fn the_files_of_a_submodule_are_there_and_its_history_is_not() {
    let mizzen = Mizzen::new();
    let (lib, folder) = (mizzen.project("lib"), mizzen.project("p"));
    make_repository(&lib, &[]);
    make_repository(&folder, &[]);
    let from = lib.to_str().unwrap();
    let allow = ["-c", "protocol.file.allow=always"];
    git(
        &folder,
        &[&allow[..], &["submodule", "--quiet", "add", from, "lib"]].concat(),
    );
    commit(&folder, "with a library");
    up_with_git(&mizzen, &folder);
    let (state, said) = phase(&mizzen);
    assert_eq!(state, "done");
    assert!(said.contains("commit in those on the host"), "{said}");

    let shown = inside(
        &mizzen,
        "git status --porcelain; cat lib/hello.txt; ls -A lib",
    );
    assert_eq!(shown, "hello\nhello.txt");
    // Its files come back, and commits beside it do.
    inside(
        &mizzen,
        "echo more > lib/hello.txt; echo new > new.txt; git add --all; git commit -qm new",
    );
    let listed = inside(&mizzen, "git show --stat --format= HEAD");
    assert!(
        listed.contains("new.txt") && !listed.contains("lib"),
        "{listed}"
    );
    mizzen.json(&["stop", "web"]);
    assert_eq!(
        fs::read_to_string(folder.join("lib/hello.txt")).unwrap(),
        "more\n"
    );
    let status = git(&folder.join("lib"), &["status", "--porcelain"]);
    assert_eq!(status, " M hello.txt");
    let came = ["ls-tree", "--name-only", "refs/mizzen/web/mizzen/web"];
    assert!(git(&folder, &came).contains("new.txt"));
}

#[test]
fn a_pointer_to_a_large_file_stays_one() {
    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
                           oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(
        &folder,
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    write(&folder, "large.bin", POINTER);
    make_repository(&folder, &[]);
    // As it lies there once it was fetched.
    write(&folder, "large.bin", "much more than a pointer\n");
    up_with_git(&mizzen, &folder);
    assert!(phase(&mizzen).1.contains("Git LFS"), "{:?}", phase(&mizzen));
    let shown = inside(&mizzen, "git status --porcelain; cat large.bin");
    assert_eq!(shown, "much more than a pointer");
    inside(
        &mizzen,
        "echo changed > large.bin; echo new > new.txt; git add --all; git commit -qm new",
    );
    mizzen.json(&["stop", "web"]);
    // The file has come as a file, and no commit has put it in the pointer's place.
    assert_eq!(
        fs::read_to_string(folder.join("large.bin")).unwrap(),
        "changed\n"
    );
    let there = git(&folder, &["show", "refs/mizzen/web/mizzen/web:large.bin"]);
    assert_eq!(there, POINTER.trim_end());
}

#[test]
fn of_a_long_past_the_end_is_brought_and_what_is_committed_on_it_comes_back() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    make_repository(&folder, &[]);
    grow(&folder, MANY);
    up_with_git(&mizzen, &folder);
    let (state, said) = phase(&mizzen);
    assert_eq!(state, "done");
    assert!(
        said.contains("Its history ends before its beginning"),
        "{said}"
    );
    let shown = inside(
        &mizzen,
        "git status --porcelain; git rev-list --count HEAD; git rev-parse HEAD",
    );
    assert_eq!(shown, format!("500\n{}", head(&folder)));
    inside(&mizzen, "git commit -qm there --allow-empty");
    mizzen.json(&["stop", "web"]);
    let count = ["rev-list", "--count", "refs/mizzen/web/mizzen/web"];
    assert_eq!(git(&folder, &count), (MANY + 2).to_string());
    assert_eq!(mizzen.session("web")["only_there"], serde_json::Value::Null);
}

/// Adds so many commits.
fn grow(folder: &Path, commits: usize) {
    let mut stream = String::from("reset refs/heads/main\nfrom refs/heads/main^0\n");
    for nth in 0..commits {
        let data = "data 1\nx\n";
        writeln!(
            stream,
            "commit refs/heads/main\ncommitter A <a@b> {nth} +0000\n{data}"
        )
        .expect("a repository that grows");
    }
    let kept = tempfile::NamedTempFile::new().expect("a repository that grows");
    mizzen_fsx::write_atomic(kept.path(), stream.as_bytes()).expect("a repository that grows");
    let grown = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(folder)
        .stdin(File::open(kept.path()).expect("a repository that grows"))
        .uid(USER)
        .gid(USER)
        .status()
        .expect("a repository that grows");
    assert!(grown.success());
}
