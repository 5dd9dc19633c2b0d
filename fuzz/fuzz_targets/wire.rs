//! What a container says on its wire: the first byte chooses whether it is a frame, a terminal's bytes, or all that comes
//! after an honest introduction.
#![no_main]

use std::sync::LazyLock;

use bytes::BytesMut;
use mizzen_tasks::Owner;
use mizzen_wire::control::Answer;
use mizzen_wire::git::{GitBrought, GitLook};
use mizzen_wire::pty::{DATA_CAP, PtyCodec, PtyFrame};
use mizzen_wire::{Hello, StreamKind, VERSION, connect, read_frame};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio_util::codec::Decoder;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((kind, said)) = bytes.split_first() else {
        return;
    };
    match kind % 6 {
        0 => frame::<Hello>(said),
        1 => frame::<Answer>(said),
        2 => frame::<GitLook>(said),
        3 => frame::<GitBrought>(said),
        4 => terminal(said),
        _ => RUNTIME.block_on(wire(said)),
    }
});

fn frame<T: DeserializeOwned>(said: &[u8]) {
    let length = u32::try_from(said.len()).expect("short").to_be_bytes();
    let framed = [&length[..], said].concat();
    for bytes in [said, &framed] {
        drop(RUNTIME.block_on(read_frame::<T>(&mut &bytes[..])));
    }
}

fn terminal(said: &[u8]) {
    let mut buffer = BytesMut::from(said);
    while let Ok(Some(frame)) = PtyCodec.decode(&mut buffer) {
        if let PtyFrame::Exit(exit) = frame {
            let _code = exit.shell_code();
        }
    }
    assert!(buffer.capacity() <= (2 * DATA_CAP).max(said.len()));
}

/// Whatever a container says, its wire ends when it is gone.
async fn wire(said: &[u8]) {
    let hello = br#"{"program":"p","version":"v"}"#;
    let length = u32::try_from(hello.len()).expect("short").to_be_bytes();
    let magic = b"\x89MIZZEN\r\n\x1a\n\0";
    let bytes = [&magic[..], &VERSION.to_be_bytes(), &length, hello, said].concat();
    let owner = Owner::root("fuzz");
    let (core, container) = tokio::io::duplex(1 << 20);
    let (mut from_core, mut to_core) = tokio::io::split(container);
    to_core.write_all(&bytes).await.expect("it has room");
    let hello = Hello::new("mizzen", "0");
    let wire = connect(&owner, core, hello, None)
        .await
        .expect("an introduction");
    let reads = owner.spawn_held("reads", async move {
        let mut sunk = [0; 4096];
        while from_core.read(&mut sunk).await.is_ok_and(|n| n > 0) {}
    });
    let open = wire.open(StreamKind::Control);
    let hang_up = async { to_core.shutdown().await };
    let (_opened, _) = tokio::join!(open, hang_up);
    wire.closed().await;
    drop(reads);
}
