//! Engines for tests: the machine's own, with a label per test, and private ones to stop and kill.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use mizzen_contexts::SelectionEnv;
use mizzen_docker::{
    BuildSpec, ContainerSpec, Endpoint, Engine, EngineEvent, EngineOptions, Link, SshClient,
    TarBuilder, User,
};
use mizzen_tasks::Owner;
use tokio::process::Child;
use tokio::sync::mpsc;

/// How long anything may take before a test gives up; never reached when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Label by which a test finds its own things.
const LABEL: &str = "dev.mizzen.test";

/// Image with a shell and little else.
pub const SHELL_IMAGE: &str = "mizzen-test-shell:1";

/// A first process that waits for the signal to end.
pub const IDLE: &str = "trap 'exit 0' TERM; while :; do sleep 60 & wait; done";

/// Programs in the shell image.
const PROGRAMS: [&str; 10] = [
    "sh", "sleep", "cat", "tail", "head", "id", "touch", "dd", "ls", "ln",
];

/// A handle to an engine that sees only its own test's containers, and removes them at the end.
pub struct Rig {
    /// The engine under test.
    pub engine: Engine,
    /// Its events.
    pub events: mpsc::Receiver<EngineEvent>,
    /// Address in the form of `DOCKER_HOST`.
    pub host: String,
    label: String,
    names: AtomicU32,
    _owner: Owner,
}

impl Rig {
    /// Uses the machine's own engine.
    pub async fn new() -> Result<Self> {
        let home = std::env::var_os("HOME").context("HOME is set")?;
        let env = SelectionEnv::read(home.into(), |name| std::env::var_os(name));
        let mut rig = Self::unconnected(mizzen_contexts::select(&env)?.endpoint)?;
        rig.online().await?;
        rig.ensure_shell_image().await?;
        Ok(rig)
    }

    /// Uses the machine's own engine by another way; what others do there still goes straight to it.
    pub async fn through(endpoint: Endpoint, ssh: SshClient) -> Result<Self> {
        let mut rig = Self::on_the_way(endpoint, ssh)?;
        rig.online().await?;
        rig.ensure_shell_image().await?;
        Ok(rig)
    }

    /// The same, where the way may lead nowhere.
    pub fn on_the_way(endpoint: Endpoint, ssh: SshClient) -> Result<Self> {
        let mut rig = Self::spawned(endpoint, ssh)?;
        rig.host = "unix:///var/run/docker.sock".to_owned();
        Ok(rig)
    }

    /// Uses an engine that may not be there yet.
    pub fn unconnected(endpoint: Endpoint) -> Result<Self> {
        Self::spawned(endpoint, SshClient::default())
    }

    fn spawned(endpoint: Endpoint, ssh: SshClient) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = COUNT.fetch_add(1, Ordering::Relaxed);
        let label = format!("{}-{unique}", std::process::id());
        let owner = Owner::root("test");
        let host = endpoint.to_string();
        let mut options = EngineOptions::new((LABEL.to_owned(), label.clone()));
        options.ssh = ssh;
        let (engine, events) = Engine::spawn(&owner, "test", endpoint, options);
        Ok(Self {
            engine,
            events,
            host,
            label,
            names: AtomicU32::new(0),
            _owner: owner,
        })
    }

    /// Waits until the link is up.
    pub async fn online(&mut self) -> Result<()> {
        let mut link = self.engine.link();
        let online = link.wait_for(|link| matches!(link, Link::Online(_)));
        tokio::time::timeout(PATIENCE, online)
            .await
            .with_context(|| format!("no engine answers at {}: run `make setup`", self.host))??;
        Ok(())
    }

    /// The test's label, for things that are made elsewhere.
    pub fn label(&self) -> String {
        format!("{LABEL}={}", self.label)
    }

    /// The test's label as a map.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(LABEL.to_owned(), self.label.clone())])
    }

    /// A name that no other test uses.
    pub fn name(&self) -> String {
        let count = self.names.fetch_add(1, Ordering::Relaxed);
        format!("mizzen-test-{}-{count}", self.label)
    }

    /// Describes a container that runs a shell script as an ordinary user.
    pub fn spec(&self, script: &str) -> ContainerSpec {
        let user = User::new(4321, 4321).expect("not root");
        let mut spec = ContainerSpec::new(SHELL_IMAGE, self.name(), user);
        spec.labels = self.labels();
        spec.command = Some(["/bin/sh", "-c", script].map(str::to_owned).into());
        spec.stop_timeout = Some(Duration::from_secs(5));
        spec
    }

    /// Makes and starts a container; answers with its id.
    pub async fn running(&self, script: &str) -> Result<String> {
        self.start(&self.spec(script)).await
    }

    /// Makes and starts a container as described; answers with its id.
    pub async fn start(&self, spec: &ContainerSpec) -> Result<String> {
        let id = self.engine.create_container(spec).await?;
        self.engine.start(&id).await?;
        Ok(id)
    }

    /// Reads events until one fits.
    pub async fn event<T>(
        &mut self,
        what: &str,
        mut fits: impl FnMut(EngineEvent) -> Option<T>,
    ) -> Result<T> {
        let wait = async {
            loop {
                let event = self
                    .events
                    .recv()
                    .await
                    .context("the engine task has ended")?;
                if let Some(found) = fits(event) {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .with_context(|| format!("waiting for {what}"))?
    }

    /// Runs the Docker CLI against the same engine, as someone else would.
    pub async fn docker(&self, args: &[&str]) -> Result<String> {
        let output = tokio::process::Command::new("docker")
            .args(args)
            .env("DOCKER_HOST", &self.host)
            .env_remove("DOCKER_CONTEXT")
            .output()
            .await
            .context("the Docker CLI runs")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "docker {args:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Builds the shell image when the engine does not have it.
    pub async fn ensure_shell_image(&self) -> Result<()> {
        if self.engine.image(SHELL_IMAGE).await?.is_some() {
            return Ok(());
        }
        let mut context = TarBuilder::new();
        context.file(
            "Dockerfile",
            0o644,
            (0, 0),
            b"FROM scratch\nADD root.tar /\n",
        )?;
        context.file("root.tar", 0o644, (0, 0), &shell_root()?)?;
        let spec = BuildSpec {
            tag: SHELL_IMAGE.to_owned(),
            context_tar: context.finish(),
            dockerfile: "Dockerfile".to_owned(),
            ..BuildSpec::default()
        };
        self.engine.build_image(spec, |_| ()).await?;
        Ok(())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let filter = format!("label={}", self.label());
        for (list, remove) in [
            (&["ps", "-aq"][..], &["rm", "-fv"][..]),
            (&["network", "ls", "-q"], &["network", "rm"]),
            (&["volume", "ls", "-q"], &["volume", "rm", "-f"]),
            (&["images", "-q"], &["rmi", "-f"]),
        ] {
            let docker = || {
                let mut command = Command::new("docker");
                command.env("DOCKER_HOST", &self.host).stderr(Stdio::null());
                command
            };
            let Ok(found) = docker().args(list).args(["--filter", &filter]).output() else {
                return;
            };
            let ids = String::from_utf8_lossy(&found.stdout).into_owned();
            if !ids.trim().is_empty() {
                docker()
                    .args(remove)
                    .args(ids.split_whitespace())
                    .stdout(Stdio::null())
                    .status()
                    .ok();
            }
        }
    }
}

/// A root folder with this machine's own shell, a few programs and the libraries they need.
fn shell_root() -> Result<Vec<u8>> {
    let mut tar = TarBuilder::new();
    for (dir, mode) in [
        ("tmp", 0o1777),
        ("workspace", 0o777),
        ("etc", 0o755),
        ("proc", 0o755),
    ] {
        tar.dir(dir, mode, (0, 0))?;
    }
    tar.file(
        "etc/passwd",
        0o644,
        (0, 0),
        b"coder:x:4321:4321::/:/bin/sh\n",
    )?;
    let mut files = BTreeMap::new();
    for program in PROGRAMS {
        let path = which(program)?;
        for library in libraries(&path)? {
            files.insert(library.clone(), library);
        }
        files.insert(PathBuf::from("/bin").join(program), path);
    }
    for (target, source) in files {
        let target = target.to_str().context("a plain path")?;
        tar.file(target, 0o755, (0, 0), &std::fs::read(&source)?)?;
    }
    Ok(tar.finish().to_vec())
}

fn which(program: &str) -> Result<PathBuf> {
    let found = ["/bin", "/usr/bin"].map(|dir| Path::new(dir).join(program));
    found
        .into_iter()
        .find(|path| path.exists())
        .with_context(|| format!("{program} is installed"))
}

/// Absolute paths that `ldd` names.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd")
        .arg(program)
        .output()
        .context("ldd runs")?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect())
}

/// An engine of the test's own: it shares nothing with the machine's and may be stopped and killed.
pub struct PrivateEngine {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

/// Starts that may fail: on a busy machine the daemon gives up waiting for its own parts.
const STARTS: u32 = 3;

impl PrivateEngine {
    /// Prepares an engine; [`PrivateEngine::start`] starts it.
    pub fn new() -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            daemon: None,
        })
    }

    /// Where it listens, or will.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(self.path("docker.sock"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the daemon and waits until the rig's link to it is up.
    pub async fn start(&mut self, rig: &mut Rig) -> Result<()> {
        for _ in 0..STARTS {
            ensure!(self.daemon.is_none(), "it runs already");
            let daemon = self
                .daemon
                .insert(self.command()?.spawn().context("dockerd runs")?);
            let online = rig.event("the engine to answer", |event| {
                matches!(event, EngineEvent::Online(_)).then_some(())
            });
            tokio::select! {
                online = online => return online.with_context(|| self.log()),
                ended = daemon.wait() => ended?,
            };
            self.daemon = None;
        }
        bail!("it does not start: {}", self.log())
    }

    fn command(&self) -> Result<tokio::process::Command> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))?;
        // A network namespace of its own: `--bridge=none` removes the namespace's docker0, which
        // is where every container of the machine's own engine hangs.
        let mut command = tokio::process::Command::new("unshare");
        command
            .args(["--net", "dockerd"])
            .arg("--host")
            .arg(self.endpoint().to_string())
            .arg("--data-root")
            .arg(self.path("data"))
            .arg("--exec-root")
            .arg(self.path("exec"))
            .arg("--pidfile")
            .arg(self.path("pid"))
            .args(["--bridge=none", "--iptables=false", "--ip-masq=false"])
            .args(["--containerd-namespace=mizzen-test", "--group=root"])
            // Two networks, where an engine usually has some thirty: what happens then can be seen.
            .args(["--default-address-pool", "base=10.213.0.0/23,size=24"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }

    /// Asks the daemon to end, and waits until it has.
    pub async fn stop(&mut self) -> Result<()> {
        self.end("-TERM").await
    }

    /// Kills the daemon; its containers' processes live on, as with any engine.
    pub async fn kill(&mut self) -> Result<()> {
        self.end("-KILL").await
    }

    async fn end(&mut self, signal: &str) -> Result<()> {
        let mut daemon = self.daemon.take().context("it does not run")?;
        let pid = daemon.id().context("it has not ended by itself")?;
        let sent = Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()?;
        ensure!(sent.success(), "kill {signal}");
        daemon.wait().await?;
        Ok(())
    }

    /// What the daemon has said, for a test that fails.
    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if let Some(pid) = self.daemon.as_ref().and_then(Child::id) {
            end_process(pid as i32);
        }
        // A daemon that was killed leaves its containerd behind.
        let pid = std::fs::read_to_string(self.path("exec/containerd/containerd.pid"));
        if let Some(pid) = pid.ok().and_then(|text| text.trim().parse().ok()) {
            end_process(pid);
        }
    }
}

/// Asks a process to end and waits until it has, so that its folder can be removed.
fn end_process(pid: i32) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let Some(Ok(process)) = Pid::from_raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty()))
    else {
        return;
    };
    if pidfd_send_signal(&process, Signal::TERM).is_ok() {
        let patience = Timespec {
            tv_sec: PATIENCE.as_secs() as i64,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).ok();
    }
}
