use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use mizzen_docker::Endpoint;
use mizzen_wire::{DirectLine, Token};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::offer;
use crate::folder::FolderUser;

const NAME: &str = "direct-line.sock";

/// A status directory.
struct Status(TempDir);

impl Status {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn socket(&self) -> PathBuf {
        self.0.path().join(NAME)
    }

    fn offer(&self) -> Option<DirectLine> {
        offer_in(self.0.path())
    }

    fn entries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn offer_in(dir: &Path) -> Option<DirectLine> {
    let engine = Endpoint::Unix("/var/run/docker.sock".into());
    offer(&engine, dir, user())
}

/// Only root may give files away; anyone else is who owns them.
fn user() -> FolderUser {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    if uid.is_root() {
        return FolderUser {
            uid: 4321,
            gid: 4322,
        };
    }
    FolderUser {
        uid: uid.as_raw(),
        gid: gid.as_raw(),
    }
}

/// Somebody who calls and sends this.
fn caller(socket: &Path, sent: &[u8]) -> UnixStream {
    let mut caller = UnixStream::connect(socket).unwrap();
    caller.write_all(sent).unwrap();
    caller
}

/// Whether one was hung up on without a word.
fn is_hung_up_on(mut caller: UnixStream) -> bool {
    let mut heard = Vec::new();
    match caller.read_to_end(&mut heard) {
        Ok(_) => heard.is_empty(),
        // What it had sent was not read to the end.
        Err(error) => error.kind() == ErrorKind::ConnectionReset && heard.is_empty(),
    }
}

/// Calls of people who have no token, or not this one.
fn strangers(socket: &Path, token: &Token) -> Vec<UnixStream> {
    let right = token.as_bytes();
    let mut wrong = right.to_vec();
    wrong[0] ^= 1;
    let sent = [&b""[..], b"x", &right[..31], &wrong, &[0; 4096]];
    sent.map(|sent| caller(socket, sent)).into()
}

#[tokio::test]
async fn the_caller_with_the_token_is_found_among_strangers_and_they_are_hung_up_on() {
    let status = Status::new();
    let line = status.offer().unwrap();
    let (socket, token) = (status.socket(), &line.offer.token);
    let mut others = strangers(&socket, token);
    let mut peer = caller(&socket, token.as_bytes());
    others.extend(strangers(&socket, token));

    let mut found = (line.caller)().unwrap();
    found.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    peer.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    for (number, other) in others.into_iter().enumerate() {
        assert!(is_hung_up_on(other), "{number}");
    }
    assert_eq!(status.entries(), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn strangers_alone_are_nobody_and_are_not_waited_for() {
    let status = Status::new();
    let line = status.offer().unwrap();
    let others = strangers(&status.socket(), &line.offer.token);
    assert!((line.caller)().is_none());
    assert!(others.into_iter().all(is_hung_up_on));
    assert_eq!(status.entries(), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_crowd_of_strangers_turns_the_peer_away_and_no_more() {
    let status = Status::new();
    let line = status.offer().unwrap();
    let mut crowd = Vec::new();
    while let Ok(stranger) = tokio::net::UnixStream::connect(status.socket()).await {
        crowd.push(stranger);
        assert!(crowd.len() < 1000, "the kernel turns them away");
    }
    assert!((line.caller)().is_none());
}

#[tokio::test]
async fn the_last_in_a_full_line_is_found() {
    let status = Status::new();
    let line = status.offer().unwrap();
    let mut crowd: Vec<_> = (0..64).map(|_| caller(&status.socket(), b"")).collect();
    crowd.push(caller(&status.socket(), line.offer.token.as_bytes()));
    assert!((line.caller)().is_some());
}

#[test]
fn every_line_has_a_token_of_its_own() {
    let (one, two) = (Status::new(), Status::new());
    let (one, two) = (one.offer().unwrap(), two.offer().unwrap());
    assert_ne!(one.offer.token, two.offer.token);
}

#[test]
fn the_socket_is_the_containers_users_alone_and_goes_with_the_offer() {
    let status = Status::new();
    let line = status.offer().unwrap();
    assert_eq!(line.offer.socket, NAME);
    let found = fs::symlink_metadata(status.socket()).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.mode() & 0o7777, 0o600);
    assert_eq!((found.uid(), found.gid()), (user().uid, user().gid));
    drop(line);
    assert_eq!(status.entries(), [] as [PathBuf; 0]);
}

/// Puts something at a path.
type Make<'a> = &'a dyn Fn(&Path);

#[test]
fn what_lies_at_the_sockets_name_is_removed_and_not_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("engine.sock");
    let engine = UnixListener::bind(&target).unwrap();
    engine.set_nonblocking(true).unwrap();
    let before = fs::symlink_metadata(&target).unwrap();
    let leftovers: [(&str, Make<'_>); 5] = [
        ("a file", &|at| drop(File::create(at).unwrap())),
        ("a socket", &|at| drop(UnixListener::bind(at).unwrap())),
        ("a link", &|at| symlink(&target, at).unwrap()),
        ("a broken link", &|at| symlink("/no/where", at).unwrap()),
        ("a FIFO", &|at| {
            mknodat(CWD, at, FileType::Fifo, Mode::RWXU, 0).unwrap();
        }),
    ];
    for (what, make) in leftovers {
        let status = Status::new();
        make(&status.socket());
        assert!(status.offer().is_some(), "{what}");
        assert_eq!(status.entries(), [] as [PathBuf; 0], "{what}");
    }
    let called = engine.accept().map(drop).unwrap_err();
    assert_eq!(called.kind(), ErrorKind::WouldBlock);
    let after = fs::symlink_metadata(&target).unwrap();
    assert_eq!((after.mode(), after.uid()), (before.mode(), before.uid()));
}

#[test]
fn a_directory_at_the_sockets_name_costs_the_line_and_stays() {
    let status = Status::new();
    fs::create_dir(status.socket()).unwrap();
    assert!(status.offer().is_none());
    assert_eq!(status.entries(), [status.socket()]);
}

#[test]
fn a_link_in_place_of_the_directory_is_not_followed() {
    let status = Status::new();
    let link = status.0.path().join("link");
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), &link).unwrap();
    assert!(offer_in(&link).is_none());
    assert!(fs::read_dir(elsewhere.path()).unwrap().next().is_none());
}

#[test]
fn what_the_container_puts_there_meanwhile_is_nobody() {
    let status = Status::new();
    let line = status.offer().unwrap();
    fs::remove_file(status.socket()).unwrap();
    let fake = UnixListener::bind(status.socket()).unwrap();
    fake.set_nonblocking(true).unwrap();
    let _peer = caller(&status.socket(), line.offer.token.as_bytes());
    assert!((line.caller)().is_none(), "it called somebody else");
}

#[test]
fn an_engine_that_is_reached_otherwise_gets_no_offer_and_nothing_is_made() {
    let status = Status::new();
    let engines = [
        Endpoint::NamedPipe("//./pipe/docker_engine".to_owned()),
        Endpoint::Tcp {
            host: "127.0.0.1".to_owned(),
            port: 2375,
        },
    ];
    for engine in engines {
        assert!(offer(&engine, status.0.path(), user()).is_none());
        assert_eq!(status.entries(), [] as [PathBuf; 0]);
    }
}

#[tokio::test]
async fn a_path_may_be_longer_than_an_address() {
    let status = Status::new();
    let deep = status.0.path().join("d".repeat(120)).join("e".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    let line = offer_in(&deep).unwrap();
    let dir = File::open(&deep).unwrap();
    let socket = format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd());
    let _peer = caller(Path::new(&socket), line.offer.token.as_bytes());
    assert!((line.caller)().is_some());
}
