//! Address of an engine behind ssh: `ssh://[user@]host[:port][/path/of/the/socket]`.
//!
//! Invariant: no part of it can be an option of ssh's, or more than one word to the far shell.

use std::fmt;

/// A machine that is reached by ssh, and where its engine listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SshAddress {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    socket: Option<String>,
}

impl SshAddress {
    /// Reads what follows `ssh://`; an error says what is wrong with it.
    pub(crate) fn parse(rest: &str) -> Result<Self, &'static str> {
        if rest.contains(['?', '#']) {
            return Err("an ssh address has no query");
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self {
            user: user.map(checked_user).transpose()?,
            host: host.to_owned(),
            port,
            socket: checked_socket(path)?,
        })
    }

    /// Name or address of the machine, or a `Host` of the user's own ssh configuration.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Who to be there; without one, ssh knows.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Port of the ssh server; without one, ssh knows.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Path of the engine's socket there; without one, the far `docker` knows.
    #[must_use]
    pub fn socket(&self) -> Option<&str> {
        self.socket.as_deref()
    }
}

impl fmt::Display for SshAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        let socket = self.socket.as_deref().unwrap_or_default();
        f.write_str(&socket.replace('%', "%25").replace(' ', "%20"))
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, after, more) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or("its host has no end")?;
            (host, after, ":%")
        }
        None => {
            let (host, after) = place.split_at(place.find(':').unwrap_or(place.len()));
            (host, after, "")
        }
    };
    let port = match after.strip_prefix(':') {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)),
        None if after.is_empty() => None,
        None => Some(None),
    };
    let named = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c) || more.contains(c);
    if host.is_empty() || host.starts_with('-') || !host.chars().all(named) {
        return Err("its host is no name of a machine");
    }
    match port {
        Some(None) => Err("its port is no number from 1 to 65535"),
        port => Ok((host, port.flatten())),
    }
}

fn checked_user(user: &str) -> Result<String, &'static str> {
    if user.contains(':') {
        return Err("an ssh address carries no password: use a key");
    }
    let named = |c: char| c.is_ascii_alphanumeric() || "._-+@\\".contains(c);
    if user.is_empty() || user.starts_with('-') || !user.chars().all(named) {
        return Err("its user is no name of a user");
    }
    Ok(user.to_owned())
}

/// No path, and the path of the root, mean the far engine's own socket.
fn checked_socket(path: &str) -> Result<Option<String>, &'static str> {
    let path = percent_decoded(path).ok_or("its path is not written in UTF-8")?;
    // Nothing that a shell understands: it is quoted as well, and two locks hold better.
    let plain = |c: char| c.is_alphanumeric() || " /._-+@:~=,%".contains(c);
    if !path.chars().all(plain) {
        return Err("its path is no plain path of a socket");
    }
    Ok(Some(path).filter(|path| path.len() > 1))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match tail.get(..2) {
            Some(digits) if *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit) => {
                bytes.push(code(digits)?);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, user, host, port, socket) in [
            ("box", None, "box", None, None),
            ("me@box:2222", Some("me"), "box", Some(2222), None),
            ("me@dom@box", Some("me@dom"), "box", None, None),
            ("[fe80::1%eth0]:22", None, "fe80::1%eth0", Some(22), None),
            (
                "my_box/run/user/1000/docker.sock",
                None,
                "my_box",
                None,
                Some("/run/user/1000/docker.sock"),
            ),
            ("box/a%20b%25", None, "box", None, Some("/a b%")),
        ] {
            let read = SshAddress::parse(text).expect(text);
            assert_eq!(
                (read.user(), read.host(), read.port(), read.socket()),
                (user, host, port, socket),
                "{text}"
            );
            assert_eq!(read.to_string(), format!("ssh://{text}"));
        }
        assert_eq!(SshAddress::parse("box/"), SshAddress::parse("box"));
    }

    #[test]
    fn row_51_what_could_be_more_than_a_place_is_refused() {
        for (text, says) in [
            ("-oProxyCommand=x", "host"),
            ("me@-oProxyCommand=x", "host"),
            ("-l@box", "user"),
            ("u:p@h", "password"),
            (":@h", "password"),
            ("h/s;id", "path"),
            ("h/s$(id)", "path"),
            ("h/s'x", "path"),
            ("h/s%27x", "path"),
            ("h/s%0aid", "path"),
            ("h/s\\x", "path"),
            ("h/%ff", "path"),
            ("h?x=y", "query"),
            ("h/s?x", "query"),
            ("h#x", "query"),
            ("", "host"),
            ("@h", "user"),
            ("h h", "host"),
            ("h\tx", "host"),
            ("h%0a", "host"),
            ("u u@h", "user"),
            ("u\n@h", "user"),
            ("$(id)@h", "user"),
            ("h:0", "port"),
            ("h:x", "port"),
            ("h:99999", "port"),
            ("[::1]x", "port"),
            ("[::1", "host"),
        ] {
            let refused = SshAddress::parse(text).expect_err(text);
            assert!(refused.contains(says), "{text}: {refused}");
        }
    }
}
