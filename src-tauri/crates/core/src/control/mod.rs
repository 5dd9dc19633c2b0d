//! The control socket: what every client of the core speaks.

mod connection;
pub(crate) mod frame;
mod request;
pub(crate) mod socket;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::tokio::Listener;
use interprocess::local_socket::tokio::prelude::*;
use mizzen_tasks::Owner;

use crate::desk::Desk;
use crate::dirs::Dirs;

/// Listens and attends to clients until the owner stops.
pub(crate) fn serve(owner: &Owner, dirs: &Dirs, desk: Arc<Desk>) -> io::Result<()> {
    let listener = socket::listen(dirs)?;
    owner.spawn("accept", accept(listener, owner.child("client"), desk));
    Ok(())
}

/// Pause after a refused `accept`: out of descriptors, which only the end of another client mends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

async fn accept(listener: Listener, clients: Owner, desk: Arc<Desk>) {
    for number in 1_u64.. {
        match listener.accept().await {
            Ok(stream) => {
                clients.spawn(
                    &number.to_string(),
                    connection::attend(stream, desk.clone()),
                );
            }
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
