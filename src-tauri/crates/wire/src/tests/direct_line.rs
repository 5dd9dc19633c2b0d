//! Offers of a direct line: taken, declined, and answered by somebody who means harm.

use std::io;
use std::sync::{Arc, Mutex};

use mizzen_tasks::Owner;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::hostile::{MAGIC, introduction, learn};
use super::{core_hello, supervisor_hello};
use crate::{
    BoxedIo, Closed, DirectLine, HandshakeError, Hello, Incoming, Offer, Probe, StreamKind, Token,
    VERSION, Way, Wire, accept, connect, read_frame, write_frame,
};

const TOKEN: [u8; Token::LENGTH] = *b"0123456789abcdef0123456789abcdef";

fn offer() -> Offer {
    Offer {
        socket: "line.sock".to_owned(),
        token: Token::new(TOKEN),
    }
}

/// An offer, and the caller that the core will find.
fn offering(caller: Option<DuplexStream>) -> DirectLine {
    DirectLine {
        offer: offer(),
        caller: Box::new(|| caller.map(|caller| Box::new(caller) as BoxedIo)),
    }
}

/// Both ends of a wire for which a line was offered: what the core finds, and what the peer got.
async fn offered(
    owner: &Owner,
    found: Option<DuplexStream>,
    called: io::Result<DuplexStream>,
) -> (Wire, Wire, Incoming) {
    let (core, container) = duplex(1024);
    let call = async |asked: Offer| {
        assert_eq!(asked, offer());
        called.map(|line| Box::new(line) as BoxedIo)
    };
    let (core, container) = tokio::join!(
        connect(owner, core, core_hello(), Some(offering(found))),
        accept(owner, container, supervisor_hello(), call)
    );
    let (container, incoming) = container.unwrap();
    (core.unwrap(), container, incoming)
}

async fn carries(core: &Wire, incoming: &mut Incoming) {
    let (near, far) = tokio::join!(core.open(StreamKind::Probe(Probe::Echo)), async {
        let request = incoming.next().await.unwrap().request().await.unwrap();
        request.accept().await.unwrap()
    });
    let (mut near, mut far) = (near.unwrap(), far);
    near.write_all(b"there").await.unwrap();
    let mut there = [0; 5];
    far.read_exact(&mut there).await.unwrap();
    assert_eq!(&there, b"there");
}

#[tokio::test]
async fn a_line_that_the_peer_called_carries_the_wire() {
    let owner = Owner::root("test");
    let (near, far) = duplex(64 * 1024);
    let (core, container, mut incoming) = offered(&owner, Some(near), Ok(far)).await;
    assert_eq!(
        (core.way(), container.way()),
        (Way::DirectLine, Way::DirectLine)
    );
    carries(&core, &mut incoming).await;
    drop(core);
    assert_eq!(container.closed().await, Closed::ByPeer);
}

#[tokio::test]
async fn whatever_goes_wrong_with_a_line_leaves_the_wire_on_stdio() {
    let unreachable = || Err(io::ErrorKind::NotFound.into());
    let ends = || duplex(64 * 1024);
    for (case, found, called) in [
        ("nobody called", None, unreachable()),
        ("somebody else listened", None, Ok(ends().1)),
        ("somebody else called", Some(ends().0), unreachable()),
    ] {
        let owner = Owner::root("test");
        let (core, container, mut incoming) = offered(&owner, found, called).await;
        assert_eq!(
            (core.way(), container.way()),
            (Way::Stdio, Way::Stdio),
            "{case}"
        );
        carries(&core, &mut incoming).await;
    }
}

#[test]
fn a_token_matches_itself_only_and_is_not_shown() {
    let token = Token::new(TOKEN);
    assert!(token.matches(&TOKEN));
    let mut other = TOKEN;
    other[31] ^= 1;
    for wrong in [&other[..], &TOKEN[..31], b"", &[&TOKEN[..], b"x"].concat()] {
        assert!(!token.matches(wrong), "{wrong:?}");
    }
    assert_eq!(format!("{token:?}"), "Token(..)");
}

/// The container's side of both streams, played by hand up to the core's last word.
struct Container {
    wire: Wire,
    stdio: DuplexStream,
    line: DuplexStream,
}

async fn by_hand(owner: &Owner) -> Container {
    let (core, mut stdio) = duplex(64 * 1024);
    let (near, line) = duplex(64 * 1024);
    let container = async {
        stdio.write_all(&introduction(VERSION)).await.unwrap();
        assert_eq!(learn(&mut stdio).await, Some(offer()));
        write_frame(&mut stdio, &"called").await.unwrap();
        assert_eq!(
            read_frame::<Way>(&mut stdio).await.unwrap(),
            Way::DirectLine
        );
    };
    let (wire, ()) = tokio::join!(
        connect(owner, core, core_hello(), Some(offering(Some(near)))),
        container
    );
    Container {
        wire: wire.unwrap(),
        stdio,
        line,
    }
}

#[tokio::test]
async fn the_end_of_stdio_is_the_end_of_the_wire() {
    let owner = Owner::root("test");
    let container = by_hand(&owner).await;
    drop(container.stdio);
    assert_eq!(container.wire.closed().await, Closed::ByPeer);
}

#[tokio::test]
async fn the_end_of_the_line_lets_go_of_stdio() {
    let owner = Owner::root("test");
    let mut container = by_hand(&owner).await;
    drop(container.line);
    assert_eq!(container.wire.closed().await, Closed::ByPeer);
    assert_eq!(container.stdio.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wire_that_nobody_holds_lets_go_of_both() {
    let owner = Owner::root("test");
    let mut container = by_hand(&owner).await;
    drop(container.wire);
    let mut farewell = Vec::new();
    container.line.read_to_end(&mut farewell).await.unwrap();
    assert_eq!(container.stdio.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn bytes_on_stdio_beside_the_line_end_the_wire() {
    let owner = Owner::root("test");
    let mut container = by_hand(&owner).await;
    container.stdio.write_all(&[0; 4096]).await.unwrap();
    let fate = container.wire.closed().await;
    assert!(matches!(&fate, Closed::Failed(_)), "{fate:?}");
}

#[tokio::test]
async fn the_peer_too_ends_with_stdio() {
    let owner = Owner::root("test");
    let (stdio, line) = (duplex(64 * 1024), duplex(64 * 1024));
    let mut core = stdio.0;
    let by_hand = async {
        core.write_all(&introduction(VERSION)).await.unwrap();
        write_frame(&mut core, &Some(offer())).await.unwrap();
        core.read_exact(&mut [0; MAGIC.len() + 4]).await.unwrap();
        let _: Hello = read_frame(&mut core).await.unwrap();
        let answer: String = read_frame(&mut core).await.unwrap();
        assert_eq!(answer, "called");
        write_frame(&mut core, &Way::DirectLine).await.unwrap();
    };
    let call = async |_| Ok(Box::new(line.1) as BoxedIo);
    let (met, ()) = tokio::join!(accept(&owner, stdio.1, supervisor_hello(), call), by_hand);
    let (wire, mut incoming) = met.unwrap();
    drop(core);
    assert_eq!(wire.closed().await, Closed::ByPeer);
    assert!(incoming.next().await.is_none());
}

/// What the core makes of a container that was offered a line and says this.
async fn said(bytes: &[u8], found: Arc<Mutex<u32>>) -> Result<Wire, HandshakeError> {
    let owner = Owner::root("test");
    let (core, mut container) = duplex(1 << 20);
    let hello = introduction(VERSION);
    container
        .write_all(&[&hello, bytes].concat())
        .await
        .unwrap();
    container.shutdown().await.unwrap();
    let line = DirectLine {
        offer: offer(),
        caller: Box::new(move || {
            *found.lock().unwrap() += 1;
            None
        }),
    };
    connect(&owner, core, core_hello(), Some(line)).await
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_ends_the_handshake_and_nobody_is_looked_for() {
    let called = b"\0\0\0\x08\"called\"";
    let mut hostile: Vec<&[u8]> = (0..called.len()).map(|end| &called[..end]).collect();
    hostile.extend([
        &b"\xff\xff\xff\xff"[..],
        b"\0\0\0\x08\"Called\"",
        b"\0\0\0\x04null",
        b"\0\0\0\x0e{\"declined\":[]}",
    ]);
    for bytes in hostile {
        let found = Arc::default();
        let error = said(bytes, Arc::clone(&found)).await.unwrap_err();
        assert!(matches!(error, HandshakeError::Io(_)), "{bytes:?}: {error}");
        assert_eq!(*found.lock().unwrap(), 0, "{bytes:?}");
    }
    let found = Arc::default();
    said(called, Arc::clone(&found)).await.unwrap();
    assert_eq!(*found.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_an_offer_costs_the_handshake_its_deadline() {
    let owner = Owner::root("test");
    let (core, mut container) = duplex(1024);
    container.write_all(&introduction(VERSION)).await.unwrap();
    let met = connect(&owner, core, core_hello(), Some(offering(None))).await;
    assert!(matches!(met, Err(HandshakeError::TimedOut)));
}

/// Whatever the core says, a peer that did not call has no direct line to go to.
#[tokio::test]
async fn a_peer_that_could_not_call_is_not_sent_to_the_line() {
    let owner = Owner::root("test");
    let (mut core, container) = duplex(64 * 1024);
    core.write_all(&introduction(VERSION)).await.unwrap();
    write_frame(&mut core, &Some(offer())).await.unwrap();
    write_frame(&mut core, &Way::DirectLine).await.unwrap();
    let call = async |_| Err(io::ErrorKind::NotFound.into());
    let met = accept(&owner, container, supervisor_hello(), call).await;
    assert!(matches!(met.unwrap_err(), HandshakeError::Io(_)));
}
