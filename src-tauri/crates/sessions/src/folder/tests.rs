use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use expect_test::{Expect, expect};

use super::{FolderUser, OffLimits, inspect};

/// A tree with a project folder of uid 4321 where the test may give files away, else of its own user.
struct Tree {
    dir: tempfile::TempDir,
    is_root: bool,
}

impl Tree {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let is_root = dir.path().metadata().unwrap().uid() == 0;
        let tree = Self { dir, is_root };
        for name in ["home/project", "state", "plain"] {
            fs::create_dir_all(tree.at(name)).unwrap();
            if tree.is_root {
                chown(tree.at(name), Some(4321), Some(4322)).unwrap();
            }
        }
        tree
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn check(&self, dir: impl AsRef<Path>, expected: Expect) {
        let (home, state) = (self.at("home"), self.at("state"));
        let said = match inspect(
            dir.as_ref(),
            &OffLimits {
                home: Some(&home),
                state_dir: &state,
            },
        ) {
            Ok(folder) => folder.path.display().to_string(),
            Err(error) => format!("{:?}: {} {}", error.kind, error.message, error.hint),
        };
        expected.assert_eq(&said.replace(&self.dir.path().display().to_string(), "DIR"));
    }
}

#[test]
fn a_project_folder_names_its_owner_and_its_real_path() {
    let tree = Tree::new();
    symlink(tree.at("home/project"), tree.at("link")).unwrap();
    tree.check(tree.at("link"), expect!["DIR/home/project"]);
    let home = tree.at("home");
    let limits = OffLimits {
        home: Some(&home),
        state_dir: &tree.at("state"),
    };
    let user = inspect(&tree.at("home/project"), &limits).unwrap().user;
    let meta = tree.at("home/project").metadata().unwrap();
    assert_eq!(
        user,
        FolderUser {
            uid: meta.uid(),
            gid: meta.gid()
        }
    );
}

#[test]
fn folders_that_cannot_be_a_workspace_are_refused_with_a_next_step() {
    let tree = Tree::new();
    fs::File::create(tree.at("file")).unwrap();
    tree.check("relative", expect!["Usage: The project folder must be an absolute path, and `relative` is not. Give its full path."]);
    tree.check(
        tree.at("nowhere"),
        expect![
            "Usage: There is no folder `DIR/nowhere`. Check the path, or make the folder first."
        ],
    );
    tree.check(
        tree.at("file"),
        expect!["Usage: `DIR/file` is not a folder. Give the project's folder."],
    );
    tree.check(tree.at("home"), expect!["Policy: `DIR/home` is or holds your home directory, which no session may see. Give a project folder of its own."]);
    tree.check(tree.dir.path(), expect!["Policy: `DIR` is or holds your home directory, which no session may see. Give a project folder of its own."]);
    tree.check(tree.at("state"), expect!["Policy: `DIR/state` overlaps Mizzen's own state, which no session may see. Give a project folder of its own."]);
    tree.check("/", expect!["Policy: `/` is the root of a file system, which no session may see. Give a project folder of its own."]);
}

#[test]
fn a_folder_that_its_owner_cannot_use_is_refused() {
    let tree = Tree::new();
    let locked = tree.at("plain");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    let uid = locked.metadata().unwrap().uid();
    let error = inspect(
        &locked,
        &OffLimits {
            home: None,
            state_dir: &tree.at("state"),
        },
    )
    .unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "The owner of `{}` (uid {uid}) may not read and write it.",
            locked.display()
        )
    );
}

#[test]
fn a_folder_of_root_is_refused_with_the_command_that_helps() {
    let tree = Tree::new();
    if !tree.is_root {
        // Only root can make such a folder; the system has one that serves as well.
        let error = inspect(
            Path::new("/etc"),
            &OffLimits {
                home: None,
                state_dir: &tree.at("state"),
            },
        )
        .unwrap_err();
        assert_eq!(error.hint, "Give it to a user: chown -R 1000:1000 /etc");
        return;
    }
    for (uid, gid, who) in [(0, 4321, "root"), (4321, 0, "the group root")] {
        chown(tree.at("plain"), Some(uid), Some(gid)).unwrap();
        tree.check(
            tree.at("plain"),
            match who {
                "root" => expect!["Policy: `DIR/plain` belongs to root, and a session never runs as root. Give it to a user: chown -R 1000:1000 DIR/plain"],
                _ => expect!["Policy: `DIR/plain` belongs to the group root, and a session never runs as root. Give it to a user: chown -R 1000:1000 DIR/plain"],
            },
        );
    }
}
