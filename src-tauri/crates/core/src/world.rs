//! What a core takes from the process around it, gathered in one place so that tests can give another.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use mizzen_sessions::StepHook;

use crate::dirs::{Dirs, DirsError};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// Looks up an environment variable.
pub type Env = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// What a core needs of the world.
#[derive(Clone)]
pub struct CoreConfig {
    /// Its directories.
    pub dirs: Dirs,
    /// Wall clock.
    pub clock: Clock,
    /// Environment: `DOCKER_HOST`, `MIZZEN_SUPERVISOR`, `DISPLAY` and their kin.
    pub env: Env,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// Where this program and those shipped with it lie.
    pub program_dir: Option<PathBuf>,
    /// Hears of each step of work on a session; a test kills the core there.
    pub at_step: Option<StepHook>,
}

impl CoreConfig {
    /// Takes the world as this process finds it.
    ///
    /// # Errors
    /// When the user has no home directory, or `MIZZEN_HOME` is relative.
    pub fn of_this_process() -> Result<Self, DirsError> {
        let program = env::current_exe().ok();
        Ok(Self {
            dirs: Dirs::from_env(|name| env::var_os(name))?,
            clock: Arc::new(jiff::Timestamp::now),
            env: Arc::new(|name| env::var_os(name)),
            home: env::home_dir(),
            program_dir: program.and_then(|path| Some(path.parent()?.to_owned())),
            at_step: None,
        })
    }

    /// A variable that is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<OsString> {
        (self.env)(name).filter(|value| !value.is_empty())
    }
}
