//! A byte stream to a far engine through the system's own ssh, as the Docker CLI makes it: the far
//! `docker system dial-stdio` joins its standard streams to the engine's socket.
//!
//! Invariant: ssh never asks anybody anything, and never believes a host that the user does not know.
//! Invariant: the process ends with its stream, and one connection carries all streams of an engine.

mod command;
mod masters;
mod stream;
mod words;

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::{Conn, DialFailure, proof};
use crate::{DockerErrorKind, SshAddress};

pub(crate) use masters::Masters;
use stream::SshStream;

/// How the system's ssh is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshClient {
    /// The program.
    pub program: PathBuf,
    /// A private folder with a short path for the sockets of shared connections; without one, every
    /// stream is a connection of its own.
    pub control_folder: Option<PathBuf>,
}

impl Default for SshClient {
    fn default() -> Self {
        Self {
            program: "ssh".into(),
            control_folder: None,
        }
    }
}

/// What ssh says that is kept for words.
const SAID_CAP: u64 = 16 * 1024;

/// How long a process whose streams have ended may take to end itself.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Opens a stream to the engine there and proves that it answers.
pub(super) async fn open(masters: &Masters, address: &SshAddress) -> io::Result<Conn> {
    let alone = masters.first_alone(address).await;
    let mut child = start(masters, address)?;
    let errors = child.stderr.take().expect("BUG: stderr is piped");
    let mut errors = errors.take(SAID_CAP);
    let mut said = Vec::new();
    let mut stream = SshStream::of(&mut child);
    let proven = tokio::select! {
        proven = proof::prove(&mut stream) => proven,
        never = collect(&mut errors, &mut said) => match never {},
        never = masters.let_others_in(address, alone) => match never {},
    };
    let Err(error) = proven else {
        return Ok(Box::new(stream.keeping(child, errors.into_inner())));
    };
    // The streams have ended, or what comes out of them is no engine's: the process has nothing left to do.
    drop(stream);
    let last_words = async {
        let ended = child.wait();
        let (ended, _) = tokio::join!(ended, errors.read_to_end(&mut said));
        ended
    };
    let status = tokio::time::timeout(LAST_WORDS, last_words).await;
    let code = status.ok().and_then(Result::ok).and_then(|s| s.code());
    let said = String::from_utf8_lossy(&said);
    Err(words::failure(address, &error, code, &said).into())
}

fn start(masters: &Masters, address: &SshAddress) -> io::Result<Child> {
    let mut command = Command::new(masters.program());
    command
        .args(command::arguments(
            address,
            masters.control(address).as_deref(),
        ))
        .env("SSH_ASKPASS_REQUIRE", "never")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C in a terminal is for us to hear: what is under way then still needs its engine.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(|error| {
        let program = masters.program().display();
        DialFailure::new(
            DockerErrorKind::Unreachable,
            format!("`{program}` cannot be started: {error}"),
            "install OpenSSH's client, which engines behind ssh are reached with",
        )
        .into()
    })
}

/// Reads to the end, and then waits for ever: how a dial ends is told by its streams.
async fn collect(
    errors: &mut (impl AsyncRead + Unpin),
    said: &mut Vec<u8>,
) -> std::convert::Infallible {
    // Whatever stops the reading, what was said so far is kept.
    errors.read_to_end(said).await.ok();
    std::future::pending().await
}
