//! The command line of ssh.

use std::ffi::OsString;
use std::path::Path;

use crate::SshAddress;

/// What every connection is made with. The user's own configuration says the rest: keys, agents,
/// jumps, names.
const ALWAYS: [&str; 11] = [
    // Nobody is there to answer, and a host that is not known is not believed.
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    // A cut that nobody tells of is noticed.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    // What a configuration adds for people at a terminal.
    "RemoteCommand=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    // Errors are read; greetings are not.
    "LogLevel=ERROR",
];

/// Seconds that a shared connection stays when no stream uses it: for who has killed us.
const PERSIST: &str = "ControlPersist=10";

/// Joins a stream to the engine; with `control`, over a connection that others share.
pub(super) fn arguments(address: &SshAddress, control: Option<&Path>) -> Vec<OsString> {
    let mut arguments = vec!["-T".into()];
    for option in ALWAYS {
        push_option(&mut arguments, option);
    }
    match control {
        Some(path) => {
            push_option(&mut arguments, "ControlMaster=auto");
            push_option(&mut arguments, PERSIST);
            push_option(&mut arguments, control_path(path));
        }
        None => push_option(&mut arguments, "ControlPath=none"),
    }
    push_place(&mut arguments, address);
    arguments.push(far_command(address).into());
    arguments
}

/// Ends a shared connection.
pub(super) fn end_arguments(address: &SshAddress, control: &Path) -> Vec<OsString> {
    let mut arguments = vec!["-O".into(), "exit".into()];
    push_option(&mut arguments, control_path(control));
    push_place(&mut arguments, address);
    arguments
}

fn push_option(arguments: &mut Vec<OsString>, option: impl Into<OsString>) {
    arguments.extend(["-o".into(), option.into()]);
}

/// `%` begins a token of ssh's own.
fn control_path(path: &Path) -> OsString {
    let mut option = OsString::from("ControlPath=");
    match path.to_str() {
        Some(text) => option.push(text.replace('%', "%%")),
        None => option.push(path),
    }
    option
}

fn push_place(arguments: &mut Vec<OsString>, address: &SshAddress) {
    if let Some(user) = address.user() {
        arguments.extend(["-l".into(), user.into()]);
    }
    if let Some(port) = address.port() {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    arguments.extend(["--".into(), address.host().into()]);
}

/// One word to us, a line to the far shell. The address holds no quotation marks.
fn far_command(address: &SshAddress) -> String {
    match address.socket() {
        Some(path) => format!("docker '--host=unix://{path}' system dial-stdio"),
        None => "docker system dial-stdio".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(address: &str, control: Option<&str>) -> String {
        let address = SshAddress::parse(address).expect(address);
        let words = arguments(&address, control.map(Path::new));
        let words = words.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn nobody_is_asked_and_nobody_unknown_is_believed() {
        let line = line("box", None);
        for option in [
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            "ConnectTimeout=10",
        ] {
            assert!(line.contains(&format!("|-o|{option}|")), "{line}");
        }
        assert!(line.ends_with("|-o|ControlPath=none|--|box|docker system dial-stdio"));
    }

    #[test]
    fn the_place_is_the_last_word_before_the_far_command() {
        let line = line("me@box:22/a b", Some("/run/1%/c"));
        let end = "|-o|ControlMaster=auto|-o|ControlPersist=10|-o|ControlPath=/run/1%%/c\
                   |-l|me|-p|22|--|box|docker '--host=unix:///a b' system dial-stdio";
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn a_shared_connection_is_ended_by_its_socket() {
        let address = SshAddress::parse("me@box").expect("an address");
        let words = end_arguments(&address, Path::new("/c"));
        let expected = [
            "-O",
            "exit",
            "-o",
            "ControlPath=/c",
            "-l",
            "me",
            "--",
            "box",
        ];
        assert_eq!(words, expected);
    }
}
