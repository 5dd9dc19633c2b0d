//! A stream of bytes for code that blocks, in threads of its own.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::direct_line::BoxedIo;

/// How long a peer may take no bytes at all.
const STALL_MAX: Duration = Duration::from_secs(60);

/// What comes in. A read waits for as long as it takes.
pub struct BlockingReader {
    from: ReadHalf<BoxedIo>,
    runtime: Handle,
}

/// What goes out. Its drop ends our direction.
pub struct BlockingWriter {
    to: WriteHalf<BoxedIo>,
    runtime: Handle,
}

/// Both directions of a stream, for threads that are not the runtime's own.
///
/// # Panics
/// Outside a runtime.
#[must_use]
pub fn into_blocking(stream: BoxedIo) -> (BlockingReader, BlockingWriter) {
    let runtime = Handle::current();
    let (from, to) = split(stream);
    let reader = BlockingReader {
        from,
        runtime: runtime.clone(),
    };
    (reader, BlockingWriter { to, runtime })
}

impl Read for BlockingReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.from.read(bytes))
    }
}

impl BlockingWriter {
    fn wait<T>(runtime: &Handle, done: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let in_time = async { timeout(STALL_MAX, done).await };
        match runtime.block_on(in_time) {
            Ok(done) => done,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the other end takes no more bytes",
            )),
        }
    }
}

impl Write for BlockingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::wait(&self.runtime, self.to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::wait(&self.runtime, self.to.flush())
    }
}

impl Drop for BlockingWriter {
    fn drop(&mut self) {
        // Without waiting, since this may be one of the runtime's threads. Where it cannot be said now, the wire's end
        // will say it.
        let _ = Pin::new(&mut self.to).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_given_up() {
        let (ours, theirs) = tokio::io::duplex(64);
        let (_from, mut to) = into_blocking(Box::new(ours));
        let (tell, told) = tokio::sync::oneshot::channel();
        thread::spawn(move || {
            let _nobody_waits = tell.send((to.write_all(&[1; 64]), to.write_all(&[2])));
        });
        let (fits, stalls) = told.await.expect("it comes to an end");
        fits.expect("as much as there is room for");
        let error = stalls.expect_err("nobody reads");
        assert_eq!(error.to_string(), "the other end takes no more bytes");
        drop(theirs);
    }
}
