//! Names of refs and objects. Those from a container are checked before anything is built from them.

use mizzen_status::sanitise;

use crate::name::SessionName;

/// Where refs of sessions lie.
const OURS: &str = "refs/mizzen/";
/// Longest name of a branch or tag that is taken, in bytes.
const NAME_MAX: usize = 200;
/// Sessions of these names would meet what lies beside the branches of all.
const TAKEN: [&str; 2] = ["rescue", "other"];

/// The branch that a session works on.
pub(super) fn branch(session: &SessionName) -> String {
    format!("mizzen/{}", component(session))
}

/// Where a session's branch is kept on the host.
pub(super) fn kept(session: &SessionName, branch: &str) -> String {
    format!("{OURS}{}/{branch}", component(session))
}

/// Where all of a session's are: its branches, and what else it had.
pub(super) fn all_kept(session: &SessionName) -> [String; 2] {
    let session = component(session);
    [
        format!("{OURS}{session}/"),
        format!("{OURS}other/{session}/"),
    ]
}

/// What a container says that it has, and where that is kept on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: String,
    /// Without the place of all of the session's.
    pub(super) short: String,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Branch,
    /// A tag, a note, or whatever else has a name.
    Named,
    /// A stash, or a commit that a worktree is on: it is kept under its object's name, so that no other takes its place.
    Nameless,
}

/// Where something is kept that a container names; none when it is no name.
pub(super) fn target(session: &SessionName, said: &str, object: &str) -> Option<Target> {
    if let Some(branch) = taken_branch(said) {
        return Some(Target {
            name: kept(session, branch),
            short: branch.to_owned(),
            what: What::Branch,
        });
    }
    let (short, what) = match said {
        "HEAD" => (format!("head/{object}"), What::Nameless),
        "refs/stash" => (format!("stash/{object}"), What::Nameless),
        _ => (taken_other(said)?.to_owned(), What::Named),
    };
    let [_, others] = all_kept(session);
    Some(Target {
        name: format!("{others}{short}"),
        short,
        what,
    })
}

/// Where the tip is kept that a rewritten branch had.
pub(super) fn rescued(session: &SessionName, at: jiff::Timestamp, branch: &str) -> String {
    let at = at.strftime("%Y%m%dT%H%M%S.%3fZ");
    format!("{OURS}rescue/{}/{at}/{branch}", component(session))
}

/// A session's name as a part of a ref: no two are the same, and none is one of ours.
fn component(session: &SessionName) -> String {
    let name = session.as_str();
    if TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken)) {
        return format!("%{name}");
    }
    match is_ref(&format!("x/{name}")) {
        true => name.to_owned(),
        false => name.replace('.', "%2E"),
    }
}

/// The branch of a ref that a container names; none when it is not taken.
pub(super) fn taken_branch(name: &str) -> Option<&str> {
    let branch = name.strip_prefix("refs/heads/")?;
    (is_taken(branch) && is_ref(name)).then_some(branch)
}

/// The same of any other ref, without `refs/`.
fn taken_other(name: &str) -> Option<&str> {
    let other = name.strip_prefix("refs/")?;
    let is_branch = other.starts_with("heads/");
    (!is_branch && is_taken(other) && is_ref(name)).then_some(other)
}

/// Whether a name is one that people read and programs take for a name.
fn is_taken(name: &str) -> bool {
    let is_short = name.len() <= NAME_MAX;
    let is_plain = sanitise(name, NAME_MAX) == name && !name.contains('\n');
    is_short && is_plain && !name.split('/').any(|part| part.starts_with('-'))
}

/// Whether a text can be the whole name of a ref, as `git check-ref-format` has it.
pub(super) fn is_ref(name: &str) -> bool {
    let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name.contains('/')
        && !name.contains(bad)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name.split('/').all(part)
}

/// Whether a text names an object.
pub(super) fn is_object(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    matches!(text.len(), 40 | 64) && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::{What, all_kept, branch, is_object, kept, rescued, taken_branch, target};
    use crate::name::SessionName;

    fn session(name: &str) -> SessionName {
        SessionName::parse(name).unwrap()
    }

    #[test]
    fn every_session_has_a_place_of_its_own() {
        assert_eq!(branch(&session("web")), "mizzen/web");
        assert_eq!(kept(&session("web"), "a/b"), "refs/mizzen/web/a/b");
        let at = "2026-01-02T03:04:05.678Z".parse().unwrap();
        assert_eq!(
            rescued(&session("web"), at, "a"),
            "refs/mizzen/rescue/web/20260102T030405.678Z/a"
        );
        for (name, place) in [
            ("a..b", "refs/mizzen/a%2E%2Eb/"),
            ("a.lock", "refs/mizzen/a%2Elock/"),
            ("v1.2", "refs/mizzen/v1.2/"),
            ("Rescue", "refs/mizzen/%Rescue/"),
            ("other", "refs/mizzen/%other/"),
        ] {
            assert_eq!(all_kept(&session(name))[0], place);
        }
    }

    #[test]
    fn what_is_no_branch_lies_beside_the_branches_of_all_sessions() {
        let (web, object) = (session("web"), "0a".repeat(20));
        for (said, expected, what) in [
            (
                "refs/heads/a/b",
                "refs/mizzen/web/a/b".to_owned(),
                What::Branch,
            ),
            (
                "refs/tags/v1",
                "refs/mizzen/other/web/tags/v1".to_owned(),
                What::Named,
            ),
            (
                "refs/mizzen/x",
                "refs/mizzen/other/web/mizzen/x".to_owned(),
                What::Named,
            ),
            (
                "HEAD",
                format!("refs/mizzen/other/web/head/{object}"),
                What::Nameless,
            ),
            (
                "refs/stash",
                format!("refs/mizzen/other/web/stash/{object}"),
                What::Nameless,
            ),
        ] {
            let target = target(&web, said, &object).unwrap();
            assert_eq!((target.name, target.what), (expected, what), "{said}");
        }
        for said in [
            "",
            "refs",
            "refs/",
            "main",
            "stash",
            "refs/heads/-x",
            "refs/heads/",
            "refs/tags/-x",
            "refs/tags/a b",
        ] {
            assert_eq!(target(&web, said, &object), None, "{said:?}");
        }
    }

    #[test]
    fn a_container_names_branches_and_nothing_else() {
        for name in [
            "refs/heads/main",
            "refs/heads/feature/ü-1",
            "refs/heads/a.b",
        ] {
            assert_eq!(
                taken_branch(name),
                name.strip_prefix("refs/heads/"),
                "{name}"
            );
        }
        let long = format!("refs/heads/{}", "x".repeat(201));
        for name in [
            "refs/tags/v1",
            "refs/mizzen/other/main",
            "HEAD",
            "refs/heads/",
            "refs/heads/../mizzen/x",
            "refs/heads/a..b",
            "refs/heads//a",
            "refs/heads/a/",
            "refs/heads/.a",
            "refs/heads/a.lock",
            "refs/heads/a.lock/b",
            "refs/heads/a b",
            "refs/heads/a\nupdate refs/heads/main",
            "refs/heads/a\0b",
            "refs/heads/-x",
            "refs/heads/a/--upload-pack=x",
            "refs/heads/a@{1}",
            "refs/heads/a^",
            "refs/heads/a:b",
            "refs/heads/a.",
            "refs/heads/\u{202e}niam",
            "refs/heads/\u{1b}[31m",
            long.as_str(),
        ] {
            assert_eq!(taken_branch(name), None, "{name:?}");
        }
    }

    #[test]
    fn an_object_is_named_by_its_digest() {
        assert!(is_object(&"0a".repeat(20)) && is_object(&"0a".repeat(32)));
        for text in ["", "HEAD", "--all", "-"] {
            assert!(!is_object(text), "{text}");
        }
        assert!(!is_object(&"0A".repeat(20)) && !is_object(&"0a".repeat(21)));
    }
}
