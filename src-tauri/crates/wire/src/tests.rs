//! Two sides over an in-memory pipe and over a socket pair, and every way a peer can misbehave.

mod direct_line;
mod hostile;
mod laws;
mod streams;

use std::io;

use mizzen_tasks::Owner;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{BoxedIo, Hello, Incoming, Offer, Wire, accept, connect};

fn core_hello() -> Hello {
    Hello::new("mizzen", "1.2.3")
}

fn supervisor_hello() -> Hello {
    Hello::new("mizzen-supervisor", "1.2.3")
}

/// Calls nobody: there is no offer.
async fn unasked(_: Offer) -> io::Result<BoxedIo> {
    panic!("nobody offered a direct line")
}

/// Both ends of a wire over any pair of byte streams.
async fn pair_over<A, B>(owner: &Owner, core: A, container: B) -> (Wire, Wire, Incoming)
where
    A: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (core, container) = tokio::join!(
        connect(owner, core, core_hello(), None),
        accept(owner, container, supervisor_hello(), unasked)
    );
    let (container, incoming) = container.unwrap();
    (core.unwrap(), container, incoming)
}

async fn pair(owner: &Owner) -> (Wire, Wire, Incoming) {
    let (core, container) = tokio::io::duplex(16 * 1024);
    pair_over(owner, core, container).await
}
