//! Finds the core, or starts one in the background.

use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mizzen_core::verb::{ApiError, ErrorCode};
use mizzen_core::{Client, ConnectError, CoreConfig, Dirs, DirsError};
use serde::{Deserialize, Serialize};

use crate::output::{Failure, failed};

/// What the background core says to the command that started it, on one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Started {
    /// It listens.
    Ready,
    /// Another one was faster.
    AlreadyRuns,
    /// It cannot.
    Failed(ApiError),
}

pub(crate) fn world() -> Result<CoreConfig, Failure> {
    CoreConfig::of_this_process().map_err(|error| {
        let hint = match &error {
            DirsError::NoHome | DirsError::Relative(_) => "set it in your shell's profile",
            DirsError::Io { .. } | DirsError::NotPrivate { .. } => "make the folder yours",
        };
        failed(ErrorCode::Usage, error.to_string(), hint)
    })
}

/// How long another core may hold the lock without listening: it is about to listen, or about to end.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(50);

/// Connects to the running core, or starts one.
pub(crate) async fn client(dirs: &Dirs) -> Result<Client, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Client::connect(dirs).await {
            Ok(client) => return Ok(client),
            Err(ConnectError::NoCore) if Instant::now() < deadline => {}
            Err(error) => return Err(Failure::Api(error.into())),
        }
        match start_in_background()? {
            Started::Ready => {}
            // RACE: a core that was killed holds its lock a moment longer than its socket, so a wait for it to
            // listen alone could be in vain.
            Started::AlreadyRuns => tokio::time::sleep(RETRY).await,
            Started::Failed(error) => return Err(Failure::Api(error)),
        }
    }
}

/// Starts `mizzen serve` and waits for its first word.
pub(crate) fn start_in_background() -> Result<Started, Failure> {
    launch().map_err(|error| {
        let hint = "run `mizzen serve --foreground` to see why";
        failed(
            ErrorCode::CoreUnreachable,
            format!("the core cannot be started: {error}"),
            hint,
        )
    })
}

fn launch() -> io::Result<Started> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve", "--foreground", "--detached"])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut word = String::new();
    let stdout = child.stdout.take().expect("BUG: it was piped");
    BufReader::new(stdout).read_line(&mut word)?;
    serde_json::from_str(&word).map_err(|_| io::Error::other("it ended without a word"))
}
