//! Log lines on stdout, where the engine's log driver takes them.

use std::io::{self, BufWriter, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Lines that wait for a slow log driver; more are dropped and counted.
const WAITING: usize = 1024;
/// Longest line; the rest becomes the next one.
const LINE_CAP: usize = 8 * 1024;

/// Hands lines to a thread of their own: a log driver that does not read must not stop PID 1.
#[derive(Clone)]
pub(crate) struct Journal {
    lines: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

enum Entry {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

impl Journal {
    pub(crate) fn start() -> io::Result<Self> {
        let (lines, written) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let journal = Self {
            lines,
            dropped: dropped.clone(),
        };
        let write = move || write_lines(&written, &dropped, io::stdout());
        std::thread::Builder::new()
            .name("journal".into())
            .stack_size(64 * 1024)
            .spawn(write)?;
        Ok(journal)
    }

    /// Says something of our own.
    pub(crate) fn note(&self, what: impl std::fmt::Display) {
        self.line("supervisor", what.to_string().as_bytes());
    }

    fn line(&self, source: &str, text: &[u8]) {
        let line = [source.as_bytes(), b": ", text, b"\n"].concat();
        if let Err(TrySendError::Full(_)) = self.lines.try_send(Entry::Line(line)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Forwards a child's output line by line until it ends.
    pub(crate) async fn forward(self, source: &'static str, output: OwnedFd) {
        let Ok(mut output) = pipe::Receiver::from_owned_fd(output) else {
            return;
        };
        let mut pending = Vec::with_capacity(LINE_CAP);
        while output
            .read_buf(&mut pending)
            .await
            .is_ok_and(|read| read > 0)
        {
            let rest = cut_lines(&pending, |line| self.line(source, line));
            pending.drain(..rest);
        }
        if !pending.is_empty() {
            self.line(source, &pending);
        }
    }

    /// Waits, but not long, until what was said is written.
    pub(crate) fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.lines.try_send(Entry::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_millis(200));
        }
    }
}

/// Gives out the whole lines, and pieces of one that grows too long; says how much was used.
fn cut_lines(bytes: &[u8], mut give: impl FnMut(&[u8])) -> usize {
    let mut used = 0;
    loop {
        let rest = &bytes[used..];
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) if end <= LINE_CAP => {
                give(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]));
                used += end + 1;
            }
            _ if rest.len() >= LINE_CAP => {
                give(&rest[..LINE_CAP]);
                used += LINE_CAP;
            }
            _ => return used,
        }
    }
}

fn write_lines(lines: &Receiver<Entry>, dropped: &AtomicU64, to: impl Write) {
    let mut to = BufWriter::new(to);
    loop {
        let entry = match lines.recv_timeout(Duration::ZERO) {
            Err(RecvTimeoutError::Timeout) => {
                // Nothing more for now: what we have goes out whole.
                let _ = to.flush();
                lines.recv().ok()
            }
            entry => entry.ok(),
        };
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(
                to,
                "supervisor: {lost} lines were dropped, the log was too slow"
            );
        }
        match entry {
            Some(Entry::Line(line)) => drop(to.write_all(&line)),
            Some(Entry::Flush(done)) => {
                let _ = to.flush();
                let _ = done.send(());
            }
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_CAP, cut_lines};

    fn lines(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let mut lines = Vec::new();
        let used = cut_lines(bytes, |line| lines.push(line.to_vec()));
        (lines, used)
    }

    #[test]
    fn whole_lines_go_and_the_begun_one_stays() {
        assert_eq!(lines(b"a\r\n\nb"), (vec![b"a".to_vec(), b"".to_vec()], 4));
    }

    #[test]
    fn an_endless_line_goes_in_pieces() {
        let (lines, used) = lines(&vec![b'x'; 2 * LINE_CAP + 5]);
        assert_eq!((lines.len(), used), (2, 2 * LINE_CAP));
        assert!(lines.iter().all(|line| line.len() == LINE_CAP));
    }
}
