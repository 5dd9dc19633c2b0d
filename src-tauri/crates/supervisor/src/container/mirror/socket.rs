//! Where the running link is asked: a socket in the supervisor's private directory, which only its user can enter.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use mizzen_sync::mirror::{REPLY_MAX, REQUEST_MAX, Reply, Request, SOCKET};
use mizzen_sync::told::Answer;
use mizzen_sync::{Because, Refusal};
use mizzen_tasks::Owner;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::pair;
use super::settings::Settings;
use super::shared::Shared;

/// Answers there until the owner ends.
pub(super) fn serve(
    owner: &Owner,
    dir: &Path,
    shared: &Arc<Shared>,
    settings: &Settings,
) -> io::Result<()> {
    let path = dir.join(SOCKET);
    // Of an earlier life of this container.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let (shared, settings) = (shared.clone(), Arc::new(settings.clone()));
    let talks = owner.clone();
    owner.spawn("mirror-socket", async move {
        // An error is one of that call: too many files are open, or the caller has gone.
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            };
            let (shared, settings) = (shared.clone(), settings.clone());
            talks.spawn("mirror-talk", async move {
                // Whoever asked has gone; there is nobody else to tell.
                let _ = talk(stream, &shared, &settings).await;
            });
        }
    });
    Ok(())
}

async fn talk(stream: UnixStream, shared: &Shared, settings: &Settings) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut line = String::new();
    let mut from = BufReader::new(from.take(REQUEST_MAX));
    from.read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Follow) => return follow(to, shared).await,
        Ok(request) => answer(request, shared, settings).await,
        Err(error) => Reply::Refused(Refusal::new(
            Because::Usage,
            format!("that is no request: {error}"),
        )),
    };
    to.write_all(&written(reply)).await
}

async fn follow(mut to: impl tokio::io::AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut stand = shared.watch();
    loop {
        let now = stand.borrow_and_update().clone();
        to.write_all(&written(Reply::Stand(now))).await?;
        if stand.changed().await.is_err() {
            return Ok(());
        }
    }
}

async fn answer(request: Request, shared: &Shared, settings: &Settings) -> Reply {
    let answered = match request {
        Request::Status | Request::Follow => return Reply::Stand(shared.stand()),
        Request::Flush { consent } => {
            shared.is_flushed();
            if consent {
                shared.consents();
            }
            shared.flush().await.map(Reply::Said)
        }
        Request::Pause => pause(shared, settings, true),
        Request::Resume => pause(shared, settings, false),
        Request::Ask(question) => shared.ask(question).await.map(Reply::Answer),
    };
    answered.unwrap_or_else(Reply::Refused)
}

fn pause(shared: &Shared, settings: &Settings, paused: bool) -> Result<Reply, Refusal> {
    let kept = pair::set_paused(settings, paused);
    kept.map_err(|error| Refusal::new(Because::Storage, error.to_string()))?;
    shared.pauses(paused);
    let word = if paused { "paused" } else { "not paused" };
    Ok(Reply::Said(format!("Sync is {word}.")))
}

/// As a line that is not too long: without the lines that differ, if need be.
fn written(reply: Reply) -> Vec<u8> {
    let is_short = |line: &[u8]| (line.len() as u64) < REPLY_MAX;
    let line = as_line(&reply);
    if is_short(&line) {
        return line;
    }
    let shorter = match reply {
        Reply::Answer(Answer::Conflicts(mut conflicts)) => {
            conflicts
                .iter_mut()
                .for_each(|conflict| conflict.diff = None);
            as_line(&Reply::Answer(Answer::Conflicts(conflicts)))
        }
        _ => line,
    };
    match is_short(&shorter) {
        true => shorter,
        false => as_line(&Reply::Refused(Refusal::new(
            Because::Failed,
            "there is too much to tell at once",
        ))),
    }
}

fn as_line(reply: &Reply) -> Vec<u8> {
    let mut line = serde_json::to_vec(reply).expect("BUG: plain values are JSON");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use mizzen_sync::told::Conflict;

    use super::*;

    #[test]
    fn a_long_answer_goes_without_the_lines_that_differ() {
        let conflict = |diff: usize| Conflict {
            path: "a".to_owned(),
            host: None,
            container: None,
            diff: Some("x".repeat(diff)),
        };
        let many = |count: usize, diff| {
            let conflicts = std::iter::repeat_n(conflict(diff), count).collect();
            written(Reply::Answer(Answer::Conflicts(conflicts)))
        };
        assert!(String::from_utf8(many(1, 3)).unwrap().contains("xxx"));
        let long = String::from_utf8(many(9, 1 << 20)).unwrap();
        assert!((long.len() as u64) < REPLY_MAX && long.contains(r#""diff":null"#));
        let too_many = String::from_utf8(many(200_000, 1)).unwrap();
        assert!(too_many.contains("too much to tell"), "{too_many}");
    }
}
