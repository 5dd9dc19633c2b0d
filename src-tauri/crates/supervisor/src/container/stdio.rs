//! Our standard streams as one byte stream, without a thread between them and the kernel.

use std::io;
use std::os::fd::OwnedFd;

use mizzen_wire::BoxedIo;
use rustix::pipe::fcntl_setpipe_size;
use tokio::io::join;
use tokio::net::unix::pipe;

/// More bytes on the way per wake-up; as large as the kernel allows without privileges.
const PIPE_SIZE: usize = 1024 * 1024;

/// Standard input and output. `docker exec` gives pipes, which are waited for directly: that halves
/// a round trip against tokio's own, which hand every read and write to another thread. For
/// anything else there are those.
pub(crate) fn stdio() -> io::Result<BoxedIo> {
    let input = rustix::stdio::stdin().try_clone_to_owned()?;
    let output = rustix::stdio::stdout().try_clone_to_owned()?;
    match (reader(input), writer(output)) {
        (Ok(reader), Ok(writer)) => Ok(Box::new(join(reader, writer))),
        _ => Ok(Box::new(join(tokio::io::stdin(), tokio::io::stdout()))),
    }
}

fn reader(input: OwnedFd) -> io::Result<pipe::Receiver> {
    let _ = fcntl_setpipe_size(&input, PIPE_SIZE);
    pipe::Receiver::from_owned_fd(input)
}

fn writer(output: OwnedFd) -> io::Result<pipe::Sender> {
    let _ = fcntl_setpipe_size(&output, PIPE_SIZE);
    pipe::Sender::from_owned_fd(output)
}
