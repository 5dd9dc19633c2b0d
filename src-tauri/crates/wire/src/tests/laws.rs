use bytes::BytesMut;
use mizzen_tasks::Owner;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::codec::{Decoder, Encoder};

use super::core_hello;
use crate::pty::{DATA_CAP, Exit, PtyCodec, PtyFrame};
use crate::{StreamKind, VERSION, connect, read_frame};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn frames() -> impl Strategy<Value = PtyFrame> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(|b| PtyFrame::Data(b.into())),
        any::<(u16, u16)>().prop_map(|(cols, rows)| PtyFrame::Resize { cols, rows }),
        any::<i32>().prop_map(|code| PtyFrame::Exit(Exit::Code(code))),
        any::<i32>().prop_map(|signal| PtyFrame::Exit(Exit::Signal(signal))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn terminal_frames_survive_any_way_of_cutting_the_stream(
        sent in proptest::collection::vec(frames(), 0..8),
        step in 1usize..40,
    ) {
        let mut bytes = BytesMut::new();
        for frame in &sent {
            PtyCodec.encode(frame.clone(), &mut bytes).unwrap();
        }
        let (mut got, mut buffer) = (Vec::new(), BytesMut::new());
        for piece in bytes.chunks(step) {
            buffer.extend_from_slice(piece);
            while let Some(frame) = PtyCodec.decode(&mut buffer).unwrap() {
                got.push(frame);
            }
        }
        prop_assert_eq!(got, sent);
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn a_terminal_frame_from_garbage_never_reserves_more_than_the_cap(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut buffer = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = PtyCodec.decode(&mut buffer) {}
        prop_assert!(buffer.capacity() <= 2 * DATA_CAP);
    }

    #[test]
    fn a_json_frame_from_garbage_is_an_error_or_a_value(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let read = runtime().block_on(read_frame::<StreamKind>(&mut &bytes[..]));
        prop_assert!(read.is_err() || bytes.len() > 4);
    }

    /// After an honest introduction come hostile frames: the core's task must end, whatever they
    /// are, once the container is gone.
    #[test]
    fn hostile_frames_end_the_wire_and_nothing_else(
        frames in proptest::collection::vec(
            (0u8..2, 0u8..5, 0u16..16, 0u32..6, prop_oneof![0u32..64, any::<u32>()], 0usize..64),
            1..40,
        ),
    ) {
        let hello = br#"{"program":"p","version":"v"}"#;
        let mut bytes = b"\x89MIZZEN\r\n\x1a\n\0".to_vec();
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(u32::try_from(hello.len()).unwrap().to_be_bytes());
        bytes.extend(hello);
        for (version, kind, flags, stream, length, body) in frames {
            bytes.extend([version / 2, kind]);
            bytes.extend(flags.to_be_bytes());
            bytes.extend(stream.to_be_bytes());
            bytes.extend(length.to_be_bytes());
            bytes.extend(vec![b'x'; body]);
        }
        runtime().block_on(async {
            let owner = Owner::root("test");
            let (core, container) = tokio::io::duplex(1 << 20);
            let (mut from_core, mut to_core) = tokio::io::split(container);
            to_core.write_all(&bytes).await.unwrap();
            let wire = connect(&owner, core, core_hello(), None).await.unwrap();
            let reads = owner.spawn_held("reads", async move {
                let mut sunk = [0; 4096];
                while from_core.read(&mut sunk).await.is_ok_and(|n| n > 0) {}
            });
            let open = wire.open(StreamKind::Control);
            let hang_up = async { to_core.shutdown().await };
            let (opened, _) = tokio::join!(open, hang_up);
            assert!(opened.is_err(), "garbage must not accept a stream");
            wire.closed().await;
            drop(reads);
        });
    }
}
