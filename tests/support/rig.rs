//! A Mizzen of a test's own: its directories, project folders, core and command line.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::future::Future;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use mizzen_core::view::{Event, SessionView, Snapshot};
use mizzen_core::{Client, Dirs};
use serde_json::Value;

use crate::on_engine::OnEngine;
use crate::own_core::{USER, supervisor, tiny_image};

/// How long anything may take before a test gives up; never reached when all is well.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A Mizzen that shares nothing with others on the machine but, unless told, the engine.
pub struct Mizzen {
    home: tempfile::TempDir,
    docker_host: Option<String>,
    gateway_port: u16,
    /// What else its programs find around them.
    env: Vec<(&'static str, OsString)>,
}

/// What a command line said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Said {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error that `--json` put on standard error.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn error(&self) -> Value {
        let object: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        object["error"].clone()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        // No code: a signal ended it.
        let code = output.status.code().unwrap_or(-1);
        Self {
            code,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Default for Mizzen {
    fn default() -> Self {
        Self::new()
    }
}

impl Mizzen {
    /// Makes the directories, with settings that name the tiny image and a free port.
    ///
    /// # Panics
    /// When a program or image is missing that `make test` builds.
    #[must_use]
    pub fn new() -> Self {
        let home = tempfile::Builder::new()
            .prefix("mz-")
            .tempdir()
            .expect("a temp directory");
        // Containers mount folders below it, under another uid.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let mizzen = Self {
            home,
            docker_host: None,
            gateway_port: free_port(),
            env: Vec::new(),
        };
        mizzen.set("");
        mizzen
    }

    /// The same on another engine, in the form of `DOCKER_HOST`.
    #[must_use]
    pub fn on(docker_host: impl Into<String>) -> Self {
        let mut mizzen = Self::new();
        mizzen.docker_host = Some(docker_host.into());
        mizzen
    }

    /// Sets a variable for its programs, and for the Docker CLI.
    pub fn set_env(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.env.push((name, value.into()));
    }

    /// Its directories.
    ///
    /// # Panics
    /// Never: the root is absolute.
    #[must_use]
    pub fn dirs(&self) -> Dirs {
        Dirs::under(self.home.path().to_owned()).expect("absolute")
    }

    /// Port that its gateway tries first.
    #[must_use]
    pub fn gateway_port(&self) -> u16 {
        self.gateway_port
    }

    /// Adds lines to its settings.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn set(&self, lines: &str) {
        let dirs = self.dirs();
        dirs.prepare().expect("directories");
        let image = tiny_image().expect("an image");
        let port = self.gateway_port;
        let text = format!(
            "image = \"{image}\"\ngateway_port = {port}\nmemory_bytes = 268435456\n{lines}\n"
        );
        mizzen_fsx::write_atomic(dirs.settings_file(), text.as_bytes()).expect("settings");
    }

    /// A new project folder with a file in it, owned as a user's would be.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn project(&self, name: &str) -> PathBuf {
        let folder = self.home.path().join("projects").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        mizzen_fsx::write_atomic(folder.join("hello.txt"), b"hello\n").expect("a file");
        for path in [&folder, &folder.join("hello.txt")] {
            chown(path, Some(USER), Some(USER)).expect("tests run as root");
        }
        folder
    }

    /// The command line with its environment set.
    #[must_use]
    pub fn command<I, A>(&self, args: I) -> Command
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut command = self.program("mizzen");
        command.args(args);
        command
    }

    /// Another program beside this test with the same environment.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command
            .env("MIZZEN_HOME", self.home.path())
            .env("MIZZEN_SUPERVISOR", supervisor())
            .env("MIZZEN_LOG", "info,mizzen=debug")
            .stdin(Stdio::null());
        self.dress(&mut command);
        command
    }

    /// Which engine its programs know, and what else they find around them.
    fn dress(&self, command: &mut Command) {
        command.env_remove("DOCKER_CONTEXT").envs(self.env.clone());
        if let Some(host) = &self.docker_host {
            command.env("DOCKER_HOST", host);
        }
    }

    /// Runs the command line to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Said {
        self.command(args).output().expect("mizzen runs").into()
    }

    /// Runs a command that must succeed, and returns its JSON.
    ///
    /// # Panics
    /// When it fails, with the core's log.
    pub fn json(&self, args: &[&str]) -> Value {
        let said = self.run(&[args, &["--json"]].concat());
        assert_eq!(said.code, 0, "mizzen {args:?}: {said:?}\n{}", self.log());
        said.json()
    }

    /// One session's row, as `mizzen list --json` has it.
    ///
    /// # Panics
    /// When there is no such session.
    pub fn session(&self, name: &str) -> Value {
        let list = self.json(&["list"]);
        let rows = list.as_array().expect("an array");
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("no session {name}: {list}"))
            .clone()
    }

    /// A client of the running core; one is started when none runs.
    ///
    /// # Panics
    /// When none can be started.
    pub async fn client(&self) -> Client {
        let said = self.run(&["serve"]);
        assert_eq!(said.code, 0, "{said:?}");
        Client::connect(&self.dirs())
            .await
            .expect("a core that listens")
    }

    /// Kills the core as the system would when memory runs out.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn kill_core(&self, client: &Client) {
        let pid = client.core_pid().to_string();
        let killed = Command::new("kill")
            .args(["-KILL", &pid])
            .status()
            .expect("kill runs");
        assert!(killed.success());
        within("the connection to a killed core ends", client.closed()).await;
    }

    /// What the core logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dirs().log_file()).unwrap_or_default()
    }

    /// Whose label all its containers wear; none before its first core.
    fn owner(&self) -> Option<String> {
        let owner = fs::read_to_string(self.dirs().state.join("owner-id")).ok()?;
        Some(owner.trim().to_owned())
    }

    /// Runs the Docker CLI on its engine, as somebody else would.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn docker(&self, args: &[&str]) -> Said {
        let mut command = Command::new("docker");
        self.dress(command.args(args));
        command.output().expect("the Docker CLI runs").into()
    }

    /// Names of its things on the engine: `container`, `network` or `volume`.
    #[must_use]
    pub fn leftovers(&self, kind: &str) -> Vec<String> {
        let on_engine = |owner: String| OnEngine::of(&owner, self.docker_host.as_deref());
        self.owner()
            .map(on_engine)
            .map_or_else(Vec::new, |it| it.names(kind))
    }
}

impl Drop for Mizzen {
    #[expect(
        clippy::print_stderr,
        reason = "a failed test shows what the core said"
    )]
    fn drop(&mut self) {
        self.run(&["serve", "--stop"]);
        if let Some(owner) = self.owner() {
            OnEngine::of(&owner, self.docker_host.as_deref()).remove_all();
        }
        if std::thread::panicking() {
            eprintln!("the core's log:\n{}", self.log());
        }
    }
}

/// Waits, but not for ever.
///
/// # Panics
/// When it takes longer than [`PATIENCE`].
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("waited too long: {what}"))
}

/// Follows the core until its snapshot is as wanted; returns it and all events on the way.
///
/// # Panics
/// When it does not become so in time.
pub async fn until(
    client: &Client,
    what: &str,
    mut wanted: impl FnMut(&Snapshot) -> bool,
) -> (Snapshot, Vec<Event>) {
    within(what, async {
        let (mut snapshot, mut stream) = client.follow().await.expect("a core");
        let mut seen = Vec::new();
        while !wanted(&snapshot) {
            let event = stream
                .next()
                .await
                .unwrap_or_else(|end| panic!("{what}: {end}"));
            assert!(snapshot.apply(&event), "events leave no gap");
            seen.push(event);
        }
        (snapshot, seen)
    })
    .await
}

/// One session of a snapshot.
#[must_use]
pub fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a SessionView> {
    snapshot.sessions.iter().find(|view| view.name == name)
}

/// A program beside this test.
///
/// # Panics
/// When it was not built: cargo builds no other package's programs for a test.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a program's own path");
    let program = test.ancestors().nth(2).expect("target/PROFILE").join(name);
    assert!(
        program.is_file(),
        "{} is missing: run `cargo xtask build`",
        program.display()
    );
    program
}

/// A port that was free a moment ago, with free ones after it in all likelihood.
fn free_port() -> u16 {
    let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback");
    socket.local_addr().expect("bound").port()
}
