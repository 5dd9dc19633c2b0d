//! Hosts: `<label>.localhost:PORT` and `<port>--<label>.localhost:PORT`, to and from a service of a session.

use std::fmt;
use std::num::NonZeroU16;

use sha2::{Digest, Sha256};

const SUFFIX: &str = ".localhost";
/// Leaves room for `65535--` within a DNS label of 63.
const LABEL_MAX: usize = 56;
/// Marks a label that does not spell its session's name.
const ENCODED: &str = "s--";
const HASH_DIGITS: usize = 12;

/// Which service of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The editor.
    CodeServer,
    /// A server that listens on this port in the container.
    Port(NonZeroU16),
}

/// A host of ours, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    /// Says which session; in lower case.
    pub(crate) label: String,
    pub(crate) target: Target,
}

impl Address {
    /// The address of a session's service.
    pub(crate) fn new(session: &str, target: Target) -> Self {
        Self {
            label: host_label(session),
            target,
        }
    }

    /// Takes a `Host` header apart; none unless it is of our form and on our port.
    pub(crate) fn parse(host: &str, port: u16) -> Option<Self> {
        let (name, said) = match host.rsplit_once(':') {
            Some((name, digits)) => (name, parse_port(digits)?.get()),
            None => (host, 80),
        };
        let name = name.to_ascii_lowercase();
        let first = name.strip_suffix(SUFFIX)?;
        (said == port).then(|| Self::of_label(first)).flatten()
    }

    fn of_label(first: &str) -> Option<Self> {
        let (target, label) = match first.split_once("--") {
            Some((digits, rest)) if is_digits(digits) => (Target::Port(parse_port(digits)?), rest),
            _ => (Target::CodeServer, first),
        };
        is_label(label).then(|| Self {
            label: label.to_owned(),
            target,
        })
    }

    /// The `Host` header that a browser sends for this address.
    pub(crate) fn authority(&self, port: u16) -> String {
        // Known here: browsers leave out the default port.
        if port == 80 {
            self.to_string()
        } else {
            format!("{self}:{port}")
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            Target::CodeServer => write!(f, "{}{SUFFIX}", self.label),
            Target::Port(port) => write!(f, "{port}--{}{SUFFIX}", self.label),
        }
    }
}

/// Names a session in a host: its name in lower case where that works in a browser, else a readable part and a hash.
///
/// Names that cannot stand for themselves: with a dot (`a.b.localhost` would be of the same site as `b.localhost`, so
/// that one session could set cookies for another), with `_`, with `--` (reads as a port or as punycode), and long
/// ones (no room for a port).
#[must_use]
pub fn host_label(session: &str) -> String {
    let name = session.to_ascii_lowercase();
    if is_label(&name) && !name.contains("--") {
        return name;
    }
    let mut words = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' => words.push(c),
            _ if words.ends_with('-') || words.is_empty() => {}
            _ => words.push('-'),
        }
    }
    words.truncate(LABEL_MAX - ENCODED.len() - HASH_DIGITS - 1);
    let mut hash = crate::state::hex(&Sha256::digest(name.as_bytes()));
    hash.truncate(HASH_DIGITS);
    match words.trim_end_matches('-') {
        "" => format!("{ENCODED}{hash}"),
        words => format!("{ENCODED}{words}-{hash}"),
    }
}

/// A DNS label in lower case, short enough to have a port before it.
fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !label.is_empty()
        && label.len() <= LABEL_MAX
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// One spelling per port: no sign, no leading zero.
fn parse_port(digits: &str) -> Option<NonZeroU16> {
    (is_digits(digits) && !digits.starts_with('0'))
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
