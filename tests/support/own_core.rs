//! A core of a test's own, in this process: its own directories, its own gateway, the machine's engine.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use mizzen_core::verb::{UpParams, Verb};
use mizzen_core::view::SessionView;
use mizzen_core::{Client, Core, CoreConfig, Dirs};
use mizzen_sessions::Identity;
use tempfile::TempDir;

use crate::on_engine::OnEngine;

/// Owner of every project folder: nobody on this machine, and never root.
pub const USER: u32 = 4321;

/// A running core and a client of it. What it made on the engine goes with it.
pub struct OwnCore {
    /// Speaks to it as every program does.
    pub client: Client,
    core: Core,
    home: Home,
}

/// What outlives a core; removes all that carries its owner's label when dropped.
pub struct Home {
    folder: PathBuf,
    dirs: Dirs,
    _temporary: Option<TempDir>,
}

impl OwnCore {
    /// Starts a core whose new sessions run `image`.
    ///
    /// # Errors
    /// The core does not start.
    pub async fn start(image: &str) -> Result<Self> {
        Self::start_with(image, "").await
    }

    /// The same with more lines in its settings.
    ///
    /// # Errors
    /// The core does not start.
    pub async fn start_with(image: &str, settings: &str) -> Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = temporary.path().to_owned();
        Self::start_in(folder, Some(temporary), image, settings).await
    }

    /// The same for a person whose home folder this is; `mizzen` in it is their `MIZZEN_HOME`.
    ///
    /// # Errors
    /// The core does not start.
    pub async fn start_for(home: PathBuf, image: &str) -> Result<Self> {
        Self::start_in(home, None, image, "").await
    }

    async fn start_in(
        folder: PathBuf,
        temporary: Option<TempDir>,
        image: &str,
        more: &str,
    ) -> Result<Self> {
        let dirs = Dirs::under(folder.join("mizzen"))?;
        dirs.prepare()?;
        let settings = format!(
            "gateway_port = 28143\nimage = \"{image}\"\nmemory_bytes = {}\n{more}",
            2_u64 << 30
        );
        mizzen_fsx::write_atomic(dirs.settings_file(), settings.as_bytes())?;
        let config = CoreConfig {
            dirs: dirs.clone(),
            clock: Arc::new(jiff::Timestamp::now),
            env: Arc::new(|name| match name {
                "MIZZEN_HOME" => None,
                "MIZZEN_SUPERVISOR" => Some(supervisor().into()),
                _ => std::env::var_os(name),
            }),
            home: Some(folder.clone()),
            program_dir: None,
            at_step: None,
        };
        let core = Core::start(config).await?;
        let client = Client::connect(&dirs).await?;
        Ok(Self {
            client,
            core,
            home: Home {
                folder,
                dirs,
                _temporary: temporary,
            },
        })
    }

    /// Makes a project folder with these files in it, owned by an ordinary user.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn project(&self, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let project = self.home.folder.join("projects").join(name);
        for (file, text) in files {
            let path = project.join(file);
            let folder = path.parent().context("a file in a folder")?;
            std::fs::create_dir_all(folder)?;
            mizzen_fsx::write_atomic_with(&path, text.as_bytes(), 0o644, Some((USER, USER)))?;
            for folder in folder
                .ancestors()
                .take_while(|folder| folder.starts_with(&project))
            {
                chown(folder, Some(USER), Some(USER)).context("engine tests run as root")?;
            }
        }
        Ok(project)
    }

    /// Makes and starts the session of a folder.
    ///
    /// # Errors
    /// It did not come about.
    pub async fn up(&self, folder: &Path, name: &str) -> Result<SessionView> {
        let params = UpParams {
            dir: folder.display().to_string(),
            name: Some(name.to_owned()),
            ..UpParams::default()
        };
        let outcome = self.client.run(Verb::Up(params)).await?;
        outcome.session.context("`up` answers with the session")
    }

    /// Ends the core in order; what it made goes as well.
    pub async fn end(self) {
        drop(self.stop().await);
    }

    /// Ends the core in order; what it made stays as long as its home.
    pub async fn stop(self) -> Home {
        self.core.shut_down().await;
        self.home
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Ok(owner) = Identity::load(&self.dirs.state) else {
            return;
        };
        OnEngine::of(owner.as_str(), None).remove_all();
    }
}

/// Runs the engine's own client: the "outside" of these tests.
///
/// # Errors
/// It is not installed, or fails.
pub fn docker(args: &[&str]) -> Result<String> {
    let ended = Command::new("docker")
        .args(args)
        .output()
        .context("the docker client")?;
    ensure!(
        ended.status.success(),
        "docker {args:?}: {}",
        String::from_utf8_lossy(&ended.stderr)
    );
    Ok(String::from_utf8(ended.stdout)?.trim().to_owned())
}

/// Tag of the image with nothing but a stand-in for code-server.
///
/// # Errors
/// It was not built.
pub fn tiny_image() -> Result<String> {
    noted("tiny")
}

/// Tag of the image that users run.
///
/// # Errors
/// It was not built.
pub fn full_image() -> Result<String> {
    noted("full")
}

/// `cargo xtask image` notes the tag of what it built.
fn noted(image: &str) -> Result<String> {
    let note = target().join(format!("images/{image}.tag"));
    let tag = std::fs::read_to_string(note)
        .with_context(|| format!("run `cargo xtask image {image}`"))?;
    Ok(tag.trim().to_owned())
}

/// The static supervisor of this work tree, for this machine.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn supervisor() -> PathBuf {
    let machine = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let path = target().join(format!("debug/mizzen-supervisor-linux-{machine}"));
    assert!(
        path.is_file(),
        "{} is missing: run `cargo xtask build`",
        path.display()
    );
    path
}

/// Cargo's output folder.
#[must_use]
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}
