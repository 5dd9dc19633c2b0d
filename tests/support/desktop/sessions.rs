//! Sessions of a desktop on the real engine, made by the core's client and taken away at the end.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::PathBuf;
use std::process::Command;

use mizzen_core::verb::{UpParams, Verb};
use mizzen_core::view::{Change, SessionState, SessionView, Settings};
use mizzen_core::{Client, Dirs};
use tokio::runtime::{Builder, Runtime};

use crate::own_core::{USER, tiny_image};

use super::{DEADLINE, Desktop, until, until_or, write};

/// What a person who works on this desktop has on the engine.
pub struct Sessions<'d> {
    desktop: &'d Desktop,
    client: Client,
    names: Vec<String>,
    runtime: Runtime,
}

impl Desktop {
    /// A client of the core that the application hosts.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("threads");
        let dirs = Dirs::under(self.path("mizzen")).expect("an absolute path");
        let client = until("the core answers", || {
            runtime.block_on(Client::connect(&dirs)).ok()
        });
        Sessions {
            desktop: self,
            client,
            names: Vec::new(),
            runtime,
        }
    }

    /// Process of the core that answers, once one does.
    #[must_use]
    pub fn core_pid(&self) -> u32 {
        self.sessions().client.core_pid()
    }

    /// Makes the tiny image the one that new sessions get; call it before the launch.
    ///
    /// # Panics
    /// When it was not built.
    pub fn use_tiny_image(&self) {
        let image = tiny_image().expect("an image");
        self.set(&format!("image = \"{image}\""));
    }

    /// Adds a line to the settings; call it before the launch.
    pub fn set(&self, line: &str) {
        let config = self.path("mizzen/config");
        let mut private = fs::DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(&config)
            .expect("a folder");
        let file = config.join("settings.toml");
        let settings = fs::read_to_string(&file).unwrap_or_default();
        write(&file, &format!("{settings}{line}\n"));
    }

    /// A project folder that a session may have.
    #[must_use]
    pub fn project(&self, name: &str) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir(&dir).expect("an empty folder");
        write(&dir.join("README"), "a project\n");
        for path in [&dir, &dir.join("README")] {
            chown(path, Some(USER), Some(USER)).expect("the test runs as root");
        }
        // The folder's parents are private to the test; the engine does not mind.
        dir
    }
}

impl Sessions<'_> {
    /// A name that no other test uses, taken away with this rig.
    #[must_use]
    pub fn name(&mut self, what: &str) -> String {
        let name = format!("{what}-{}", std::process::id());
        self.names.push(name.clone());
        name
    }

    /// Creates and starts a session.
    #[must_use]
    pub fn up(&mut self, what: &str, memory_bytes: Option<u64>) -> String {
        let name = self.name(what);
        let dir = self
            .desktop
            .project(&name)
            .to_str()
            .expect("UTF-8")
            .to_owned();
        let params = UpParams {
            dir,
            name: Some(name.clone()),
            memory_bytes,
            ..UpParams::default()
        };
        let done = self.runtime.block_on(self.client.run(Verb::Up(params)));
        done.unwrap_or_else(|error| panic!("up {name}: {error} ({})", error.hint));
        name
    }

    /// The session as the core sees it.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<SessionView> {
        let snapshot = self.runtime.block_on(self.client.snapshot()).ok()?;
        snapshot
            .sessions
            .into_iter()
            .find(|session| session.name == name)
    }

    /// Waits for a state.
    pub fn wait_for(&self, name: &str, state: SessionState) {
        until_or(
            || format!("{name} is {state:?}"),
            || self.view(name).filter(|session| session.state == state),
        );
    }

    /// Waits for a change of the settings that clients are told of.
    pub fn wait_for_settings(&self, are: impl Fn(&Settings) -> bool) {
        let changed = async {
            let (snapshot, mut events) = self.client.follow().await.expect("a core");
            let mut settings = snapshot.settings;
            while !are(&settings) {
                if let Change::Settings { settings: now } =
                    events.next().await.expect("a core").change
                {
                    settings = now;
                }
            }
        };
        // Made within the runtime: a timer belongs to one.
        let in_time = async { tokio::time::timeout(DEADLINE, changed).await };
        self.runtime.block_on(in_time).expect("the settings change");
    }

    /// Its container.
    #[must_use]
    pub fn container(&self, name: &str) -> String {
        until_or(
            || format!("{name} has a container"),
            || self.view(name)?.container_id,
        )
    }
}

impl Drop for Sessions<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            let label = format!("label=dev.mizzen.session={name}");
            for (list, remove) in [
                (
                    ["ps", "--all", "--quiet"].as_slice(),
                    ["rm", "--force", "--volumes"].as_slice(),
                ),
                (&["network", "ls", "--quiet"], &["network", "rm"]),
                (&["volume", "ls", "--quiet"], &["volume", "rm"]),
            ] {
                let found = docker(&[list, &["--filter", &label]].concat());
                let found: Vec<_> = found.split_whitespace().collect();
                if !found.is_empty() {
                    docker(&[remove, &found].concat());
                }
            }
        }
    }
}

/// Runs the Docker client and returns what it printed.
///
/// # Panics
/// When there is none: a missing tool is a failure, not a skipped test.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("docker is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
