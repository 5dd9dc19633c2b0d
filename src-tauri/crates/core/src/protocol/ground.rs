//! What a trial stands on: directories of the host, and a container with the safe defaults that has them mounted.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use mizzen_docker::{ContainerFact, ContainerSpec, DockerError, Engine, LogOptions, Mount, User};
use mizzen_fsx::SafeDir;
use mizzen_status::sanitise;
use tempfile::TempDir;

use super::LABEL;
use crate::verb::{ApiError, ErrorCode};
use crate::world::CoreConfig;

/// Name that the container hears of its session.
const SESSION: &str = "agent-test";
/// The workspace's folder, and where first agents look for the status directory in it.
const WORKSPACE: &str = "workspace";
const BELOW: &str = ".para/state/docker";
/// User of the container where the person is root: a container never runs as root.
const ORDINARY: u32 = 1000;
/// Lines of its log that are shown.
const LOG: u32 = 5;

/// Names the folder of a trial on its container.
const FOLDER: &str = "dev.mizzen.agent-test.folder";
/// Held in that folder as long as the trial lives; no container sees it.
const LOCK: &str = "lock";
/// Folders of trials, in Mizzen's cache.
const PREFIX: &str = "agent-test-";

pub(super) struct Ground {
    engine: Engine,
    id: String,
    /// Removed with this.
    folder: TempDir,
    _lock: File,
    /// Whose the files are.
    pub(super) user: User,
    /// The status directory on the host.
    pub(super) status: PathBuf,
    pub(super) dir: SafeDir,
}

impl Ground {
    /// Makes the directories and starts the container.
    pub(super) async fn prepare(
        config: &CoreConfig,
        engine: &Engine,
        image: &str,
    ) -> Result<Self, ApiError> {
        config
            .dirs
            .prepare()
            .map_err(|error| refused(&error.to_string()))?;
        let name = format!("mizzen-agent-test-{}", std::process::id());
        let cache = &config.dirs.cache;
        let user = ordinary();
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(cache);
        let made = folder.and_then(|folder| {
            let lock = File::create_new(folder.path().join(LOCK))?;
            lock.try_lock()?;
            make(folder.path(), user).map(|status| (folder, lock, status))
        });
        let (folder, lock, status) =
            made.map_err(|error| refused(&format!("{}: {error}", cache.display())))?;
        let dir = SafeDir::open(&status).map_err(|error| refused(&error.to_string()))?;
        let mut ground = Self {
            engine: engine.clone(),
            id: String::new(),
            folder,
            _lock: lock,
            user,
            status,
            dir,
        };
        match ground.start(image, name).await {
            Ok(()) => Ok(ground),
            Err(error) => {
                ground.clear().await;
                Err(failed(error))
            }
        }
    }

    async fn start(&mut self, image: &str, name: String) -> Result<(), DockerError> {
        let mut spec = ContainerSpec::new(image, name, self.user);
        let (key, value) = LABEL;
        spec.labels.insert(key.to_owned(), value.to_owned());
        let folder = self.folder.path().to_string_lossy().into_owned();
        spec.labels.insert(FOLDER.to_owned(), folder);
        spec.env
            .insert("PARA_SESSION_NAME".to_owned(), SESSION.to_owned());
        let mount = |source: &Path, target: &str| Mount::Bind {
            source: source.to_owned(),
            target: target.to_owned(),
            read_only: false,
        };
        let beside = format!("/workspace/{BELOW}/{SESSION}");
        spec.mounts = vec![
            mount(&self.folder.path().join(WORKSPACE), "/workspace"),
            mount(&self.status, "/para/status"),
            mount(&self.status, &beside),
        ];
        self.id = self.engine.create_container(&spec).await?;
        self.engine.start(&self.id).await
    }

    /// A file of the workspace.
    pub(super) fn workspace(&self) -> Result<SafeDir, ApiError> {
        SafeDir::open(self.folder.path().join(WORKSPACE))
            .map_err(|error| refused(&error.to_string()))
    }

    pub(super) async fn fact(&self) -> Result<Option<ContainerFact>, ApiError> {
        self.engine.inspect(&self.id).await.map_err(failed)
    }

    pub(super) async fn is_up(&self) -> Result<bool, ApiError> {
        Ok(self.fact().await?.is_some_and(|fact| fact.is_up()))
    }

    /// Ends it without a warning, as a machine that loses its power does, and starts it again.
    pub(super) async fn crash(&self) -> Result<(), ApiError> {
        self.engine.kill(&self.id).await.map_err(failed)?;
        while self.is_up().await? {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.engine.start(&self.id).await.map_err(failed)
    }

    /// The end of its log in one line, for a person.
    pub(super) async fn last_words(&self) -> String {
        let options = LogOptions {
            tail: Some(LOG),
            ..LogOptions::default()
        };
        let Ok(lines) = self.engine.logs(&self.id, options).await else {
            return String::new();
        };
        let lines: Vec<String> = lines
            .filter_map(async |line| Some(sanitise(&line.ok()?.text, 200)))
            .collect()
            .await;
        lines.join(" | ")
    }

    /// Removes everything. Where the engine has gone there is nobody to ask.
    pub(super) async fn clear(self) {
        if !self.id.is_empty() {
            let _ = self.engine.remove_container(&self.id).await;
        }
    }
}

/// Removes what earlier trials left that were killed: their containers, and their folders.
pub(super) async fn clear_leftovers(config: &CoreConfig, engine: &Engine) -> Result<(), ApiError> {
    let cache = &config.dirs.cache;
    for fact in engine.list().await.map_err(failed)? {
        let folder = fact.labels.get(FOLDER).map(Path::new);
        if folder.is_some_and(|folder| folder.parent() == Some(cache.as_path()) && is_left(folder))
        {
            let removed = engine.remove_container(&fact.id).await;
            removed.map_err(failed)?;
        }
    }
    let Ok(dir) = SafeDir::open(cache) else {
        return Ok(());
    };
    for entry in dir.list(usize::MAX).unwrap_or_default() {
        if entry.name.starts_with(PREFIX) && is_left(&cache.join(&entry.name)) {
            let removed = dir.remove_all(&entry.name);
            removed.map_err(|error| refused(&error.to_string()))?;
        }
    }
    Ok(())
}

/// Whether a trial's folder is nobody's any more: gone, or with a lock that nobody holds.
fn is_left(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // One that has no lock yet has just been made.
        Err(error) => error.kind() == io::ErrorKind::NotFound && !folder.exists(),
    }
}

/// Makes the workspace and the status directory. The second is not in the first, but mounted there too: a container could
/// put a link in the place of what lies in its workspace.
fn make(folder: &Path, user: User) -> io::Result<PathBuf> {
    let (workspace, status) = (folder.join(WORKSPACE), folder.join("status"));
    let place = workspace.join(BELOW).join(SESSION);
    fs::create_dir(&status)?;
    fs::create_dir_all(&place)?;
    let above = place.ancestors().take_while(|dir| *dir != folder);
    for dir in above.chain([status.as_path()]) {
        give(dir, user)?;
    }
    Ok(status)
}

#[cfg(unix)]
fn ordinary() -> User {
    let me = rustix::process::getuid().as_raw();
    let group = rustix::process::getgid().as_raw();
    User::new(me, group)
        .or_else(|_| User::new(ORDINARY, ORDINARY))
        .expect("BUG: an ordinary user is not root")
}

#[cfg(not(unix))]
fn ordinary() -> User {
    User::new(ORDINARY, ORDINARY).expect("BUG: an ordinary user is not root")
}

#[cfg(unix)]
fn give(dir: &Path, user: User) -> io::Result<()> {
    std::os::unix::fs::lchown(dir, Some(user.uid()), Some(user.gid()))
}

#[cfg(not(unix))]
fn give(_dir: &Path, _user: User) -> io::Result<()> {
    Ok(())
}

fn refused(why: &str) -> ApiError {
    let hint = "Make room and see that Mizzen's cache directory is yours.";
    ApiError::new(ErrorCode::Failed, sanitise(why, 500), hint)
}

pub(super) fn failed(error: DockerError) -> ApiError {
    use mizzen_docker::DockerErrorKind;
    let code = match error.kind {
        DockerErrorKind::Unreachable => ErrorCode::EngineUnreachable,
        DockerErrorKind::NotFound => ErrorCode::NotFound,
        _ => ErrorCode::Failed,
    };
    let hint = "See that `docker run` starts this image.";
    ApiError::new(code, sanitise(&error.to_string(), 500), hint)
}
