//! What the other end says, read by a thread: it may say at any time that its side has changed.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::frames::{Frame, Frames, Reader, senseless};
use super::supply::lock;
use crate::endpoint::Wake;

/// The other end says much more often that it is at work.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Frames that wait to be taken.
const WAITING: usize = 16;

/// Answers.
pub(super) struct Inbox(Receiver<io::Result<Frame>>);

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
        let (sender, receiver) = sync_channel(WAITING);
        let news = Arc::new(News::default());
        let told = news.clone();
        thread::Builder::new()
            .name("sync-wire".to_owned())
            .spawn(move || read(reader, &sender, &told))?;
        Ok((Self(receiver), news))
    }
}

fn read(mut reader: Reader<impl Read + Send>, to: &SyncSender<io::Result<Frame>>, news: &News) {
    loop {
        let frame = reader.next();
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
    }
}

impl Frames for Inbox {
    fn next(&mut self) -> io::Result<Frame> {
        match self.0.recv_timeout(SILENCE_MAX) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => Err(senseless("it does not answer any more")),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
