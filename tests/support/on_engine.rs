//! What one owner has on an engine: every container, network and volume that carries its label.

use std::process::{Command, Output};

/// One owner on one engine.
pub struct OnEngine {
    filter: String,
    docker_host: Option<String>,
}

impl OnEngine {
    /// On the engine that the Docker CLI selects, or on the one given in the form of `DOCKER_HOST`.
    #[must_use]
    pub fn of(owner: &str, docker_host: Option<&str>) -> Self {
        Self {
            filter: format!("label=dev.mizzen.owner={owner}"),
            docker_host: docker_host.map(str::to_owned),
        }
    }

    /// Names of its things of a kind: `container`, `network` or `volume`.
    ///
    /// # Panics
    /// When the Docker CLI is not there.
    #[must_use]
    pub fn names(&self, kind: &str) -> Vec<String> {
        let all: &[&str] = match kind {
            "container" => &["--all", "--format", "{{.Names}}"],
            _ => &["--format", "{{.Name}}"],
        };
        let listed = self.docker(&[&[kind, "ls", "--filter", &self.filter], all].concat());
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        names.lines().map(str::to_owned).collect()
    }

    /// Removes all of it. An engine that is gone keeps what it has.
    ///
    /// # Panics
    /// When the Docker CLI is not there.
    pub fn remove_all(&self) {
        for (kind, remove) in [
            ("container", &["rm", "--force", "--volumes"][..]),
            ("network", &["rm"]),
            ("volume", &["rm", "--force"]),
        ] {
            let names = self.names(kind);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if !names.is_empty() {
                self.docker(&[&[kind], remove, &names].concat());
            }
        }
    }

    fn docker(&self, args: &[&str]) -> Output {
        let mut command = Command::new("docker");
        command.args(args).env_remove("DOCKER_CONTEXT");
        if let Some(host) = &self.docker_host {
            command.env("DOCKER_HOST", host);
        }
        command.output().expect("the Docker CLI runs")
    }
}
