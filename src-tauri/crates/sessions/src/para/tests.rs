use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use mizzen_fsx::write_atomic;
use serde_json::{Value, json};

use super::{ParaDirs, write_registry, write_session};
use crate::fact::SessionFact;
use crate::folder::FolderUser;
use crate::identity::Identity;
use crate::machine::State;
use crate::record::Record;
use crate::record::tests::record;

/// A project folder, and a record of a session in it that has a container.
struct Project {
    dir: tempfile::TempDir,
    record: Record,
    dirs: ParaDirs,
}

impl Project {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let meta = dir.path().metadata().unwrap();
        let mut record = record("web");
        record.project = dir.path().to_owned();
        // Only root may give files away; anyone else owns the folder.
        record.user = match meta.uid() {
            0 => FolderUser {
                uid: 4321,
                gid: 4322,
            },
            uid => FolderUser {
                uid,
                gid: meta.gid(),
            },
        };
        record.container.as_mut().unwrap().id = Some("c0ffee".repeat(10));
        let dirs = ParaDirs::of(dir.path(), &record.name);
        Self { dir, record, dirs }
    }

    fn write(&self) {
        let fact = SessionFact {
            state: State::Running,
            image_id: Some("sha256:0123".to_owned()),
            ..SessionFact::of(&self.record)
        };
        let now = "2026-02-03T04:05:06Z".parse().unwrap();
        write_session(&Identity::of("0011223344556677"), &self.record, &fact, now).unwrap();
        write_registry(self.dir.path(), self.record.user, &[&fact], now).unwrap();
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&fs::read(self.dir.path().join(".para/state").join(path)).unwrap())
            .unwrap()
    }

    fn everything(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.dir.path().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.symlink_metadata().unwrap().is_dir() {
                    open.push(path.clone());
                }
                found.push(path);
            }
        }
        found
    }
}

#[test]
fn all_files_belong_to_the_folders_owner() {
    let project = Project::new();
    project.dirs.make(project.record.user).unwrap();
    project.write();
    let all = project.everything();
    assert_eq!(all.len(), 9, "{all:?}");
    for path in all {
        let meta = path.symlink_metadata().unwrap();
        assert_eq!(
            (meta.uid(), meta.gid()),
            (project.record.user.uid, project.record.user.gid),
            "{path:?}"
        );
    }
    assert_eq!(
        fs::read_to_string(project.dir.path().join(".para/.gitignore")).unwrap(),
        "*\n"
    );
}

#[test]
fn the_files_of_the_protocol_say_what_they_should() {
    let mut project = Project::new();
    project.dirs.make(project.record.user).unwrap();
    project.write();
    let id = "c0ffee".repeat(10);
    let state = project.json("web.state");
    assert_eq!(
        state["session_type"],
        json!({ "Container": { "container_id": id } })
    );
    assert_eq!(
        (&state["status"], &state["is_docker"]),
        (&json!("Active"), &json!(true))
    );
    let docker = project.json("web.docker");
    assert_eq!(docker["nonce"], json!("0011223344556677"));
    assert_eq!(
        docker["environment"],
        json!({ "HOME": "", "PARA_SESSION_NAME": "" })
    );
    assert_eq!(docker["engine"], json!({ "context": "default" }));
    assert_eq!(docker["image_digest"], json!("sha256:0123"));
    assert_eq!(
        (&docker["ports"], &docker["security_profile"]),
        (&json!([]), &json!("restricted"))
    );
    project.record.engine_id = Some("ABCD:EFGH".to_owned());
    project.write();
    let engine = json!({ "context": "default", "id": "ABCD:EFGH" });
    assert_eq!(project.json("web.docker")["engine"], engine);
    let entry = &project.json("docker/shared/registry.json")["containers"][0];
    assert_eq!(
        (&entry["session_name"], &entry["status"]),
        (&json!("web"), &json!("running"))
    );
    assert_eq!(entry.get("health_endpoint"), None);
}

#[test]
fn where_a_projects_health_can_be_asked_for_is_in_the_registry() {
    let project = Project::new();
    project.dirs.make(project.record.user).unwrap();
    let settings = project.dir.path().join("mizzen.toml");
    let listed = |endpoint: &str| {
        let text = format!("[health]\nendpoint = \"{endpoint}\"\n");
        write_atomic(&settings, text.as_bytes()).unwrap();
        project.write();
        project.json("docker/shared/registry.json")["containers"][0]["health_endpoint"].clone()
    };
    assert_eq!(
        listed("http://localhost:3000/up"),
        "http://localhost:3000/up"
    );
    assert_eq!(listed("http://169.254.169.254/"), Value::Null);
}

#[test]
fn fields_of_other_tools_survive_a_rewrite() {
    let project = Project::new();
    project.dirs.make(project.record.user).unwrap();
    let legacy = json!({
        "name": "web", "branch": "feature", "worktree_path": "/old", "created_at": "2024-01-20T10:00:00Z",
        "status": "Review", "session_type": "Worktree", "sandbox_profile": { "kept": [1, 2] },
    });
    fs::File::create(project.dirs.state.join("web.state")).unwrap();
    mizzen_fsx::write_atomic(
        project.dirs.state.join("web.state"),
        legacy.to_string().as_bytes(),
    )
    .unwrap();
    project.write();
    let state = project.json("web.state");
    assert_eq!(state["sandbox_profile"], json!({ "kept": [1, 2] }));
    assert_eq!(
        (&state["status"], &state["branch"]),
        (&json!("Review"), &json!("feature"))
    );
}

#[test]
fn a_file_that_makes_no_sense_is_put_aside_and_made_anew() {
    for damaged in ["", "{\"name\": \"we", "[]", "{\"name\": 7}"] {
        let project = Project::new();
        project.dirs.make(project.record.user).unwrap();
        let files = ["web.state", "web.docker"].map(|name| project.dirs.state.join(name));
        for file in &files {
            write_atomic(file, damaged.as_bytes()).unwrap();
        }
        project.write();
        assert_eq!(project.json("web.state")["name"], "web", "{damaged}");
        assert_eq!(project.json("web.docker")["session_name"], "web");
        for file in ["web.state.corrupt", "web.docker.corrupt"] {
            let kept = fs::read_to_string(project.dirs.state.join(file)).unwrap();
            assert_eq!(kept, damaged, "{file}");
        }
        project.dirs.remove(&project.record.name).unwrap();
        assert_eq!(project.everything(), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_file_of_a_newer_version_and_one_that_leads_elsewhere_are_left_as_they_are() {
    let project = Project::new();
    project.dirs.make(project.record.user).unwrap();
    let [state, docker] = ["web.state", "web.docker"].map(|name| project.dirs.state.join(name));
    let newer = json!({ "schema": 2, "other": true });
    write_atomic(&docker, newer.to_string().as_bytes()).unwrap();
    symlink("/etc/passwd", &state).unwrap();
    let before = project.everything().len();
    project.write();
    assert_eq!(project.json("web.docker"), newer);
    assert_eq!(fs::read_link(&state).unwrap(), Path::new("/etc/passwd"));
    // The registry alone has come.
    assert_eq!(project.everything().len(), before + 1);
}

/// A container that never started has no time of it.
#[test]
fn the_registry_holds_against_its_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/protocol/schema");
    let schema = fs::read_to_string(schema.join("registry.json")).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    let schema = options
        .build(&serde_json::from_str(&schema).unwrap())
        .unwrap();
    let project = Project::new();
    project.dirs.make(project.record.user).unwrap();
    let now: jiff::Timestamp = "2026-02-03T04:05:06Z".parse().unwrap();
    let never = SessionFact::of(&project.record);
    let started = SessionFact {
        started_at: Some(now),
        ..never.clone()
    };
    write_registry(
        project.dir.path(),
        project.record.user,
        &[&never, &started],
        now,
    )
    .unwrap();
    let registry = project.json("docker/shared/registry.json");
    let errors: Vec<_> = schema
        .iter_errors(&registry)
        .map(|it| it.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?} in {registry}");
    let times = [0, 1].map(|at| registry["containers"][at].get("started_at"));
    assert_eq!(times, [None, Some(&json!("2026-02-03T04:05:06Z"))]);
}

#[test]
fn a_para_that_leads_elsewhere_is_refused_and_nothing_is_written_there() {
    for link in [
        ".para",
        ".para/state",
        ".para/state/docker",
        ".para/state/docker/web",
    ] {
        let project = Project::new();
        let elsewhere = tempfile::tempdir().unwrap();
        let at = project.dir.path().join(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(elsewhere.path(), &at).unwrap();
        let error = project.dirs.make(project.record.user).expect_err(link);
        assert!(error.to_string().contains(link), "{error}");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{link}");
    }
}

#[test]
fn removal_leaves_the_project_and_other_sessions_alone() {
    let project = Project::new();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("precious")).unwrap();
    let source = project.dir.path().join("main.rs");
    mizzen_fsx::write_atomic(&source, b"fn main() {}").unwrap();
    project.dirs.make(project.record.user).unwrap();
    project.write();
    let other = super::ParaDirs::of(
        project.dir.path(),
        &crate::SessionName::parse("api").unwrap(),
    );
    other.make(project.record.user).unwrap();
    // What a hostile container may leave behind.
    symlink(outside.path(), project.dirs.status.join("logs")).unwrap();
    fs::create_dir_all(project.dirs.status.join("deep/er")).unwrap();

    project.dirs.remove(&project.record.name).unwrap();
    assert!(!project.dirs.status.exists() && !project.dirs.state.join("web.docker").exists());
    assert!(other.status.is_dir(), "another session's directory");
    assert!(
        outside.path().join("precious").is_dir(),
        "what a link leads to"
    );

    other
        .remove(&crate::SessionName::parse("api").unwrap())
        .unwrap();
    assert_eq!(
        project.everything(),
        [source],
        "with the last session goes all of .para"
    );
    project
        .dirs
        .remove(&project.record.name)
        .expect("removing again is no error");
}
