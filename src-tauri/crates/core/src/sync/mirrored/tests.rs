//! What a container answers, whatever that is.

use std::pin::Pin;
use std::task::{Context, Poll};

use proptest::prelude::*;
use tokio::io::{AsyncRead, ReadBuf};

use super::*;

/// As much as is read ahead.
const AHEAD: usize = 8 * 1024;

/// The same bytes again and again, without end.
struct Flood {
    bytes: Vec<u8>,
    taken: usize,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while to.remaining() > 0 {
            let next = self.bytes[self.taken % self.bytes.len()];
            to.put_slice(&[next]);
            self.taken += 1;
        }
        Poll::Ready(Ok(()))
    }
}

fn flood(bytes: &[u8]) -> BufReader<Flood> {
    let bytes = bytes.to_vec();
    BufReader::with_capacity(AHEAD, Flood { bytes, taken: 0 })
}

fn line(reply: &Reply) -> Vec<u8> {
    let mut line = serde_json::to_vec(reply).expect("a reply is JSON");
    line.push(b'\n');
    line
}

fn stands() -> Reply {
    Reply::Stand(Stand::new(State::InStep))
}

#[tokio::test]
async fn a_line_that_is_none_or_too_long_is_refused() {
    let whole = line(&Reply::Said("done".to_owned()));
    let said = read(&mut &whole[..], STAND_MAX).await.unwrap();
    assert_eq!(said, Reply::Said("done".to_owned()));
    let (good, _) = whole.split_at(whole.len() - 1);
    let endless = vec![b' '; 200];
    let number = b"7\n".to_vec();
    for (what, bytes) in [
        ("cut off", good.to_vec()),
        ("endless", endless),
        ("something else", number),
        ("nothing", Vec::new()),
    ] {
        assert!(read(&mut &bytes[..], 100).await.is_err(), "{what}");
    }
    assert!(read(&mut &whole[..], 5).await.is_err(), "too long");
}

#[tokio::test]
async fn a_line_without_end_is_given_up_and_not_kept() {
    for most in [STAND_MAX, REPLY_MAX] {
        let mut lines = flood(b"[");
        assert!(read(&mut lines, most).await.is_err());
        let taken = lines.get_ref().taken as u64;
        assert!(taken <= most + AHEAD as u64, "{taken} of {most}");
    }
}

#[tokio::test]
async fn what_is_no_answer_makes_no_sense() {
    let deep = format!("{}\n", "[".repeat(1 << 20));
    let good = String::from_utf8(line(&stands())).unwrap();
    let number = |of: &str| good.replace("\"pending\":0", &format!("\"pending\":{of}"));
    assert!(read(&mut number("1").as_bytes(), REPLY_MAX).await.is_ok());
    for text in [
        "null\n",
        "{}\n",
        "{\"stand\":7}\n",
        "{\"stand\":{\"state\":\"unheard of\"}}\n",
        "{\"said\":[\"a\"]}\n",
        "{\"said\":\"a\",\"stand\":{}}\n",
        "{\"said\":\"\\ud800\"}\n",
        "{\"answer\":{\"conflicts\":{}}}\n",
        &number("-1"),
        &number("1e400"),
        &number("99999999999999999999999999"),
        &deep,
    ] {
        let read = read(&mut text.as_bytes(), REPLY_MAX).await;
        let start: String = text.chars().take(40).collect();
        assert!(read.is_err(), "{start}: {read:?}");
    }
    for reply in [stands(), Reply::Said("yes".to_owned())] {
        assert_eq!(refusal(reply).because, Because::Failed);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_never_stops_to_say_how_it_stands_is_heard_now_and_then() {
    let line = line(&stands());
    let mut lines = flood(&line);
    let mut heard = 0;
    let time = 100 * STAND_PAUSE;
    let hearing = timeout(time, hear(&mut lines, |_| heard += 1)).await;
    assert!(hearing.is_err(), "it is heard as long as it makes sense");
    assert!((99..=101).contains(&heard), "{heard}");
    let taken = lines.get_ref().taken;
    assert!(taken <= 101 * line.len() + AHEAD, "{taken}");
}

#[tokio::test]
async fn one_that_says_something_else_is_not_heard_any_more() {
    let lines = [line(&stands()), line(&Reply::Said("boo".to_owned()))].concat();
    let mut heard = 0;
    let Err(error) = hear(&lines[..], |_| heard += 1).await;
    assert_eq!((heard, error.kind()), (1, io::ErrorKind::InvalidData));
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_an_answer_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0..60_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut damaged = line(&stands());
        let end = (at + bytes.len()).min(damaged.len());
        damaged.splice(at.min(end)..end, bytes.iter().copied());
        for bytes in [bytes, damaged] {
            let whole = runtime.block_on(read(&mut &bytes[..], 100));
            let has_line = bytes.iter().take(100).any(|byte| *byte == b'\n');
            prop_assert!(whole.is_err() || has_line);
        }
    }
}
