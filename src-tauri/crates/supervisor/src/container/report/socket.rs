//! Where the running supervisor is told.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mizzen_status::{REPORT_MAX, Report};
use mizzen_tasks::Owner;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::super::board::Board;
use super::sockets;

/// How long one may take to say its line.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many are heard at once; others wait.
const AT_ONCE: usize = 16;

/// Listens until the owner ends, at the first place that will do.
pub(crate) fn serve(owner: &Owner, private: Option<&Path>, board: &Board) -> io::Result<()> {
    let mut listener = Err(io::Error::other("there is no place for a socket"));
    for path in sockets(private.as_slice()) {
        listener = listener.or_else(|_| bind(&path));
    }
    let listener = listener?;
    let (talks, board) = (owner.clone(), board.clone());
    let places = Arc::new(Semaphore::new(AT_ONCE));
    owner.spawn("report-socket", async move {
        while let Ok(place) = places.clone().acquire_owned().await {
            // An error is one of that call: too many files are open, or the caller has gone.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let board = board.clone();
            talks.spawn("report", async move {
                // Whoever called has gone or says nothing; there is nobody else to tell.
                let _ = timeout(PATIENCE, hear(stream, &board)).await;
                drop(place);
            });
        }
    });
    Ok(())
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    // Of an earlier life of this container.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn hear(stream: UnixStream, board: &Board) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut line = String::new();
    let mut from = BufReader::new(from.take(REPORT_MAX + 1));
    from.read_line(&mut line).await?;
    let answer = match line.trim_end().parse::<Report>() {
        Ok(report) => {
            board.take(report);
            json!({ "ok": true })
        }
        Err(why) => json!({ "error": why.to_string() }),
    };
    to.write_all(format!("{answer}\n").as_bytes()).await
}
