//! The application as a process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use super::process::Group;
use super::{until, until_or};

/// Title of the window.
pub(super) const TITLE: &str = "Mizzen";

/// A running Mizzen; ends with the test.
pub struct App {
    group: Group,
    log: PathBuf,
    stderr: PathBuf,
}

/// The program under test: `MIZZEN_DESKTOP`, else the one built beside this test.
///
/// # Panics
/// When it was not built: cargo builds no other package's programs for a test.
pub(super) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let named = std::env::var_os("MIZZEN_DESKTOP").map(PathBuf::from);
        named.unwrap_or_else(|| crate::rig::program("mizzen-desktop"))
    })
}

impl App {
    pub(super) fn start(mut command: Command, log: PathBuf) -> Self {
        let stderr = log.ancestors().nth(3).expect("a home").join("stderr");
        let file = File::create(&stderr).expect("a file in the test's own folder");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file);
        Self {
            group: Group::start(&mut command),
            log,
            stderr,
        }
    }

    /// Waits until it wrote a line with these words into its log.
    pub fn wait_for_log(&self, words: &str) {
        until_or(
            || format!("`{words}` in the log:\n{}\n{}", self.log(), self.stderr()),
            || self.log().contains(words).then_some(()),
        );
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Its processes: all those of its group.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let group = self.group.id().to_string();
        let listed = Command::new("pgrep").args(["--pgroup", &group]).output();
        let listed = listed.expect("pgrep is part of every system").stdout;
        let ids = String::from_utf8_lossy(&listed);
        ids.lines().filter_map(|id| id.parse().ok()).collect()
    }

    /// Its own process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.group.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        self.group.signal(name);
    }

    /// Waits for its end.
    #[must_use]
    pub fn wait(&mut self) -> ExitStatus {
        until("the application ends", || self.group.ended())
    }

    /// Whether it still runs.
    #[must_use]
    pub fn runs(&mut self) -> bool {
        self.group.ended().is_none()
    }
}
