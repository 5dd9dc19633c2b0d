//! What can go wrong with an engine, and what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::dial::DialFailure;
use crate::transport::from_legacy;

/// What kind of failure it was; callers branch on this and never on text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DockerErrorKind {
    /// No engine answers, or the connection broke.
    Unreachable,
    /// The engine did not answer in time.
    TimedOut,
    /// No such container, network, volume or path.
    NotFound,
    /// No such image.
    ImageMissing,
    /// The state of the thing forbids it.
    Conflict,
    /// Another thing has this name.
    NameTaken,
    /// Another program listens on this port.
    PortTaken,
    /// A folder to mount is not there, for the engine.
    MountMissing,
    /// The socket may not be opened by this user, or the engine refuses.
    Denied,
    /// The engine calls the request wrong.
    BadRequest,
    /// The engine's disk is full.
    NoSpace,
    /// The engine has no addresses left for another network.
    NoAddresses,
    /// The engine failed, or its answer makes no sense.
    Server,
}

/// A call that failed: what was tried, why it failed and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerError {
    /// What was tried: "start the container".
    pub op: &'static str,
    /// What kind of failure.
    pub kind: DockerErrorKind,
    /// Why, in words.
    pub message: String,
    hint: Cow<'static, str>,
}

impl std::error::Error for DockerError {}

impl fmt::Display for DockerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.op, self.message)
    }
}

impl DockerError {
    /// The next step for a person.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    pub(crate) fn new(op: &'static str, kind: DockerErrorKind, message: impl Into<String>) -> Self {
        Self {
            op,
            kind,
            message: message.into(),
            hint: hint_of(kind).into(),
        }
    }

    pub(crate) fn timed_out(op: &'static str, limit: Duration) -> Self {
        let message = format!("the engine did not answer within {} s", limit.as_secs());
        Self::new(op, DockerErrorKind::TimedOut, message)
    }

    pub(crate) fn bad_request(op: &'static str, message: impl Into<String>) -> Self {
        Self::new(op, DockerErrorKind::BadRequest, message)
    }

    pub(crate) fn server(op: &'static str, message: impl Into<String>) -> Self {
        Self::new(op, DockerErrorKind::Server, message)
    }

    /// A connection that was there and broke, or on which no HTTP is spoken.
    pub(crate) fn broken(op: &'static str, cause: &dyn std::error::Error) -> Self {
        let message = format!("the connection to the engine broke: {}", root_cause(cause));
        Self::new(op, DockerErrorKind::Unreachable, message)
    }

    /// A connection that could not be made.
    pub(crate) fn no_connection(op: &'static str, cause: &io::Error) -> Self {
        use DockerErrorKind::{Denied, Unreachable};
        if let Some(failure) = DialFailure::of(cause) {
            return Self {
                op,
                kind: failure.kind,
                message: failure.message.clone(),
                hint: failure.hint.clone().into(),
            };
        }
        let (kind, message, hint) = match cause.kind() {
            io::ErrorKind::NotFound => (
                Unreachable,
                "the engine's socket does not exist".to_owned(),
                "install Docker, or start it: sudo systemctl start docker",
            ),
            io::ErrorKind::ConnectionRefused => (
                Unreachable,
                "nothing listens on the engine's address".to_owned(),
                "start the engine: sudo systemctl start docker",
            ),
            io::ErrorKind::PermissionDenied => (
                Denied,
                "this user may not open the engine's socket".to_owned(),
                "join the docker group and log in again: sudo usermod -aG docker $USER",
            ),
            _ => (
                Unreachable,
                format!("no connection to the engine: {cause}"),
                UNREACHABLE_HINT,
            ),
        };
        Self {
            op,
            kind,
            message,
            hint: hint.into(),
        }
    }

    /// An answer with an error status.
    pub(crate) fn from_status(op: &'static str, status: u16, text: &str) -> Self {
        let message = if text.is_empty() {
            format!("the engine answered with status {status}")
        } else {
            text.chars().take(MESSAGE_CAP).collect()
        };
        Self::new(op, kind_of_status(status, text), message)
    }

    pub(crate) fn from_bollard(op: &'static str, error: &bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => Self::from_status(op, *status_code, message),
            Error::HyperLegacyError { err } => from_legacy(op, err),
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => {
                Self::server(op, format!("the engine's answer makes no sense: {error}"))
            }
            Error::HttpClientError { .. } | Error::URLParseError { .. } => {
                Self::bad_request(op, error.to_string())
            }
            _ => Self::broken(op, error),
        }
    }
}

/// Characters of an engine's own message that are kept.
const MESSAGE_CAP: usize = 2000;

const UNREACHABLE_HINT: &str = "check that Docker runs: docker info";

/// Sorts an error answer.
///
/// The engine has no codes finer than the HTTP status, so its wording decides between causes that
/// need different next steps. This is the one place where such text is read.
fn kind_of_status(status: u16, text: &str) -> DockerErrorKind {
    use DockerErrorKind as Kind;
    let text = text.to_ascii_lowercase();
    let says = |part: &str| text.contains(part);
    if says("no space left on device") {
        return Kind::NoSpace;
    }
    if says("non-overlapping ipv4 address pool") || says("address pools have been fully subnetted")
    {
        return Kind::NoAddresses;
    }
    if says("port is already allocated") || says("address already in use") {
        return Kind::PortTaken;
    }
    if says("bind source path does not exist") {
        return Kind::MountMissing;
    }
    match status {
        404 if says("no such image") => Kind::ImageMissing,
        404 => Kind::NotFound,
        409 if says("is already in use by container") || says("already exists") => Kind::NameTaken,
        409 => Kind::Conflict,
        401 | 403 => Kind::Denied,
        400 | 405 | 406 | 411 | 413 | 415 | 422 => Kind::BadRequest,
        _ => Kind::Server,
    }
}

fn hint_of(kind: DockerErrorKind) -> &'static str {
    use DockerErrorKind as Kind;
    match kind {
        Kind::Unreachable => UNREACHABLE_HINT,
        Kind::TimedOut => "the engine is overloaded or hangs: look at its log, or restart it",
        Kind::NotFound => "it was removed elsewhere: refresh and try again",
        Kind::ImageMissing => "build the image first: mizzen image build",
        Kind::Conflict => "wait until the change under way is over, then try again",
        Kind::NameTaken => "choose another name, or remove what has it: docker ps -a",
        Kind::PortTaken => "choose another port, or stop the program that listens on it",
        Kind::MountMissing => "check that the folder exists on the engine's own machine",
        Kind::Denied => "ask the engine's administrator for access",
        Kind::BadRequest => "check the settings named in the message",
        Kind::NoSpace => "free space on the engine's disk: docker system df, docker system prune",
        Kind::NoAddresses => "remove networks that nothing uses: docker network prune",
        Kind::Server => "look at the engine's log: journalctl -u docker",
    }
}

/// Last link of a chain of causes: the one that says what happened.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

#[cfg(test)]
mod tests;
