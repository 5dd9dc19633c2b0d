//! The session's files in its project: `.para/state`, as tools that know nothing of Mizzen read them.
//!
//! Everything is made with the folder's own owner, so that nothing of root's is left in a project. Every directory is
//! checked to be one: a project may come with a `.para` that is a link to somewhere else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_fsx::{At, PathError, SafeDir, remove_tree, write_atomic_with};
use mizzen_status::{
    DockerFile, HealthEndpoint, Keep, REGISTRY_FILE, Reading, Registry, RegistryEntry, SCHEMA,
    SECURITY_PROFILE, SessionFile, SessionWord, project_health_endpoint, read_docker_file,
    read_session_file, write_json,
};
use serde_json::{Map, Value, json};

use crate::fact::SessionFact;
use crate::folder::FolderUser;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::name::SessionName;
use crate::record::Record;

/// Fields of ours in `{session}.docker`, from which a lost registry is rebuilt.
const LIMITS: &str = "limits";
const REQUESTED_IMAGE: &str = "requested_image";

/// A file that may be on its way is looked at again so many times, so long apart.
const AGAIN: (u32, Duration) = (3, Duration::from_millis(50));

/// Directories of a session in its project.
pub(crate) struct ParaDirs {
    pub(crate) root: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) docker: PathBuf,
    /// Mounted read-only.
    pub(crate) shared: PathBuf,
    /// Mounted read-write: the container's own.
    pub(crate) status: PathBuf,
}

impl ParaDirs {
    /// Where they are; nothing is made.
    pub(crate) fn of(project: &Path, session: &SessionName) -> Self {
        let root = project.join(".para");
        let state = root.join("state");
        let docker = state.join("docker");
        let shared = docker.join("shared");
        let status = docker.join(session.as_str());
        Self {
            root,
            state,
            docker,
            shared,
            status,
        }
    }

    /// Makes those that are missing, and the file that keeps `.para` out of the project's commits.
    pub(crate) fn make(&self, user: FolderUser) -> Result<(), PathError> {
        for dir in [
            &self.root,
            &self.state,
            &self.docker,
            &self.shared,
            &self.status,
        ] {
            make_dir(dir, user)?;
        }
        let ignore = self.root.join(".gitignore");
        if fs::symlink_metadata(&ignore).is_err() {
            write_atomic_with(&ignore, b"*\n", 0o644, system::give_to(user))?;
        }
        Ok(())
    }

    /// The status directory is the container's: it may hold anything, and nothing in it is followed.
    fn remove(&self, session: &SessionName) -> Result<(), PathError> {
        remove_tree(&self.status)?;
        for ending in ["state", "docker", "state.corrupt", "docker.corrupt"] {
            gone_is_fine(fs::remove_file(
                self.state.join(format!("{session}.{ending}")),
            ))
            .at(&self.state)?;
        }
        let others = self.docker_dirs()?;
        if others.is_empty() {
            gone_is_fine(fs::remove_file(self.shared.join(REGISTRY_FILE))).at(&self.shared)?;
            for dir in [&self.shared, &self.docker, &self.state] {
                // Something else may live there: only what is empty goes.
                let _ = fs::remove_dir(dir);
            }
            self.remove_root_if_ours();
        }
        Ok(())
    }

    /// Other sessions' status directories.
    fn docker_dirs(&self) -> Result<Vec<PathBuf>, PathError> {
        match fs::read_dir(&self.docker) {
            Ok(entries) => {
                let all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
                Ok(all
                    .into_iter()
                    .filter(|path| *path != self.shared)
                    .collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).at(&self.docker),
        }
    }

    fn remove_root_if_ours(&self) {
        let ignore = self.root.join(".gitignore");
        let only_ignore = fs::read_dir(&self.root)
            .is_ok_and(|entries| entries.flatten().all(|entry| entry.path() == ignore));
        if only_ignore && fs::read(&ignore).is_ok_and(|text| text == b"*\n") {
            let _ = fs::remove_file(&ignore);
            let _ = fs::remove_dir(&self.root);
        }
    }
}

fn make_dir(dir: &Path, user: FolderUser) -> Result<(), PathError> {
    match fs::create_dir(dir) {
        Ok(()) => system::give(dir, user).at(dir),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(dir).at(dir)?.is_dir() {
                Ok(())
            } else {
                Err(io::Error::new(
                    io::ErrorKind::NotADirectory,
                    "not a directory",
                ))
                .at(dir)
            }
        }
        Err(error) => Err(error).at(dir),
    }
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes what belongs to this session alone, and the directories above it that are then empty. How long that takes is
/// up to its container, so it is done beside the runtime's own threads.
///
/// A project folder that is gone holds nothing of ours.
pub(crate) async fn remove_session(record: &Record) -> Result<(), PathError> {
    let (project, name) = (record.project.clone(), record.name.clone());
    let remove = move || match project.exists() {
        true => ParaDirs::of(&project, &name).remove(&name),
        false => Ok(()),
    };
    let removed = tokio::task::spawn_blocking(remove).await;
    removed.expect("BUG: removing does not panic")
}

/// The owner that files in a project get, when we may write with another than our own.
pub(crate) fn give_to(user: FolderUser) -> Option<(u32, u32)> {
    system::give_to(user)
}

/// Writes `{session}.state` and `{session}.docker`; fields of other tools are kept. Waits for the disk.
pub(crate) fn write_session(
    owner: &Identity,
    record: &Record,
    fact: &SessionFact,
    now: Timestamp,
) -> Result<(), PathError> {
    let dirs = ParaDirs::of(&record.project, &record.name);
    let dir = SafeDir::open(&dirs.state)?;
    let (name, give_to) = (record.name.as_str(), system::give_to(record.user));
    let state = format!("{name}.state");
    let found = read_or_put_aside(&dir, &state, || read_session_file(&dir, name, None))?;
    if let Some(file) = session_file(found, record, now) {
        write_json(dirs.state.join(state), &file, give_to)?;
    }
    let docker = format!("{name}.docker");
    let found = read_or_put_aside(&dir, &docker, || read_docker_file(&dir, name, None))?;
    if let Some(file) = docker_file(found, owner, record, fact) {
        write_json(dirs.state.join(docker), &file, give_to)?;
    }
    Ok(())
}

/// Reads a file that is about to be written again. One that makes no sense is put aside, where whoever has written it finds
/// it, and begun anew. One that is unsafe to read, or of a newer version, is left to whoever put it there.
fn read_or_put_aside<T>(
    dir: &SafeDir,
    file: &str,
    read: impl Fn() -> Reading<T>,
) -> Result<Reading<T>, PathError> {
    let mut found = read();
    for _ in 0..AGAIN.0 {
        if matches!(found, Reading::Keep(Keep::Torn)) {
            thread::sleep(AGAIN.1);
            found = read();
        }
    }
    match found {
        Reading::Keep(keep @ (Keep::Torn | Keep::Invalid(_))) => {
            let aside = format!("{file}.corrupt");
            dir.move_over(file, dir, &aside)?;
            let dir = dir.path().display();
            tracing::warn!(%dir, file, %keep, "put aside as {aside}, and made anew");
            Ok(Reading::Absent)
        }
        found => Ok(found),
    }
}

fn session_file(
    found: Reading<SessionFile>,
    record: &Record,
    now: Timestamp,
) -> Option<SessionFile> {
    let container_id = record.container.as_ref().and_then(|c| c.id.clone());
    let mut file = match found {
        Reading::Good(file) => file,
        Reading::Absent => SessionFile {
            name: record.name.to_string(),
            branch: String::new(),
            worktree_path: record.project.display().to_string(),
            created_at: record.created_at.to_string(),
            status: SessionWord::Active,
            task_description: None,
            last_activity: None,
            is_docker: true,
            session_type: Value::Null,
            extra: Map::new(),
        },
        Reading::Keep(_) => return None,
    };
    file.is_docker = true;
    file.last_activity = Some(now.to_string());
    file.session_type = json!({ "Container": { "container_id": container_id } });
    Some(file)
}

/// What a project remembers of a session whose record was lost; none unless the container's nonce is in it.
pub(crate) fn recall(project: &Path, session: &SessionName, nonce: &str) -> Option<Recalled> {
    let dir = SafeDir::open(ParaDirs::of(project, session).state).ok()?;
    let mut file = read_docker_file(&dir, session.as_str(), None).good()?;
    if file.nonce != nonce || file.session_name != session.as_str() {
        return None;
    }
    let mut field = |name: &str| file.extra.remove(name).unwrap_or_default();
    Some(Recalled {
        limits: serde_json::from_value(field(LIMITS)).ok()?,
        requested_image: serde_json::from_value(field(REQUESTED_IMAGE)).ok()?,
        image: file.image,
        created_at: file.created_at.parse().ok()?,
    })
}

/// What `{session}.docker` holds of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recalled {
    pub(crate) limits: Limits,
    pub(crate) requested_image: Option<String>,
    pub(crate) image: String,
    pub(crate) created_at: Timestamp,
}

fn docker_file(
    found: Reading<DockerFile>,
    owner: &Identity,
    record: &Record,
    fact: &SessionFact,
) -> Option<DockerFile> {
    let container = record.container.as_ref()?;
    let (mut extra, known_digest) = match found {
        Reading::Good(file) => {
            let is_same = container.id.as_deref() == Some(&file.container_id);
            (file.extra, file.image_digest.filter(|_| is_same))
        }
        Reading::Absent => (Map::new(), None),
        Reading::Keep(_) => return None,
    };
    extra.insert(LIMITS.to_owned(), json!(record.limits));
    extra.insert(REQUESTED_IMAGE.to_owned(), json!(record.requested_image));
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| ((*name).to_owned(), String::new()))
            .collect()
    };
    Some(DockerFile {
        schema: SCHEMA,
        session_name: record.name.to_string(),
        container_id: container.id.clone()?,
        status: status_word(fact),
        image: record.image.clone(),
        image_digest: fact.image_id.clone().or(known_digest),
        created_at: record.created_at.to_string(),
        nonce: container.nonce.clone(),
        engine: engine(record),
        environment: names(&["HOME", "PARA_SESSION_NAME"]),
        volumes: record.volumes(owner),
        ports: Vec::new(),
        security_profile: Some(SECURITY_PROFILE.to_owned()),
        extra,
    })
}

/// A context may come to lead elsewhere: what the engine calls itself is what stays.
fn engine(record: &Record) -> BTreeMap<String, String> {
    let context = ("context", Some(record.engine.clone()));
    let known = [context, ("id", record.engine_id.clone())];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Writes the list of a project's containers.
pub(crate) fn write_registry(
    project: &Path,
    user: FolderUser,
    facts: &[&SessionFact],
    now: Timestamp,
) -> Result<(), PathError> {
    let shared = project.join(".para/state/docker/shared");
    if !fs::symlink_metadata(&shared).is_ok_and(|meta| meta.is_dir()) {
        return Ok(());
    }
    // What makes no sense is said by the supervisor, which asks there.
    let endpoint = project_health_endpoint(project).unwrap_or_default();
    let entry = |fact: &&SessionFact| entry(fact, endpoint.clone());
    let registry = Registry {
        schema: Some(SCHEMA),
        containers: facts.iter().filter_map(entry).collect(),
        last_updated: now.to_string(),
        extra: Map::new(),
    };
    write_json(shared.join(REGISTRY_FILE), &registry, system::give_to(user))
}

fn entry(fact: &SessionFact, health_endpoint: Option<HealthEndpoint>) -> Option<RegistryEntry> {
    Some(RegistryEntry {
        session_name: fact.name.to_string(),
        container_id: fact.container_id.clone()?,
        status: status_word(fact),
        started_at: fact.started_at.map(|at| at.to_string()),
        host_port_mappings: [].into(),
        health_endpoint,
        extra: Map::new(),
    })
}

fn status_word(fact: &SessionFact) -> String {
    crate::words::state_word(fact.state).to_owned()
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::unix::fs::chown;
    use std::path::Path;

    use crate::folder::FolderUser;

    /// The owner to write with, when we may write with another than our own.
    pub(super) fn give_to(user: FolderUser) -> Option<(u32, u32)> {
        rustix::process::geteuid()
            .is_root()
            .then_some((user.uid, user.gid))
    }

    pub(super) fn give(path: &Path, user: FolderUser) -> io::Result<()> {
        give_to(user).map_or(Ok(()), |(uid, gid)| chown(path, Some(uid), Some(gid)))
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::path::Path;

    use crate::folder::FolderUser;

    pub(super) fn give_to(_user: FolderUser) -> Option<(u32, u32)> {
        None
    }

    pub(super) fn give(_path: &Path, _user: FolderUser) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
