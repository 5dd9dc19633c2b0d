use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use mizzen_tasks::Owner;
use mizzen_wire::{BoxedIo, DirectLine, Offer, Probe, StreamKind, Token, Way, Wire};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::rig::{Container, Reports, TINY, folder, tiny};

const TOKEN: [u8; Token::LENGTH] = [7; Token::LENGTH];
const NAME: &str = "line.sock";

/// An offer of the socket in a status directory. Without a listener nobody is found.
fn offering(listener: Option<UnixListener>) -> DirectLine {
    let token = Token::new(TOKEN);
    let offer = Offer {
        socket: NAME.to_owned(),
        token: token.clone(),
    };
    let caller = move || {
        let (mut caller, _) = listener?.accept().ok()?;
        let mut sent = [0; Token::LENGTH];
        caller.read_exact(&mut sent).ok()?;
        assert!(token.matches(&sent));
        caller.set_nonblocking(true).ok()?;
        Some(Box::new(UnixStream::from_std(caller).ok()?) as BoxedIo)
    };
    DirectLine {
        offer,
        caller: Box::new(caller),
    }
}

/// A socket that everybody may call.
fn listen(dir: &Path) -> UnixListener {
    let listener = UnixListener::bind(dir.join(NAME)).unwrap();
    fs::set_permissions(dir.join(NAME), Permissions::from_mode(0o666)).unwrap();
    listener
}

async fn carries(wire: &Wire) {
    let mut stream = wire.open(StreamKind::Probe(Probe::Echo)).await.unwrap();
    let mut back = [0; 5];
    stream.write_all(b"ahoy!").await.unwrap();
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"ahoy!");
}

#[tokio::test]
async fn a_socket_in_the_status_directory_is_called_with_the_token() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let line = offering(Some(listen(reports.folder.path())));
    let wire = container.wire_offering(&owner, &[], Some(line)).await;
    assert_eq!(wire.way(), Way::DirectLine);
    carries(&wire).await;
}

/// Puts something at a path.
type Make<'a> = &'a dyn Fn(&Path);

#[tokio::test]
async fn a_socket_that_cannot_be_called_leaves_the_wire_on_stdio() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let at = reports.folder.path().join(NAME);
    let cases: [(&str, Make<'_>); 7] = [
        ("nothing", &|_| {}),
        ("a file", &|at| drop(File::create(at).unwrap())),
        ("a directory", &|at| fs::create_dir(at).unwrap()),
        ("a link to nowhere", &|at| symlink("/no/where", at).unwrap()),
        ("a link to itself", &|at| symlink(at, at).unwrap()),
        ("a FIFO", &|at| {
            mknodat(CWD, at, FileType::Fifo, Mode::RWXU, 0).unwrap();
        }),
        ("a socket of the past", &|at| {
            drop(UnixListener::bind(at).unwrap());
        }),
    ];
    for (what, make) in cases {
        make(&at);
        let owner = Owner::root("test");
        let wire = container
            .wire_offering(&owner, &[], Some(offering(None)))
            .await;
        assert_eq!(wire.way(), Way::Stdio, "{what}");
        carries(&wire).await;
        let _ = fs::remove_file(&at);
        let _ = fs::remove_dir(&at);
    }
}

#[tokio::test]
async fn a_socket_that_is_closed_to_us_leaves_the_wire_on_stdio() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let listener = listen(reports.folder.path());
    let closed = Permissions::from_mode(0o600);
    fs::set_permissions(reports.folder.path().join(NAME), closed).unwrap();
    let owner = Owner::root("test");
    let line = offering(Some(listener));
    let wire = container.wire_offering(&owner, &[], Some(line)).await;
    assert_eq!(wire.way(), Way::Stdio);
    carries(&wire).await;
}

#[tokio::test]
async fn a_container_without_a_status_directory_is_on_stdio() {
    let container = Container::run(&[&TINY]);
    let owner = Owner::root("test");
    let line = offering(None);
    let wire = container.wire_offering(&owner, &[], Some(line)).await;
    assert_eq!(wire.way(), Way::Stdio);
    carries(&wire).await;
}
