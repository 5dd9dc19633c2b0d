//! Another machine as ssh sees it: a real sshd on loopback, as the user who runs the tests, with keys of
//! its own and the Docker CLI on its path.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mizzen_docker::{Endpoint, SshClient};
use mizzen_tasks::Owner;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use crate::engine::PATIENCE;
use crate::rig::Mizzen;

/// The machine, and the keys with which it is entered; ends when dropped.
pub struct FarMachine {
    folder: tempfile::TempDir,
    port: u16,
    connections: Arc<Connections>,
    _owner: Owner,
}

struct Connections {
    /// Owns those that are open now; replaced when they are cut.
    owner: Mutex<Owner>,
    opened: AtomicUsize,
    /// Whether nobody gets in.
    is_away: AtomicBool,
    open: watch::Sender<usize>,
}

impl FarMachine {
    /// Starts to listen. Its users find programs in `path`, and may have so many streams in one connection.
    pub async fn start(path: &str, streams: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        prepare(folder.path(), path, streams)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let owner = Owner::root("far-machine");
        let connections = Arc::new(Connections {
            owner: Mutex::new(Owner::root("connections")),
            opened: AtomicUsize::new(0),
            is_away: AtomicBool::new(false),
            open: watch::Sender::new(0),
        });
        let (shared, config) = (connections.clone(), folder.path().join("sshd_config"));
        owner.spawn("listen", async move {
            while let Ok((stream, _)) = listener.accept().await {
                if shared.is_away.load(Ordering::SeqCst) {
                    continue;
                }
                shared.clone().serve(stream, config.clone());
            }
        });
        let far = Self {
            folder,
            port,
            connections,
            _owner: owner,
        };
        far.knows_host_key("host")?;
        Ok(far)
    }

    /// Where the Docker CLI is found, and what a shell needs.
    pub fn usual_path() -> Result<String> {
        let program = found("docker")?;
        let folder = program.parent().context("the Docker CLI is installed")?;
        Ok(format!("{}:/usr/bin:/bin", folder.display()))
    }

    /// Its engine, with what is to follow `127.0.0.1:PORT` in the address.
    pub fn endpoint(&self, socket: &str) -> Result<Endpoint> {
        Ok(format!("ssh://127.0.0.1:{}{socket}", self.port).parse()?)
    }

    /// Its engine, for somebody else.
    pub fn endpoint_of(&self, user: &str) -> Result<Endpoint> {
        Ok(format!("ssh://{user}@127.0.0.1:{}", self.port).parse()?)
    }

    /// Somebody with a context `far` for its engine and the keys to it, and the folder that the context is in.
    pub fn person(&self) -> Result<(Mizzen, tempfile::TempDir)> {
        let (mut mizzen, contexts) = a_person()?;
        let programs = self.folder.path().display();
        mizzen.set_env("PATH", format!("{programs}:{}", std::env::var("PATH")?));
        let host = format!("host={}", self.endpoint("")?);
        let made = mizzen.docker(&["context", "create", "far", "--docker", &host]);
        ensure!(made.code == 0, "{made:?}");
        Ok((mizzen, contexts))
    }

    /// The same for somebody who has the keys in an agent alone, and whose own configuration says what `lab` is: this
    /// machine, who `user` is there, and that the way to it leads over another one. The agent ends when dropped.
    pub fn person_with_agent(&self, user: &str) -> Result<(Mizzen, tempfile::TempDir, Agent)> {
        let here = self.folder.path();
        let agent = Agent::start(here)?;
        agent.takes(&here.join("user"))?;
        let text = format!(
            "Host lab\nUser {user}\nProxyJump hop\n\
             Host *\nHostName 127.0.0.1\nPort {}\nUserKnownHostsFile {here}/known_hosts\nGlobalKnownHostsFile none\n",
            self.port,
            here = here.display()
        );
        mizzen_fsx::write_atomic(here.join("config"), text.as_bytes())?;
        let (mut mizzen, contexts) = a_person()?;
        mizzen.set_env(
            "PATH",
            format!("{}:{}", here.display(), std::env::var("PATH")?),
        );
        mizzen.set_env("SSH_AUTH_SOCK", &agent.socket);
        let made = mizzen.docker(&["context", "create", "far", "--docker", "host=ssh://lab"]);
        ensure!(made.code == 0, "{made:?}");
        Ok((mizzen, contexts, agent))
    }

    /// An ssh with a configuration of its own, which the system's keeps in the user's home.
    #[must_use]
    pub fn client(&self) -> SshClient {
        SshClient {
            program: self.folder.path().join("ssh"),
            control_folder: Some(self.folder.path().join("control")),
        }
    }

    /// Makes the client know a key (`host` or `other`) as the machine's; an empty name is none.
    pub fn knows_host_key(&self, name: &str) -> Result<()> {
        let known = match name {
            "" => String::new(),
            name => {
                let key = fs::read_to_string(self.folder.path().join(format!("{name}.pub")))?;
                format!("[127.0.0.1]:{} {key}", self.port)
            }
        };
        Ok(mizzen_fsx::write_atomic(
            self.folder.path().join("known_hosts"),
            known.as_bytes(),
        )?)
    }

    /// Lets in who has this key (`user` or `other`).
    pub fn lets_in(&self, name: &str) -> Result<()> {
        let keys = fs::read(self.folder.path().join(format!("{name}.pub")))?;
        Ok(mizzen_fsx::write_atomic(
            self.folder.path().join("authorized_keys"),
            &keys,
        )?)
    }

    /// Connections that were ever opened.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.connections.opened.load(Ordering::SeqCst)
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        *self.connections.owner() = Owner::root("connections");
    }

    /// Cuts all connections, and lets nobody in until it is back.
    pub fn goes_away(&self) {
        self.connections.is_away.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Lets everybody in again.
    pub fn comes_back(&self) {
        self.connections.is_away.store(false, Ordering::SeqCst);
    }

    /// Waits until no connection is open.
    pub async fn all_closed(&self) -> Result<()> {
        let mut open = self.connections.open.subscribe();
        tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == 0))
            .await
            .context("a connection stays open")??;
        Ok(())
    }
}

/// A person's ssh-agent; ends when dropped.
pub struct Agent {
    socket: PathBuf,
    process: Child,
}

impl Agent {
    /// Starts one that holds nothing yet.
    fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("agent");
        let process = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .context("ssh-agent is installed")?;
        let agent = Self { socket, process };
        let began = Instant::now();
        while !agent.socket.exists() {
            ensure!(began.elapsed() < PATIENCE, "ssh-agent does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }

    /// Gives a key to it, which is nowhere else from then on.
    fn takes(&self, key: &Path) -> Result<()> {
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .status()?;
        ensure!(added.success(), "ssh-add fails");
        Ok(fs::remove_file(key)?)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Connections {
    fn owner(&self) -> std::sync::MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(self: Arc<Self>, stream: TcpStream, config: PathBuf) {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let open = Open::one(self.clone());
        let owner = self.owner().child("connection");
        owner.clone().spawn("serve", async move {
            let (_owner, _open) = (owner, open);
            // A client that goes away is no fault of the machine's.
            sshd(stream, &config).await.ok();
        });
    }
}

/// Somebody whose contexts are in a folder of their own.
pub fn a_person() -> Result<(Mizzen, tempfile::TempDir)> {
    let (mut mizzen, contexts) = (Mizzen::new(), tempfile::tempdir()?);
    mizzen.set_env("DOCKER_CONFIG", contexts.path());
    Ok((mizzen, contexts))
}

/// Counts a connection for as long as it is open.
struct Open(Arc<Connections>);

impl Open {
    fn one(connections: Arc<Connections>) -> Self {
        connections.open.send_modify(|open| *open += 1);
        Self(connections)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

/// Serves one connection with a daemon of its own, which needs no port.
async fn sshd(mut client: TcpStream, config: &Path) -> Result<()> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut ours = UnixStream::from_std(ours)?;
    let input = std::os::fd::OwnedFd::from(theirs);
    let output = input.try_clone()?;
    let mut daemon = tokio::process::Command::new(program()?);
    let _daemon = daemon
        .args(["-i", "-e", "-f"])
        .arg(config)
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    drop(daemon);
    tokio::io::copy_bidirectional(&mut client, &mut ours).await?;
    Ok(())
}

/// Where a program is.
fn found(program: &str) -> Result<PathBuf> {
    let said = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()?;
    Ok(PathBuf::from(String::from_utf8(said.stdout)?.trim()))
}

/// The daemon wants to be called by its full path.
fn program() -> Result<PathBuf> {
    ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
        .context("sshd is not installed: run `scripts/setup --tests`")
}

fn prepare(folder: &Path, path: &str, streams: u32) -> Result<()> {
    for name in ["host", "user", "other"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(name))
            .status()?;
        ensure!(made.success(), "ssh-keygen fails");
    }
    fs::copy(folder.join("user.pub"), folder.join("authorized_keys"))?;
    let here = folder.display();
    let write =
        |name: &str, text: String| mizzen_fsx::write_atomic(folder.join(name), text.as_bytes());
    write(
        "sshd_config",
        format!(
            "HostKey {here}/host\nAuthorizedKeysFile {here}/authorized_keys\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n\
             MaxSessions {streams}\nSetEnv PATH={path}\n"
        ),
    )?;
    write(
        "config",
        format!(
            "UserKnownHostsFile {here}/known_hosts\nGlobalKnownHostsFile none\nIdentityFile {here}/user\n\
             IdentitiesOnly yes\nIdentityAgent none\n"
        ),
    )?;
    write(
        "ssh",
        // By its path: this one may be found first under that name.
        format!(
            "#!/bin/sh\nexec {} -F {here}/config \"$@\"\n",
            found("ssh")?.display()
        ),
    )?;
    fs::set_permissions(folder.join("ssh"), fs::Permissions::from_mode(0o755))?;
    let control = folder.join("control");
    fs::create_dir(&control)?;
    fs::set_permissions(&control, fs::Permissions::from_mode(0o700))?;
    // As root, the daemon wants an empty folder to lock the part of it up in that talks to strangers.
    if rustix::process::geteuid().is_root() {
        fs::create_dir_all("/run/sshd")?;
    }
    Ok(())
}
