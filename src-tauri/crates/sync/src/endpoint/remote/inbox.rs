//! What the other end says, read by a thread: it may say at any time that its side has changed.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::frames::{FRAME_MAX, Frame, Frames, Reader, senseless};
use super::serve::ALIVE_EVERY;
use super::supply::lock;
use crate::endpoint::Wake;

/// The other end says much more often that it is at work.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// So long may it say that it is at work and nothing else: to read all that it has for the first time takes less.
const WORKING_MAX: Duration = Duration::from_secs(30 * 60);

/// As often does it say so by then. One that says it more often is believed for less long, and one that says it more
/// seldom is silent for too long.
const ALIVE_MAX: u64 = WORKING_MAX.as_secs() / ALIVE_EVERY.as_secs();

/// Frames that wait to be taken.
const WAITING: usize = 16;

/// Answers.
pub(super) struct Inbox {
    frames: Receiver<io::Result<Frame>>,
    /// Told that a large message was taken.
    taken: SyncSender<()>,
    /// How often the other end has said by now that it is at work, and nothing else.
    alive: u64,
}

/// Whether the other side has changed.
#[derive(Default)]
pub(super) struct News {
    has_changed: AtomicBool,
    wake: Mutex<Option<Wake>>,
}

impl News {
    /// Calls this from now on when there is news. A stream that ends is news.
    pub(super) fn tell(&self, wake: Wake) {
        *lock(&self.wake) = Some(wake);
    }

    /// Whether there is news that nobody has taken.
    pub(super) fn is_there(&self) -> bool {
        self.has_changed.load(Ordering::SeqCst)
    }

    /// Whether there was news since the last time.
    pub(super) fn take(&self) -> bool {
        self.has_changed.swap(false, Ordering::SeqCst)
    }

    /// Says so once, however often it happens until somebody looks.
    fn happened(&self) {
        if !self.has_changed.swap(true, Ordering::SeqCst)
            && let Some(wake) = &*lock(&self.wake)
        {
            wake();
        }
    }
}

impl Inbox {
    /// Reads from now on, until the stream ends or nobody wants more.
    pub(super) fn start(
        reader: Reader<impl Read + Send + 'static>,
    ) -> io::Result<(Self, Arc<News>)> {
        let (sender, frames) = sync_channel(WAITING);
        let (taken, was_taken) = sync_channel(1);
        let news = Arc::new(News::default());
        let told = news.clone();
        thread::Builder::new()
            .name("sync-wire".to_owned())
            .spawn(move || read(reader, &sender, &was_taken, &told))?;
        let inbox = Self {
            frames,
            taken,
            alive: 0,
        };
        Ok((inbox, news))
    }
}

fn read(
    mut reader: Reader<impl Read + Send>,
    to: &SyncSender<io::Result<Frame>>,
    was_taken: &Receiver<()>,
    news: &News,
) {
    loop {
        let frame = reader.next();
        let is_large = is_large(&frame);
        if let Ok(Frame::Changed) = frame {
            news.happened();
            continue;
        }
        let has_ended = frame.is_err();
        let is_wanted = to.send(frame).is_ok();
        if has_ended {
            news.happened();
        }
        if has_ended || !is_wanted {
            return;
        }
        // However many are sent unasked, one of them waits.
        if is_large && was_taken.recv().is_err() {
            return;
        }
    }
}

/// Whether a frame takes much more memory than others.
fn is_large(frame: &io::Result<Frame>) -> bool {
    matches!(frame, Ok(Frame::Message(bytes)) if bytes.len() > FRAME_MAX)
}

impl Inbox {
    /// Notes whether the other end comes along.
    fn check(&mut self, frame: Frame) -> io::Result<Frame> {
        self.alive = match frame {
            Frame::Alive => self.alive + 1,
            _ => 0,
        };
        match self.alive {
            0..=ALIVE_MAX => Ok(frame),
            _ => Err(senseless(format!(
                "it has been at work for {} minutes and come to nothing; it may hang on its disk",
                WORKING_MAX.as_secs() / 60
            ))),
        }
    }

    fn take(&mut self) -> io::Result<Frame> {
        match self.frames.recv_timeout(SILENCE_MAX) {
            Ok(frame) => {
                if is_large(&frame) {
                    // It may have been the last one.
                    let _ = self.taken.send(());
                }
                frame
            }
            Err(RecvTimeoutError::Timeout) => Err(senseless("it does not answer any more")),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Frames for Inbox {
    fn next(&mut self) -> io::Result<Frame> {
        let frame = self.take()?;
        self.check(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Messages of two frames without end; tells how often one was begun.
    struct Flood {
        at: usize,
        begun: Sender<()>,
    }

    impl Read for Flood {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = u32::try_from(FRAME_MAX).expect("short").to_le_bytes();
            let frame = 5 + FRAME_MAX;
            if self.at == 0 {
                let _ = self.begun.send(());
            }
            let byte = match (self.at % frame, self.at / frame) {
                (0, is_last) => is_last as u8,
                (at @ 1..=4, _) => length[at - 1],
                (at, _) => {
                    let left = buffer.len().min(frame - at);
                    buffer[..left].fill(0);
                    self.at = (self.at + left) % (2 * frame);
                    return Ok(left);
                }
            };
            buffer[0] = byte;
            self.at += 1;
            Ok(1)
        }
    }

    const ALIVE: [u8; 5] = [7, 0, 0, 0, 0];
    const PIECE: [u8; 6] = [2, 1, 0, 0, 0, b'x'];

    #[test]
    fn an_end_that_is_at_work_for_ever_is_given_up() {
        let most = usize::try_from(ALIVE_MAX).unwrap();
        let (sent, told) = (ALIVE.repeat(most), ALIVE.repeat(most + 1));
        let said = [&sent[..], &PIECE, &sent, &PIECE, &told, &PIECE].concat();
        let (mut inbox, _) = Inbox::start(Reader::new(io::Cursor::new(said))).unwrap();
        for _ in 0..2 {
            for _ in 0..most {
                assert!(matches!(inbox.next(), Ok(Frame::Alive)));
            }
            assert!(matches!(inbox.next(), Ok(Frame::Piece(_))));
        }
        for _ in 0..most {
            inbox.next().unwrap();
        }
        let given_up = inbox.next().unwrap_err().to_string();
        assert!(given_up.contains("at work for 30 minutes"), "{given_up}");
    }

    #[test]
    fn large_messages_that_nobody_asked_for_do_not_pile_up() {
        let (begun, was_begun) = channel();
        let (mut inbox, _) = Inbox::start(Reader::new(Flood { at: 0, begun })).unwrap();
        let begins = || was_begun.recv_timeout(Duration::from_millis(200)).ok();
        for _ in 0..3 {
            // A stream is read a little ahead, and that is all.
            assert!(std::iter::from_fn(begins).take(5).count() < 5);
            let message = inbox.next().unwrap();
            assert!(matches!(message, Frame::Message(bytes) if bytes.len() == 2 * FRAME_MAX));
        }
    }
}
