//! Finds the core, or starts one in the background.

use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

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

/// Connects to the running core, or starts one.
pub(crate) async fn client(dirs: &Dirs) -> Result<Client, Failure> {
    match Client::connect(dirs).await {
        Ok(client) => return Ok(client),
        Err(ConnectError::NoCore) => {}
        Err(error) => return Err(Failure::Api(error.into())),
    }
    match start_in_background()? {
        Started::Ready => Ok(Client::connect(dirs).await.map_err(ApiError::from)?),
        Started::AlreadyRuns => patiently(dirs).await,
        Started::Failed(error) => Err(Failure::Api(error)),
    }
}

/// Another core holds the lock and is about to listen, or about to end.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(20);

async fn patiently(dirs: &Dirs) -> Result<Client, Failure> {
    let connect = async {
        loop {
            match Client::connect(dirs).await {
                Err(ConnectError::NoCore) => tokio::time::sleep(RETRY).await,
                other => return other,
            }
        }
    };
    let connected = tokio::time::timeout(PATIENCE, connect).await;
    Ok(connected
        .unwrap_or(Err(ConnectError::NoCore))
        .map_err(ApiError::from)?)
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
