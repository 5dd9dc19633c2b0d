use super::*;
use crate::DockerErrorKind;

fn told(code: i32, said: &str) -> DialFailure {
    let address = SshAddress::parse("me@box").expect("an address");
    let cause = io::Error::from(io::ErrorKind::UnexpectedEof);
    failure(&address, &cause, Some(code), said)
}

#[test]
fn each_cause_has_its_words_and_its_next_step() {
    let changed = "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\r\n";
    let unknown = "No ED25519 host key is known for box and you have requested strict checking.\r\nHost key verification failed.\r\n";
    for (code, said, kind, message, hint) in [
        (
            255,
            changed,
            Denied,
            "another host key",
            "ssh-keygen -R box",
        ),
        (
            255,
            unknown,
            Denied,
            "host key of box is not known",
            "compare the fingerprint",
        ),
        (
            255,
            "me@box: Permission denied (publickey).\r\n",
            Denied,
            "box does not let me in: me@box: Permission denied (publickey).",
            "ssh-copy-id box",
        ),
        (
            255,
            "ssh: Could not resolve hostname box: Name or service not known\r\n",
            Unreachable,
            "no machine is called box",
            "check the name",
        ),
        (
            255,
            "ssh: connect to host box port 22: Connection timed out\r\n",
            Unreachable,
            "box cannot be reached: ssh: connect to host box port 22: Connection timed out",
            "machine is up",
        ),
        (
            255,
            "ssh: connect to host box port 22: No route to host\r\n",
            Unreachable,
            "No route to host",
            "machine is up",
        ),
        (
            127,
            "bash: line 1: docker: command not found\n",
            Unreachable,
            "no `docker` program on box",
            "docker version",
        ),
        (
            1,
            "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: permission denied\n",
            Denied,
            "may not open the engine's socket on box",
            "docker group there",
        ),
        (
            1,
            "failed to open the raw stream connection: dial unix /x: connect: no such file or directory\n",
            Unreachable,
            "no engine listens on box",
            "start it there",
        ),
        (
            1,
            "docker: 'dial-stdio' is not a docker command.\n",
            Unreachable,
            "too old",
            "18.09",
        ),
        (
            1,
            "",
            Unreachable,
            "ended: it said nothing",
            "docker version",
        ),
    ] {
        let told = told(code, said);
        let kind: DockerErrorKind = kind;
        assert_eq!(told.kind, kind, "{told:?}");
        assert!(told.message.contains(message), "{told:?}");
        assert!(told.hint.contains(hint), "{told:?}");
    }
}

#[test]
fn a_far_text_cannot_do_anything_here() {
    let said = format!("\x1b]0;owned\x07\x1b[2J\u{202e}x{}\n", "y".repeat(10_000));
    let told = told(255, &said);
    assert!(
        told.message
            .chars()
            .all(|c| !c.is_control() && c != '\u{202e}'),
        "{told:?}"
    );
    assert!(told.message.len() < 400, "{}", told.message.len());
}

#[test]
fn a_far_shell_that_talks_is_told_from_an_engine() {
    let address = SshAddress::parse("box").expect("an address");
    let cause = io::Error::new(
        io::ErrorKind::InvalidData,
        "what answers there is no Docker engine",
    );
    let told = failure(&address, &cause, None, "");
    assert_eq!(told.message, "box: what answers there is no Docker engine");
    assert!(told.hint.contains("ssh box true"));
}
