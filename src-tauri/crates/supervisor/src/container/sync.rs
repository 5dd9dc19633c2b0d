//! A folder of the container, kept in step with one elsewhere.

use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use mizzen_sync::{Retention, ServeOptions};
use mizzen_wire::{Request, into_blocking};

use super::complain;

const OPTIONS: ServeOptions = ServeOptions {
    umask: 0o022,
    // The container's own trash is for a mishap that is noticed soon; the host's is the one that is kept.
    retention: Retention {
        age: Duration::from_secs(7 * 24 * 60 * 60),
        bytes: 2 * 1024 * 1024 * 1024,
    },
    now: mizzen_sync::now,
};

/// Serves the core until it hangs up.
pub(super) async fn serve(request: Request) -> io::Result<()> {
    let (from, to) = into_blocking(Box::new(request.accept().await?));
    let serving = tokio::task::spawn_blocking(move || mizzen_sync::serve(from, to, &OPTIONS));
    serving.await.expect("BUG: serving a folder panicked")
}

/// Serves whoever is at our standard streams, as the user that they chose.
pub(super) fn on_stdio() -> ExitCode {
    let stream = |end: rustix::fd::BorrowedFd<'_>| end.try_clone_to_owned().map(File::from);
    let served = stream(rustix::stdio::stdin()).and_then(|from| {
        let to = stream(rustix::stdio::stdout())?;
        mizzen_sync::serve(from, to, &OPTIONS)
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}
