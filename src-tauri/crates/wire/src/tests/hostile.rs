//! The container's side of the byte stream, played by somebody who means harm.

use std::io;
use std::time::Duration;

use mizzen_tasks::Owner;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::core_hello;
use crate::{
    Closed, HandshakeError, Hello, MAX_STREAMS, Offer, OpenError, StreamKind, VERSION, Wire,
    connect, read_frame,
};

pub(super) const MAGIC: &[u8] = b"\x89MIZZEN\r\n\x1a\n\0";

/// A well-formed introduction of some version.
pub(super) fn introduction(version: u32) -> Vec<u8> {
    let hello = br#"{"program":"mizzen-supervisor","version":"1.2.3","later":1}"#;
    let length = u32::try_from(hello.len()).unwrap();
    [MAGIC, &version.to_be_bytes(), &length.to_be_bytes(), hello].concat()
}

/// What the core makes of a container that says `bytes` and ends.
async fn shake(bytes: &[u8]) -> Result<Wire, HandshakeError> {
    let owner = Owner::root("test");
    let (core, mut container) = tokio::io::duplex(1 << 20);
    container.write_all(bytes).await.unwrap();
    container.shutdown().await.unwrap();
    connect(&owner, core, core_hello(), None).await
}

/// A wire whose other end is raw bytes.
async fn against(owner: &Owner) -> (Wire, DuplexStream) {
    let (core, mut container) = tokio::io::duplex(64 * 1024);
    container.write_all(&introduction(VERSION)).await.unwrap();
    let wire = connect(owner, core, core_hello(), None).await.unwrap();
    assert_eq!(learn(&mut container).await, None);
    (wire, container)
}

/// Reads the core's introduction, and what it offers.
pub(super) async fn learn(container: &mut DuplexStream) -> Option<Offer> {
    let mut opening = vec![0; MAGIC.len() + 4];
    container.read_exact(&mut opening).await.unwrap();
    let _: Hello = read_frame(container).await.unwrap();
    read_frame(container).await.unwrap()
}

#[tokio::test]
async fn noise_before_the_introduction_is_skipped() {
    for noise in [
        &b""[..],
        b"Welcome!\n",
        b"\x89\x89MIZ\x89MIZZEN\r\n",
        &[0x89; 60_000],
    ] {
        let wire = shake(&[noise, &introduction(VERSION)].concat())
            .await
            .unwrap();
        assert_eq!(wire.peer().version, "1.2.3");
    }
}

#[tokio::test]
async fn endless_noise_is_cut_off_and_quoted() {
    let mut noise = b"sh: mizzen-supervisor: not found\n".to_vec();
    noise.resize(200_000, b'x');
    match shake(&noise).await {
        Err(HandshakeError::Noise { noise }) => {
            assert!(noise.starts_with("sh: ") && noise.len() <= 200, "{noise}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_end_before_the_introduction_quotes_what_was_said() {
    let error = shake(b"exec failed: no such file\n").await.unwrap_err();
    assert!(
        error.to_string().contains("exec failed: no such file"),
        "{error}"
    );
}

#[tokio::test]
async fn another_version_is_named() {
    let error = shake(&introduction(VERSION + 1)).await.unwrap_err();
    assert!(matches!(error, HandshakeError::Version { theirs } if theirs == VERSION + 1));
    let expected = format!(
        "speaks wire version {}, this program {VERSION}",
        VERSION + 1
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn an_introduction_cut_at_any_byte_is_an_error() {
    let whole = introduction(VERSION);
    for end in 0..whole.len() {
        let error = shake(&whole[..end]).await.unwrap_err();
        assert!(
            matches!(error, HandshakeError::Ended { .. } | HandshakeError::Io(_)),
            "at {end}"
        );
    }
}

#[tokio::test]
async fn an_introduction_of_four_gigabytes_is_refused_before_it_is_read() {
    let bytes = [MAGIC, &VERSION.to_be_bytes(), &u32::MAX.to_be_bytes()].concat();
    let error = shake(&bytes).await.unwrap_err();
    assert!(matches!(&error, HandshakeError::Io(e) if e.kind() == io::ErrorKind::InvalidData));
}

#[tokio::test(start_paused = true)]
async fn silence_has_a_deadline() {
    let owner = Owner::root("test");
    let (core, _container) = tokio::io::duplex(1024);
    let error = connect(&owner, core, core_hello(), None).await.unwrap_err();
    assert!(matches!(error, HandshakeError::TimedOut), "{error}");
}

/// A frame's header as the multiplexer has it: version, type, flags, stream, length.
fn header(kind: u8, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    let (flags, stream, length) = (
        flags.to_be_bytes(),
        stream.to_be_bytes(),
        length.to_be_bytes(),
    );
    [&[0, kind][..], &flags, &stream, &length].concat()
}

const DATA: u8 = 0;
const WINDOW: u8 = 1;
const PING: u8 = 2;
const SYN: u16 = 1;

/// What ends a wire on which the container says `bytes`.
async fn fate(bytes: &[u8]) -> Closed {
    let owner = Owner::root("test");
    let (wire, mut container) = against(&owner).await;
    // The core may hang up in the middle of it.
    let _ = container.write_all(bytes).await;
    let _ = container.shutdown().await;
    wire.closed().await
}

fn is_failed(fate: &Closed) -> bool {
    matches!(fate, Closed::Failed(_))
}

#[tokio::test]
async fn a_frame_of_four_gigabytes_ends_the_wire() {
    let fate = fate(&header(DATA, 0, 1, u32::MAX)).await;
    assert!(is_failed(&fate), "{fate:?}");
}

#[tokio::test]
async fn garbage_ends_the_wire() {
    let fate = fate(&[0xff; 4096]).await;
    assert!(is_failed(&fate), "{fate:?}");
}

#[tokio::test]
async fn a_container_may_not_open_streams() {
    for (kind, length) in [(DATA, 0), (WINDOW, 0)] {
        let fate = fate(&header(kind, SYN, 2, length)).await;
        assert_eq!(fate, Closed::Failed("the peer opened a stream".to_owned()));
    }
}

#[tokio::test]
async fn a_flood_of_pings_from_a_peer_that_never_reads_is_not_stored() {
    let owner = Owner::root("test");
    let (wire, mut container) = against(&owner).await;
    let flood: Vec<u8> = (0..1000).flat_map(|id| header(PING, SYN, 0, id)).collect();
    // The answers fill the pipe; from then on the core reads no further either.
    let mut sent = 0;
    while sent < 1000 {
        let write = container.write_all(&flood);
        if tokio::time::timeout(Duration::from_millis(200), write)
            .await
            .is_err()
        {
            break;
        }
        sent += 1;
    }
    assert!(sent < 100, "the core must stop reading");
    assert!(!wire.is_closed());
    drop(container);
    wire.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_costs_a_deadline_and_no_more() {
    let owner = Owner::root("test");
    let (wire, _container) = against(&owner).await;
    for _ in 0..3 {
        let error = wire.open(StreamKind::Control).await.unwrap_err();
        assert!(matches!(error, OpenError::TimedOut), "{error}");
    }
    // Nobody waits for the peer to read our farewell.
    drop(wire);
    assert!(owner.shut_down(Duration::from_secs(5)).await.is_empty());
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_fails_the_stream_and_not_the_wire() {
    for answer in [
        &b"\xff\xff\xff\xff"[..],
        b"\0\0\0\x02{}",
        b"\0\0\0\x05hello",
        b"\0\0\0\0",
    ] {
        let owner = Owner::root("test");
        let (wire, mut container) = against(&owner).await;
        let length = u32::try_from(answer.len()).unwrap();
        let reply = [&header(DATA, 2, 1, length)[..], answer].concat();
        let (opened, written) =
            tokio::join!(wire.open(StreamKind::Control), container.write_all(&reply));
        written.unwrap();
        assert!(matches!(opened, Err(OpenError::Io(_))), "{answer:?}");
        assert!(!wire.is_closed());
    }
}

#[tokio::test]
async fn data_for_streams_that_do_not_exist_is_dropped() {
    let owner = Owner::root("test");
    let (wire, mut container) = against(&owner).await;
    for stream in 0..10 * u32::try_from(MAX_STREAMS).unwrap() {
        let frame = [&header(DATA, 0, 2 * stream + 1, 4)[..], b"boo!"].concat();
        container.write_all(&frame).await.unwrap();
    }
    assert!(!wire.is_closed());
    drop(container);
    assert_eq!(wire.closed().await, Closed::ByPeer);
}
