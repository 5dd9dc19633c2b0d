//! Streams that measure the wire.

use std::io;

use mizzen_wire::{Probe, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BLOCK: usize = 64 * 1024;

pub(crate) async fn serve(mut stream: Stream, probe: Probe) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    match probe {
        Probe::Echo => loop {
            match stream.read(&mut block).await? {
                0 => return stream.shutdown().await,
                read => stream.write_all(&block[..read]).await?,
            }
        },
        Probe::Sink => {
            while stream.read(&mut block).await? > 0 {}
            stream.write_all(&[0]).await?;
            stream.shutdown().await
        }
        Probe::Source => loop {
            stream.write_all(&block).await?;
        },
    }
}
