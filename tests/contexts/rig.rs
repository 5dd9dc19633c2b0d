//! A person with a home folder of their own, a core, and the Docker command line; no engine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mizzen_core::view::{ContextsState, Snapshot};
use mizzen_core::{Client, Dirs};
use mizzen_tests::rig::{Said, program, until, within};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Host,
    Container,
}

pub(crate) const BOTH: [Side; 2] = [Side::Host, Side::Container];

/// Ends its core when dropped.
pub(crate) struct Person {
    home: TempDir,
}

impl Person {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("mz-").tempdir();
        let person = Self {
            home: home.expect("a temp directory"),
        };
        fs::create_dir(person.path(Side::Host)).expect("a folder");
        person
    }

    /// With both sides set up, and a client of the core.
    pub(crate) async fn mirrored() -> (Self, Client) {
        let person = Self::new();
        let client = person.start().await;
        assert_eq!(person.mizzen(&["contexts", "setup"]).code, 0);
        (person, client)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn path(&self, side: Side) -> PathBuf {
        self.home.path().join(match side {
            Side::Host => ".docker",
            Side::Container => ".docker-cai",
        })
    }

    pub(crate) fn set(&self, settings: &str) {
        let dirs = self.dirs();
        dirs.prepare().expect("directories");
        mizzen_fsx::write_atomic(dirs.settings_file(), settings.as_bytes()).expect("settings");
    }

    fn dirs(&self) -> Dirs {
        Dirs::under(self.home.path().join("mizzen")).expect("absolute")
    }

    pub(crate) fn mizzen(&self, args: &[&str]) -> Said {
        let mut command = Command::new(program("mizzen"));
        let command = command
            .args(args)
            .env("HOME", self.home.path())
            .env("MIZZEN_HOME", self.home.path().join("mizzen"))
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .env_remove("DOCKER_CONFIG")
            .env_remove("DOCKER_CONTEXT")
            .stdin(Stdio::null());
        command.output().expect("mizzen runs").into()
    }

    /// A client of the core, which is started when none runs.
    pub(crate) async fn start(&self) -> Client {
        let said = self.mizzen(&["serve"]);
        assert_eq!(said.code, 0, "{said:?}");
        let client = Client::connect(&self.dirs()).await;
        client.expect("a core that listens")
    }

    /// Kills the core where it stands.
    pub(crate) async fn kill(&self, client: &Client) {
        self.signal(client, Signal::KILL);
        within("a killed core is gone", client.closed()).await;
    }

    /// Sends the core a signal.
    pub(crate) fn signal(&self, client: &Client, signal: Signal) {
        let pid = i32::try_from(client.core_pid()).expect("a process id");
        let pid = Pid::from_raw(pid).expect("a process id");
        kill_process(pid, signal).expect("it runs");
    }

    /// The Docker command line on one side.
    pub(crate) fn docker(&self, side: Side, args: &[&str]) -> Said {
        self.docker_in(&self.path(side), args)
    }

    /// The same for any folder of configuration.
    pub(crate) fn docker_in(&self, config: &Path, args: &[&str]) -> Said {
        let mut command = Command::new("docker");
        let command = command
            .arg("--config")
            .arg(config)
            .args(args)
            .env("HOME", self.home.path())
            .env_remove("DOCKER_HOST")
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_CONFIG")
            .stdin(Stdio::null());
        command.output().expect("the Docker CLI runs").into()
    }

    /// `docker context …`, which must succeed.
    pub(crate) fn context(&self, side: Side, args: &[&str]) {
        let said = self.docker(side, &[&["context"], args].concat());
        assert_eq!(said.code, 0, "docker context {args:?}: {said:?}");
    }

    /// TLS files for a context, as `--docker` takes them.
    pub(crate) fn tls(&self, mark: &str) -> String {
        let folder = self.home.path().join("pem");
        fs::create_dir_all(&folder).expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.join(format!("{mark}-{name}.pem"));
            mizzen_fsx::write_atomic(&path, text.as_bytes()).expect("a file");
            path.display().to_string()
        };
        let (cert, key) = certificate().expect("a certificate");
        let (ca, cert, key) = (file("ca", &cert), file("cert", &cert), file("key", &key));
        format!("ca={ca},cert={cert},key={key}")
    }

    /// All files of a side's store but those of the contexts that it has for itself.
    pub(crate) fn store(&self, side: Side) -> BTreeMap<PathBuf, Vec<u8>> {
        let contexts = self.path(side).join("contexts");
        let mut files = BTreeMap::new();
        for part in ["meta", "tls"] {
            let mut folders = vec![contexts.join(part)];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    let inner = path.strip_prefix(&contexts).expect("below it").to_owned();
                    if inner.components().any(|part| part.as_os_str() == OWN) {
                        continue;
                    }
                    match path.is_dir() {
                        true => folders.push(path),
                        false => drop(files.insert(inner, fs::read(&path).unwrap_or_default())),
                    }
                }
            }
        }
        files
    }

    /// What a side has for itself under the name of `containai-docker`.
    pub(crate) fn own(&self, side: Side) -> Option<Vec<u8>> {
        let meta = self.path(side).join("contexts/meta");
        fs::read(meta.join(OWN).join("meta.json")).ok()
    }

    /// Waits until both sides rest and hold the same.
    pub(crate) async fn in_step(&self, client: &Client) -> BTreeMap<PathBuf, Vec<u8>> {
        let same = || self.store(Side::Host) == self.store(Side::Container);
        self.until(client, "both sides hold the same", |snapshot| {
            snapshot.contexts.state == ContextsState::InStep && same()
        })
        .await;
        self.store(Side::Host)
    }

    pub(crate) async fn until(
        &self,
        client: &Client,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Snapshot {
        until(client, what, holds).await.0
    }

    /// Modes of a store: keys are their owner's alone.
    pub(crate) fn check_modes(&self, side: Side) {
        let contexts = self.path(side).join("contexts");
        let mode = |path: &Path| path.metadata().expect("is there").permissions().mode() & 0o777;
        for file in self.store(side).into_keys() {
            let path = contexts.join(&file);
            let expected = if file.starts_with("tls") {
                0o600
            } else {
                0o644
            };
            assert_eq!(mode(&path), expected, "{}", path.display());
            if file.starts_with("tls") {
                let folder = path.parent().expect("a folder");
                assert_eq!(mode(folder), 0o700, "{}", folder.display());
            }
        }
    }
}

/// One that vouches for itself, and its key: Docker takes nothing else for TLS files.
fn certificate() -> Result<(String, String), rcgen::Error> {
    let key = rcgen::KeyPair::generate()?;
    let cert = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
    Ok((cert.pem(), key.serialize_pem()))
}

/// Folder of `containai-docker`.
const OWN: &str = "64d389f24195eb02789e0d9203e1543fd15ef4679466ab7fca0bd768c1148991";

impl Drop for Person {
    fn drop(&mut self) {
        self.mizzen(&["serve", "--stop"]);
    }
}
