//! A core's worth of sessions on a real engine, under an owner of its own; everything made is removed at the end.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mizzen_docker::{Endpoint, Engine};
use mizzen_sessions::{
    Done, EngineSource, Identity, Notice, OnProgress, PhaseReport, SessionError, SessionFact,
    SessionSettings, Sessions, SessionsDeps, State, StepHook, SupervisorFiles, UpRequest, Wish,
    WorkspaceKind, deaf,
};
use mizzen_tasks::Owner;
use mizzen_tests::engines;
use mizzen_tests::on_engine::OnEngine;
use mizzen_tests::own_core::{self, supervisor};
use mizzen_tests::syncing::NothingToSync;
use tokio::sync::{Mutex as AsyncMutex, broadcast, watch};

/// Owner of every project folder: nobody on this machine, and never root.
pub(crate) const USER: (u32, u32) = (4321, 4322);

/// Longer than anything here takes, also on a machine that is busy.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Where the engine listens.
pub(crate) const SOCKET: &str = "/var/run/docker.sock";

/// Takes a session away, whatever it does, and what its home keeps.
pub(crate) const REMOVE_ALL: Wish = Wish::Remove {
    force: true,
    volumes: true,
};

/// What all sessions here are: their folder is mounted.
pub(crate) fn mounted() -> UpRequest {
    UpRequest {
        workspace: Some(WorkspaceKind::Bind),
        ..UpRequest::default()
    }
}

/// Asks for the session of a folder.
pub(crate) fn of_folder(dir: &Path) -> UpRequest {
    UpRequest {
        dir: dir.to_owned(),
        ..mounted()
    }
}

/// A state directory, project folders, and the sessions on them.
pub(crate) struct Rig {
    pub(crate) root: Arc<Root>,
    pub(crate) sessions: Sessions,
    pub(crate) engine: Engine,
    pub(crate) notices: AsyncMutex<broadcast::Receiver<Notice>>,
    owner: Owner,
}

/// What outlives a restart of the core: files, and on the engine all that carries its owner's label.
pub(crate) struct Root {
    dir: tempfile::TempDir,
    pub(crate) identity: Identity,
}

impl Root {
    pub(crate) fn new() -> Arc<Self> {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::load(&dir.path().join("state")).unwrap();
        Arc::new(Self { dir, identity })
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A project folder with a file in it.
    pub(crate) fn project(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join("projects").join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::File::create(path.join("main.rs")).unwrap();
        for path in [path.join("main.rs"), path.clone()] {
            chown(path, Some(USER.0), Some(USER.1))
                .expect("these tests run as root, as the engine does");
        }
        path
    }

    /// Names of what the engine has of this owner: `container`, `network` or `volume`.
    pub(crate) fn on_engine(&self, kind: &str) -> Vec<String> {
        OnEngine::of(self.identity.as_str(), None).names(kind)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        OnEngine::of(self.identity.as_str(), None).remove_all();
    }
}

/// Runs the engine's own client: the "outside" of these tests.
pub(crate) fn docker(args: &[&str]) -> String {
    own_core::docker(args).expect("the docker client")
}

/// Tag of the tiny image.
pub(crate) fn tiny() -> String {
    own_core::tiny_image().expect("an image")
}

/// The tiny image with another program in the supervisor's place, under the supervisor's own label.
pub(crate) fn image_with(root: &Root, program: &str) -> String {
    let hash = mizzen_sessions::image::Supervisor::read(&supervisor())
        .expect("the supervisor")
        .hash;
    let file = root.path().join("program");
    mizzen_fsx::write_atomic_with(&file, program.as_bytes(), 0o755, None).unwrap();
    let id = docker(&["create", "--network", "none", &tiny()]);
    let into = format!("{id}:/usr/local/bin/mizzen-supervisor");
    docker(&["cp", file.to_str().unwrap(), &into]);
    let tag = format!("mizzen-test-broken:{}", root.identity.as_str());
    docker(&[
        "commit",
        "--change",
        &format!("LABEL dev.mizzen.supervisor={hash}"),
        &id,
        &tag,
    ]);
    docker(&["rm", &id]);
    tag
}

/// The tiny image with a health check of its own, asked every second.
pub(crate) fn image_with_check(root: &Root, check: &str) -> String {
    let id = docker(&["create", "--network", "none", &tiny()]);
    let tag = format!("mizzen-test-checked:{}", root.identity.as_str());
    let check = format!("HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD {check}");
    docker(&["commit", "--change", &check, &id, &tag]);
    docker(&["rm", &id]);
    tag
}

pub(crate) fn settings() -> SessionSettings {
    SessionSettings {
        max_running: 5,
        memory_budget_bytes: None,
        remote_engines: Vec::new(),
        image: Some(tiny()),
        memory_bytes: 256 << 20,
        cpus: 1.0,
    }
}

/// Starts sessions on an engine; the pieces are kept apart for programs that are to be killed.
pub(crate) fn spawn(
    owner: &Owner,
    root: &Root,
    socket: &str,
    settings: SessionSettings,
    at_step: Option<StepHook>,
) -> (Sessions, Engine) {
    let source = engines::only("default", Endpoint::Unix(socket.into()));
    let deps = SessionsDeps {
        at_step,
        ..deps(root, source, settings)
    };
    let sessions = Sessions::spawn(owner, deps).expect("a registry");
    let engine = sessions.engine_in_use("default").expect("it is selected");
    (sessions, engine)
}

pub(crate) fn deps(root: &Root, engines: EngineSource, settings: SessionSettings) -> SessionsDeps {
    SessionsDeps {
        identity: root.identity.clone(),
        engines,
        state_dir: root.state_dir(),
        home: None,
        supervisors: SupervisorFiles::One(supervisor()),
        extra_ca: Vec::new(),
        syncing: Arc::new(NothingToSync),
        settings: watch::channel(settings).1,
        clock: Arc::new(jiff::Timestamp::now),
        at_step: None,
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(Root::new(), SOCKET, settings())
    }

    pub(crate) fn with(settings: SessionSettings) -> Self {
        Self::on(Root::new(), SOCKET, settings)
    }

    pub(crate) fn on(root: Arc<Root>, socket: &str, settings: SessionSettings) -> Self {
        let owner = Owner::root("test");
        let (sessions, engine) = spawn(&owner, &root, socket, settings, None);
        let notices = AsyncMutex::new(sessions.notices());
        Self {
            root,
            sessions,
            engine,
            notices,
            owner,
        }
    }

    /// Ends this core, as a kill would as far as the engine can tell, and starts another on the same state.
    pub(crate) async fn restart(self) -> Self {
        let root = self.root.clone();
        self.end().await;
        Self::on(root, SOCKET, settings())
    }

    pub(crate) async fn end(self) {
        let stragglers = self.owner.shut_down(SOON).await;
        assert!(stragglers.is_empty(), "{stragglers:?}");
    }

    pub(crate) async fn up(&self, name: &str) -> SessionFact {
        let request = of_folder(&self.root.project(name));
        let done = self
            .sessions
            .up(request, deaf())
            .await
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        (*done.session.expect("it is there")).clone()
    }

    pub(crate) async fn wish(&self, name: &str, wish: Wish) -> Result<Done, SessionError> {
        self.sessions.wish(name, wish, deaf()).await
    }

    pub(crate) fn fact(&self, name: &str) -> Option<Arc<SessionFact>> {
        self.sessions.watch().borrow().get(name).cloned()
    }

    pub(crate) fn state(&self, name: &str) -> Option<State> {
        self.fact(name).map(|fact| fact.state)
    }

    /// Waits until a session's fact is as wished.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        is: impl Fn(&SessionFact) -> bool,
    ) -> Arc<SessionFact> {
        let mut watch = self.sessions.watch();
        let found = watch.wait_for(|facts| facts.get(name).is_some_and(|fact| is(fact)));
        match tokio::time::timeout(SOON, found).await {
            Ok(facts) => facts.expect("sessions live")[name].clone(),
            Err(_) => panic!("{name} never was {what}: {:#?}", self.fact(name)),
        }
    }

    pub(crate) async fn until_state(&self, name: &str, state: State) -> Arc<SessionFact> {
        self.until(name, &format!("{state:?}"), |fact| fact.state == state)
            .await
    }

    /// The next notice.
    pub(crate) async fn notice(&self) -> Notice {
        let mut notices = self.notices.lock().await;
        let notice = tokio::time::timeout(SOON, notices.recv()).await;
        notice.expect("a notice in time").expect("sessions live")
    }

    /// Runs a command in a session's container, as its user.
    pub(crate) fn inside(&self, name: &str, argv: &[&str]) -> String {
        let id = self
            .fact(name)
            .and_then(|fact| fact.container_id.clone())
            .expect("a container");
        docker(&[&["exec", id.as_str()], argv].concat())
    }
}

/// Collects the phases of a verb.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<PhaseReport>>>);

impl Heard {
    pub(crate) fn listener(&self) -> OnProgress {
        let heard = self.0.clone();
        Arc::new(move |report| heard.lock().unwrap().push(report.clone()))
    }

    /// Phases as they ended, in order.
    pub(crate) fn ended(&self) -> Vec<String> {
        let reports = self.0.lock().unwrap();
        let over = reports
            .iter()
            .filter(|report| report.state != mizzen_sessions::PhaseState::Active);
        over.map(|report| format!("{:?} {:?}", report.phase, report.state))
            .collect()
    }
}

/// Everything below a folder with its owner, without following links.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, u32)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().flatten() {
            // A file may be replaced while it is looked at.
            let Ok(meta) = entry.path().symlink_metadata() else {
                continue;
            };
            if meta.is_dir() {
                open.push(entry.path());
            }
            found.insert(entry.path(), (meta.uid(), meta.gid()));
        }
    }
    found
}
