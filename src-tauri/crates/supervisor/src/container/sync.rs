//! A folder of the container, kept in step with one elsewhere.

use std::io;
use std::time::Duration;

use mizzen_sync::{Retention, ServeOptions};
use mizzen_wire::Request;

/// The container's own trash is for a mishap that is noticed soon; the host's is the one that is kept.
const RETENTION: Retention = Retention {
    age: Duration::from_secs(7 * 24 * 60 * 60),
    bytes: 2 * 1024 * 1024 * 1024,
};

/// Serves until the core hangs up.
pub(super) async fn serve(request: Request) -> io::Result<()> {
    let (from, to) = request.accept().await?.into_blocking();
    let options = ServeOptions {
        umask: 0o022,
        retention: RETENTION,
        now: mizzen_sync::now,
    };
    let serving = tokio::task::spawn_blocking(move || mizzen_sync::serve(from, to, &options));
    serving.await.expect("BUG: serving a folder panicked")
}
