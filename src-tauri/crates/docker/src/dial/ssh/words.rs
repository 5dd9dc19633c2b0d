//! Why no engine was reached through ssh, in words.
//!
//! ssh and the far `docker` have no codes for it, so their texts decide between causes that need
//! different next steps. This is the one place where they are read.

use std::io;

use crate::DockerErrorKind::{Denied, Unreachable};
use crate::SshAddress;
use crate::dial::DialFailure;

/// Characters of a far text that are shown.
const SHOWN: usize = 300;

/// Exit code of ssh's own failures.
const OWN_FAILURE: i32 = 255;

/// Exit code of a shell that finds no such program.
const NO_PROGRAM: i32 = 127;

/// Says what went wrong on the way to `address`: how its stream ended, with which code ssh ended, and
/// what was said on its standard error.
pub(super) fn failure(
    address: &SshAddress,
    cause: &io::Error,
    code: Option<i32>,
    said: &str,
) -> DialFailure {
    let host = address.host();
    if cause.kind() == io::ErrorKind::InvalidData {
        return DialFailure::new(
            Unreachable,
            format!("{host}: {cause}"),
            format!("nothing but `docker` may write there: look what this prints: ssh {host} true"),
        );
    }
    let says = |part: &str| said.contains(part);
    match code {
        Some(OWN_FAILURE) => ssh_failed(address, said, says),
        Some(NO_PROGRAM) => DialFailure::new(
            Unreachable,
            format!("there is no `docker` program on {host}"),
            format!(
                "install the Docker CLI there, and check that this finds it: ssh {host} docker version"
            ),
        ),
        _ => docker_failed(address, said, says),
    }
}

fn ssh_failed(address: &SshAddress, said: &str, says: impl Fn(&str) -> bool) -> DialFailure {
    let host = address.host();
    let (kind, message, hint) = if says("IDENTIFICATION HAS CHANGED") {
        (
            Denied,
            format!("{host} shows another host key than the one that is known"),
            format!(
                "somebody else may be answering. If the machine was set up anew, forget its old key and connect once by hand: ssh-keygen -R {host}"
            ),
        )
    } else if says("Host key verification failed") {
        (
            Denied,
            format!("the host key of {host} is not known"),
            format!("connect once by hand and compare the fingerprint: ssh {host}"),
        )
    } else if says("Permission denied") {
        let who = address.user().unwrap_or("you");
        (
            Denied,
            format!("{host} does not let {who} in: {}", last_line(said)),
            format!(
                "give it your public key: ssh-copy-id {host}; a key with a pass phrase has to be in your agent: ssh-add"
            ),
        )
    } else if says("Could not resolve") {
        (
            Unreachable,
            format!("no machine is called {host}"),
            "check the name in the context, and in your ssh configuration".to_owned(),
        )
    } else {
        (
            Unreachable,
            format!("{host} cannot be reached: {}", last_line(said)),
            format!("check that the machine is up and lets you in: ssh {host}"),
        )
    };
    DialFailure::new(kind, message, hint)
}

fn docker_failed(address: &SshAddress, said: &str, says: impl Fn(&str) -> bool) -> DialFailure {
    let host = address.host();
    let (kind, message, hint) = if says("permission denied") {
        (
            Denied,
            format!("you may not open the engine's socket on {host}"),
            "join the docker group there: sudo usermod -aG docker $USER".to_owned(),
        )
    } else if says("no such file or directory") || says("connection refused") {
        (
            Unreachable,
            format!("no engine listens on {host}: {}", last_line(said)),
            "start it there: sudo systemctl start docker; or name its socket: ssh://HOST/PATH"
                .to_owned(),
        )
    } else if says("is not a docker command") || says("unknown command") {
        (
            Unreachable,
            format!("the `docker` program on {host} is too old"),
            "install Docker 18.09 or newer there".to_owned(),
        )
    } else {
        (
            Unreachable,
            format!("`docker` on {host} ended: {}", last_line(said)),
            format!("look what this says: ssh {host} docker version"),
        )
    };
    DialFailure::new(kind, message, hint)
}

/// The last line, with nothing in it that a terminal or a window would obey.
fn last_line(said: &str) -> String {
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut lines = said.lines().rev().map(str::trim);
    let line = lines.find(|line| !line.is_empty());
    let line: String = line
        .unwrap_or_default()
        .chars()
        .filter(harmless)
        .take(SHOWN)
        .collect();
    if line.is_empty() {
        "it said nothing".to_owned()
    } else {
        line
    }
}

#[cfg(test)]
mod tests;
