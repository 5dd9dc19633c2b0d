//! The status directory of a container that shares no files with its host: what is written here is told over the wire,
//! and what the host writes is written here.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mizzen_fsx::Watch;
use mizzen_status::{End, Part, Taker, Teller};
use mizzen_wire::{Request, read_part, write_part};
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::places;

/// Between two looks: what changes a thousand times a second is told four times.
const SPACING: Duration = Duration::from_millis(250);
/// The safety net under lost hints.
const POLL: Duration = Duration::from_secs(5);

/// Serves the core until it hangs up.
pub(super) async fn serve(request: Request) -> io::Result<()> {
    let Some(status) = places::status_dir() else {
        return request.refuse("there is no status directory").await;
    };
    let (from, to) = split(request.accept().await?);
    tokio::select! {
        told = tell(to, status.clone()) => told,
        taken = take(from, status) => taken,
    }
}

async fn tell(mut to: impl AsyncWrite + Unpin, status: PathBuf) -> io::Result<()> {
    let hinted = Arc::new(Notify::new());
    let mut teller = Teller::new(End::Container, status.clone());
    let (mut watch, logs) = (None, status.join("logs"));
    loop {
        if watch.is_none() && logs.is_dir() {
            let hint = hinted.clone();
            // Without file events the poll alone serves.
            watch = Watch::new([&status, &logs], move || hint.notify_one()).ok();
        }
        let news = teller.look();
        let is_all = news.is_empty();
        for (part, bytes) in news {
            write_part(&mut to, &part, &bytes).await?;
        }
        if is_all {
            // Whether there was a hint or not: it is looked again.
            let _hinted = timeout(POLL, hinted.notified()).await;
            sleep(SPACING).await;
        }
    }
}

async fn take(mut from: impl AsyncRead + Unpin, status: PathBuf) -> io::Result<()> {
    let taker = Taker::new(End::Host, status, None);
    let size = |part: &Part| part.size_from(End::Host).map_err(io::Error::other);
    loop {
        let (part, bytes) = read_part(&mut from, size).await?;
        taker.take(&part, &bytes).map_err(io::Error::other)?;
    }
}
