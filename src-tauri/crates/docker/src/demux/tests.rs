use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;

use super::*;

fn frame(channel: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![channel, 0, 0, 0];
    frame.extend((payload.len() as u32).to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads a stream that arrives in the given pieces; answers with output, errors and how it ended.
async fn read(first: &[u8], pieces: &[&[u8]]) -> (Vec<u8>, String, io::Result<()>) {
    let pieces: Vec<_> = pieces
        .iter()
        .map(|p| io::Result::Ok(Bytes::copy_from_slice(p)))
        .collect();
    let conn = tokio_util::io::StreamReader::new(futures::stream::iter(pieces));
    let stderr = StderrTail::default();
    let first = Bytes::copy_from_slice(first);
    let mut demux = Demux::new(conn, &first, stderr.clone());
    let mut output = Vec::new();
    let ended = demux.read_to_end(&mut output).await.map(drop);
    (output, stderr.text(), ended)
}

#[tokio::test]
async fn output_and_errors_are_told_apart() {
    let stream = [
        frame(1, b"out"),
        frame(2, b"err"),
        frame(1, b""),
        frame(1, b"put"),
    ]
    .concat();
    let (output, errors, ended) = read(&[], &[&stream]).await;
    assert_eq!(
        (output.as_slice(), errors.as_str()),
        (&b"output"[..], "err")
    );
    ended.expect("a clean end");
}

#[tokio::test]
async fn what_came_with_the_answer_comes_first() {
    let stream = [frame(1, b"abc"), frame(1, b"def")].concat();
    let (output, _, ended) = read(&stream[..13], &[&stream[13..]]).await;
    assert_eq!(output, b"abcdef");
    ended.expect("a clean end");
}

#[tokio::test]
async fn a_stream_cut_at_any_byte_is_an_error_except_between_frames() {
    let stream = [frame(1, b"abc"), frame(2, b"de")].concat();
    for cut in 0..=stream.len() {
        let (output, _, ended) = read(&[], &[&stream[..cut]]).await;
        let whole = matches!(cut, 0 | 11 | 21);
        assert_eq!(ended.is_ok(), whole, "cut at {cut}: {ended:?}");
        assert!(b"abc".starts_with(&output), "cut at {cut}: {output:?}");
    }
}

#[tokio::test]
async fn row_54_a_frame_of_4_gib_or_of_no_channel_ends_the_stream() {
    for header in [
        [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        [9, 0, 0, 0, 0, 0, 0, 1],
        [1, 1, 1, 1, 0x7f, 0xff, 0xff, 0xff],
        [1, 0, 0, 0, 0, 0x10, 0, 1],
    ] {
        let (output, _, ended) = read(&[], &[&frame(1, b"ok"), &header]).await;
        assert_eq!(output, b"ok");
        assert_eq!(
            ended.expect_err("refused").kind(),
            io::ErrorKind::InvalidData,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn only_the_end_of_the_errors_is_kept() {
    let flood = frame(2, &vec![b'x'; 100_000]);
    let (_, errors, ended) = read(&[], &[&flood, &frame(2, b"the end")]).await;
    ended.expect("a clean end");
    assert_eq!(errors.len(), TAIL_CAP);
    assert!(errors.ends_with("xthe end"));
}

proptest! {
    /// However the bytes are cut into reads, the output is the same.
    #[test]
    fn pieces_do_not_matter(
        payloads in proptest::collection::vec((1_u8..3, proptest::collection::vec(any::<u8>(), 0..300)), 0..8),
        cuts in proptest::collection::vec(1_usize..97, 1..40),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|(c, p)| frame(*c, p)).collect();
        let expected: Vec<u8> =
            payloads.iter().filter(|(c, _)| *c == 1).flat_map(|(_, p)| p.clone()).collect();
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let at = (*cuts.next().expect("not empty")).min(rest.len());
            pieces.push(&rest[..at]);
            rest = &rest[at..];
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (output, _, ended) = runtime.block_on(read(&[], &pieces));
        prop_assert!(ended.is_ok());
        prop_assert_eq!(output, expected);
    }
}
