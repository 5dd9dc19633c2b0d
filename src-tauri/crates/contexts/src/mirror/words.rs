//! What is told of a change.

use super::{Action, Side};
use crate::inventory::Found;

impl Side {
    /// As a person knows it, in the middle of a sentence.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Host => "the host",
            Self::Container => "the container side",
        }
    }
}

/// A change in a sentence; `from` is whose it was.
pub(crate) fn sentence(
    action: Action,
    name: &str,
    from: Side,
    before: Option<&Found>,
    after: Option<&Found>,
) -> String {
    let side = from.words();
    let leads = || match after {
        Some(found) if !found.terms.host.is_empty() => {
            format!(": it leads to {}", address(&found.terms.host))
        }
        _ => String::new(),
    };
    match action {
        Action::Created => format!("`{name}` is new on {side}{}.", leads()),
        Action::Changed => {
            let what = before.zip(after).map(|(old, new)| differences(old, new));
            let what = what.filter(|what| !what.is_empty());
            let what = what.map_or_else(String::new, |what| format!(": {}", what.join("; ")));
            format!("`{name}` was changed on {side}{what}.")
        }
        Action::Deleted => format!("`{name}` was deleted on {side}."),
        Action::Won => format!(
            "`{name}` was changed on both sides: the version of {side} stays, the other one is in the trash."
        ),
        Action::Dropped => format!("`{name}` is on both sides again as {side} has it."),
        Action::Undone => match after {
            Some(_) => format!("`{name}` is on both sides as it was before{}.", leads()),
            None => format!("`{name}` is on neither side again."),
        },
        Action::Restored => format!("`{name}` came out of the trash{}.", leads()),
    }
}

fn differences(old: &Found, new: &Found) -> Vec<String> {
    let mut all = Vec::new();
    let (was, is) = (&old.terms, &new.terms);
    if was.host != is.host {
        all.push(format!(
            "it leads to {} now, not to {}",
            address(&is.host),
            address(&was.host)
        ));
    }
    match (was.skip_tls_verify, is.skip_tls_verify) {
        (false, true) => all.push("whoever answers is believed now".to_owned()),
        (true, false) => all.push("certificates are checked now".to_owned()),
        _ => {}
    }
    if old.payload.tls != new.payload.tls {
        all.push(
            match (old.payload.tls.is_empty(), new.payload.tls.is_empty()) {
                (true, _) => "it has TLS material now".to_owned(),
                (_, true) => "its TLS material is gone".to_owned(),
                _ => "its TLS material is another".to_owned(),
            },
        );
    }
    if all.is_empty() && old.reach != new.reach {
        all.push("its endpoints are others".to_owned());
    }
    all
}

/// An endpoint as it may be shown: what is not plain is escaped, a password left out, a long one cut.
pub(crate) fn address(host: &str) -> String {
    if host.is_empty() {
        return "nothing".to_owned();
    }
    let shown: String = without_password(host)
        .chars()
        .take(200)
        .flat_map(char::escape_default)
        .collect();
    format!("{shown}{}", if host.len() > 200 { "…" } else { "" })
}

fn without_password(host: &str) -> String {
    let Some((scheme, rest)) = host.split_once("://") else {
        return host.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority
        .rsplit_once('@')
        .and_then(|(login, _)| login.split_once(':'))
    {
        Some((user, password)) => {
            let from = user.len() + 1;
            format!("{scheme}://{user}:***{}", &rest[from + password.len()..])
        }
        None => host.to_owned(),
    }
}

/// Whether an address means something on its own machine only; or why nobody can use it.
pub(crate) fn judge(host: &str) -> Result<bool, &'static str> {
    let Some((scheme, rest)) = host.split_once("://") else {
        return if host.is_empty() {
            Ok(true)
        } else {
            Err("it has no scheme such as unix:// or ssh://")
        };
    };
    if rest.is_empty() {
        return Err("it names no place");
    }
    match scheme {
        "unix" | "npipe" => Ok(true),
        "tcp" | "http" | "https" => Ok(false),
        "ssh" => ssh(rest).map(|()| true),
        _ => Err("Docker knows no such scheme"),
    }
}

fn ssh(rest: &str) -> Result<(), &'static str> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, machine) = authority.rsplit_once('@').unwrap_or(("", authority));
    let tame = |text: &str| {
        let tame = |c: char| c.is_ascii_alphanumeric() || "._-:[]/%+~@".contains(c);
        !text.starts_with('-') && text.chars().all(tame)
    };
    if login.contains(':') {
        Err("it has a password in it")
    } else if machine.is_empty() {
        Err("it names no place")
    } else if [login, machine, path].into_iter().all(tame) {
        Ok(())
    } else {
        Err("ssh could take a part of it for an option or a command")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_51_what_nobody_may_dial_is_told() {
        for (host, expected) in [
            ("", Ok(true)),
            ("unix:///var/run/docker.sock", Ok(true)),
            ("ssh://ada@host:22/run/docker.sock", Ok(true)),
            ("tcp://10.0.0.1:2376", Ok(false)),
            (
                "ssh://-oProxyCommand=x",
                Err("ssh could take a part of it for an option or a command"),
            ),
            (
                "ssh://h/s;id",
                Err("ssh could take a part of it for an option or a command"),
            ),
            ("ssh://u:p@h", Err("it has a password in it")),
            ("ssh://", Err("it names no place")),
            ("foo://x", Err("Docker knows no such scheme")),
            (
                "host:2375",
                Err("it has no scheme such as unix:// or ssh://"),
            ),
        ] {
            assert_eq!(judge(host), expected, "{host}");
        }
    }

    #[test]
    fn an_address_is_shown_plainly() {
        assert_eq!(address("ssh://u:secret@h/x"), "ssh://u:***@h/x");
        assert_eq!(
            address("tcp://h\u{1b}[2J\u{202e}"),
            r"tcp://h\u{1b}[2J\u{202e}"
        );
        assert_eq!(address(&"x".repeat(300)), format!("{}…", "x".repeat(200)));
    }
}
