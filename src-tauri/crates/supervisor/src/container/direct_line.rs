//! Our end of a direct line: we call where the core listens, and bring its token.

use std::io;
use std::time::Duration;

use mizzen_wire::{BoxedIo, Offer};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::places;

/// How long it may take on file systems that ask somebody else.
const DEADLINE: Duration = Duration::from_secs(1);

/// Calls in answer to an offer.
pub(crate) async fn call(offer: Offer) -> io::Result<BoxedIo> {
    let dir = places::status_dir().ok_or(io::ErrorKind::NotFound)?;
    let called = async {
        let mut line = UnixStream::connect(dir.join(&offer.socket)).await?;
        line.write_all(offer.token.as_bytes()).await?;
        Ok(Box::new(line) as BoxedIo)
    };
    timeout(DEADLINE, called).await?
}
