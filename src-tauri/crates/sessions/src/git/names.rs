//! Names of refs and objects. Those from a container are checked before anything is built from them.

use mizzen_status::sanitise;

use crate::name::SessionName;

/// Where refs of sessions lie.
const OURS: &str = "refs/mizzen/";
/// Longest name of a branch that is taken, in bytes.
const BRANCH_MAX: usize = 200;

/// The branch that a session works on.
pub(super) fn branch(session: &SessionName) -> String {
    format!("mizzen/{}", component(session))
}

/// Where a session's branch is kept on the host.
pub(super) fn kept(session: &SessionName, branch: &str) -> String {
    format!("{OURS}{}/{branch}", component(session))
}

/// Where all of a session's are.
pub(super) fn all_kept(session: &SessionName) -> String {
    format!("{OURS}{}/", component(session))
}

/// Where the tip is kept that a rewritten branch had.
pub(super) fn rescued(session: &SessionName, at: jiff::Timestamp, branch: &str) -> String {
    let at = at.strftime("%Y%m%dT%H%M%S.%3fZ");
    format!("{OURS}rescue/{}/{at}/{branch}", component(session))
}

/// A session's name as a part of a ref: no two are the same, and none is `rescue`.
fn component(session: &SessionName) -> String {
    let name = session.as_str();
    if name.eq_ignore_ascii_case("rescue") {
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
    let is_short = branch.len() <= BRANCH_MAX;
    let is_plain = sanitise(branch, BRANCH_MAX) == branch && !branch.contains('\n');
    let starts_well = !branch.split('/').any(|part| part.starts_with('-'));
    (is_short && is_plain && starts_well && is_ref(name)).then_some(branch)
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
    use super::{all_kept, branch, is_object, kept, rescued, taken_branch};
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
        ] {
            assert_eq!(all_kept(&session(name)), place);
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
