//! The wire of a local engine's session leaves the exec's stdio, whatever the container does about it.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use mizzen_sessions::Wish;
use mizzen_wire::{Probe, StreamKind, Way, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::rig::{Rig, SOON, docker};

const NAME: &str = "direct-line.sock";

/// Ends every `attach` in the container; the pattern does not match the program that runs it.
const END_ATTACH: &str = r"
for process in /proc/[0-9]*; do
    if tr '\0' ' ' < $process/cmdline 2> /dev/null | grep -q 'supervisor attac[h]'; then
        kill -9 ${process#/proc/}
    fi
done";

fn status_dir(rig: &Rig) -> PathBuf {
    rig.root.path().join("projects/web/.para/state/docker/web")
}

/// Direct lines between this process and the container, by the kernel's own account: it lists both ends of a
/// connection where the caller is.
fn lines(rig: &Rig) -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let ours: Vec<String> = descriptors
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .collect();
    let sockets = rig.inside("web", &["cat", "/proc/net/unix"]);
    let connected = sockets.lines().filter(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        matches!(fields[..], [.., "03", inode, path]
            if path.ends_with(NAME) && ours.contains(&format!("socket:[{inode}]")))
    });
    connected.count()
}

async fn carries(wire: &Wire) {
    let mut stream = wire.open(StreamKind::Probe(Probe::Echo)).await.unwrap();
    let sent = vec![7; 1 << 20];
    let mut back = vec![0; sent.len()];
    let (mut from, mut to) = tokio::io::split(&mut stream);
    let (written, read) = tokio::join!(to.write_all(&sent), from.read_exact(&mut back));
    written.unwrap();
    read.unwrap();
    assert!(back == sent);
}

/// Ends the exec's process in the container, and waits for the wire that the core makes then.
async fn reconnected(rig: &Rig, old: Wire) -> Wire {
    rig.inside("web", &["sh", "-c", END_ATTACH]);
    timeout(SOON, old.closed()).await.expect("its wire ends");
    let again = async {
        loop {
            // RACE: who waits for the end may hear of it before the session does.
            let wire = rig.sessions.wire("web").await.unwrap();
            if !wire.is_closed() {
                return wire;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, again).await.expect("another wire")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_engines_wire_is_a_socket_between_core_and_container() {
    let rig = Rig::new();
    rig.up("web").await;
    let wire = rig.sessions.wire("web").await.unwrap();
    assert_eq!((wire.way(), lines(&rig)), (Way::DirectLine, 1));
    carries(&wire).await;
    let socket = status_dir(&rig).join(NAME);
    assert!(!socket.exists(), "it is there for a handshake only");

    let wire = reconnected(&rig, wire).await;
    assert_eq!((wire.way(), lines(&rig)), (Way::DirectLine, 1));
    carries(&wire).await;
    assert!(!socket.exists());

    rig.wish("web", Wish::Stop).await.unwrap();
    timeout(SOON, wire.closed()).await.expect("it ends");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_container_puts_at_the_sockets_name_costs_its_direct_line_at_most() {
    let rig = Rig::new();
    rig.up("web").await;
    let mut wire = rig.sessions.wire("web").await.unwrap();
    let at = format!("/para/status/{NAME}");
    for (make, way) in [
        (format!("mkdir -p {at}/x"), Way::Stdio),
        (
            format!("rm -r {at}; ln -s /workspace/main.rs {at}"),
            Way::DirectLine,
        ),
        (format!("mkfifo {at}"), Way::DirectLine),
        (format!("touch {at}"), Way::DirectLine),
    ] {
        rig.inside("web", &["sh", "-c", &make]);
        wire = reconnected(&rig, wire).await;
        assert_eq!(wire.way(), way, "{make}");
        carries(&wire).await;
    }
    assert!(!status_dir(&rig).join(NAME).exists());
    assert!(rig.root.path().join("projects/web/main.rs").exists());
    rig.end().await;
}

/// It keeps changing what lies there, so that every step of an offer finds something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_never_stops_changing_it_has_a_wire_all_the_same() {
    let rig = Rig::new();
    let fact = rig.up("web").await;
    let racer = format!(
        "cd /para/status; while :; do mkdir {NAME}; rmdir {NAME}; \
         ln -s /workspace/main.rs {NAME}; rm -f {NAME}; mkfifo {NAME}; rm -f {NAME}; done"
    );
    let id = fact.container_id.unwrap();
    docker(&["exec", "--detach", &id, "sh", "-c", &racer]);
    let mut wire = rig.sessions.wire("web").await.unwrap();
    for _ in 0..5 {
        wire = reconnected(&rig, wire).await;
        carries(&wire).await;
    }
    assert!(rig.root.path().join("projects/web/main.rs").exists());
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_calls_hears_nothing_and_hurts_nobody() {
    let rig = Rig::new();
    rig.up("web").await;
    let mut wire = rig.sessions.wire("web").await.unwrap();
    let (socket, over, calls) = (
        status_dir(&rig).join(NAME),
        AtomicBool::new(false),
        AtomicUsize::new(0),
    );
    let pester = || {
        while !over.load(Ordering::Relaxed) {
            let Ok(mut stranger) = UnixStream::connect(&socket) else {
                std::thread::yield_now();
                continue;
            };
            let mut heard = Vec::new();
            match stranger.read_to_end(&mut heard) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
            }
            assert_eq!(heard, b"");
            calls.fetch_add(1, Ordering::Relaxed);
        }
    };
    let began = Instant::now();
    std::thread::scope(|threads| {
        let pestering = threads.spawn(pester);
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            while calls.load(Ordering::Relaxed) == 0 && began.elapsed() < SOON {
                wire = runtime.block_on(reconnected(&rig, wire.clone()));
                assert_eq!(wire.way(), Way::DirectLine);
                runtime.block_on(carries(&wire));
            }
        });
        over.store(true, Ordering::Relaxed);
        pestering.join().unwrap();
    });
    assert!(calls.into_inner() > 0, "no stranger came through");
    rig.end().await;
}
