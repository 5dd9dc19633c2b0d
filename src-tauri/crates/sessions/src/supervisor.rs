//! The static supervisor that goes into containers: one file per architecture.

use std::path::{Path, PathBuf};

use mizzen_docker::Engine;
use mizzen_fsx::PathError;

use crate::error::{ErrorKind, SessionError};
use crate::image::Supervisor;
use crate::world::online;

/// Where supervisors lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupervisorFiles {
    /// This one, whatever the engine is.
    One(PathBuf),
    /// One per architecture in this folder: `mizzen-supervisor-linux-amd64`.
    Folder(PathBuf),
}

impl SupervisorFiles {
    /// The file for an architecture in an engine's words: `amd64`.
    #[must_use]
    pub fn for_arch(&self, arch: &str) -> PathBuf {
        match self {
            Self::One(file) => file.clone(),
            Self::Folder(folder) => folder.join(format!("mizzen-supervisor-linux-{}", word(arch))),
        }
    }

    /// Reads the one that runs on an engine.
    pub(crate) async fn for_engine(&self, engine: &Engine) -> Result<Supervisor, SessionError> {
        let arch = online(engine).await?.arch;
        let file = self.for_arch(&arch);
        Supervisor::read(&file).map_err(|error| missing(&file, &arch, engine.name(), &error))
    }
}

/// An engine says what it is, and must not choose a file by it.
fn word(arch: &str) -> String {
    arch.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn missing(file: &Path, arch: &str, engine: &str, error: &PathError) -> SessionError {
    let (arch, name) = (word(arch), file.file_name().unwrap_or_default());
    let message = format!(
        "The engine `{engine}` runs {arch} containers, and the supervisor for them is missing: {error}."
    );
    let hint = format!(
        "Put `{}` beside Mizzen's programs; `cargo xtask supervisor` makes it on a Linux machine of that kind.",
        name.display()
    );
    SessionError::new(ErrorKind::Failed, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_chooses_by_its_architecture_and_nothing_else() {
        let files = SupervisorFiles::Folder("/opt/mizzen".into());
        for (arch, file) in [
            ("amd64", "/opt/mizzen/mizzen-supervisor-linux-amd64"),
            ("arm64", "/opt/mizzen/mizzen-supervisor-linux-arm64"),
            (
                "../../etc/passwd",
                "/opt/mizzen/mizzen-supervisor-linux-etcpasswd",
            ),
        ] {
            assert_eq!(files.for_arch(arch), Path::new(file));
        }
        let one = SupervisorFiles::One("/x".into());
        assert_eq!(one.for_arch("arm64"), Path::new("/x"));
    }
}
