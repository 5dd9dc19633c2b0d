//! Where the running link is asked: a socket in the supervisor's private directory, which only its user can enter.

use std::io;
use std::path::Path;
use std::sync::Arc;

use mizzen_sync::mirror::{REPLY_MAX, REQUEST_MAX, Reply, Request, SOCKET};
use mizzen_sync::told::Answer;
use mizzen_sync::{Because, Refusal};
use mizzen_tasks::Owner;

use super::super::talks::{self, Caller};
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
    let listener = talks::bind(&dir.join(SOCKET))?;
    let (shared, settings) = (shared.clone(), Arc::new(settings.clone()));
    let hear = move |line, caller| hear(line, caller, shared.clone(), settings.clone());
    talks::serve(owner, "mirror", (listener, REQUEST_MAX), hear);
    Ok(())
}

async fn hear(
    line: String,
    mut caller: Caller,
    shared: Arc<Shared>,
    settings: Arc<Settings>,
) -> io::Result<()> {
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Follow) => return follow(caller, &shared).await,
        Ok(request) => answer(request, &shared, &settings).await,
        Err(error) => Reply::Refused(Refusal::new(
            Because::Usage,
            format!("that is no request: {error}"),
        )),
    };
    caller.tell(&written(reply)).await
}

/// Tells how it stands as long as somebody hears it.
async fn follow(mut caller: Caller, shared: &Shared) -> io::Result<()> {
    let mut stand = shared.watch();
    loop {
        let now = stand.borrow_and_update().clone();
        caller.tell(&written(Reply::Stand(now))).await?;
        tokio::select! {
            changed = stand.changed() => if changed.is_err() {
                return Ok(());
            },
            // Its place is another's: there may be nothing to tell for long.
            () = caller.leaves() => return Ok(()),
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
    use std::sync::mpsc;
    use std::time::Duration;

    use mizzen_sync::Order;
    use mizzen_sync::told::Conflict;
    use tempfile::TempDir;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::UnixStream;
    use tokio::time::{sleep, timeout};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    struct Rig {
        dir: TempDir,
        shared: Arc<Shared>,
        _owner: Owner,
    }

    impl Rig {
        fn new() -> Self {
            let (dir, owner) = (tempfile::tempdir().expect("a folder"), Owner::root("test"));
            let shared = Arc::new(Shared::new(mpsc::channel().0, false));
            let settings = Settings {
                host: dir.path().join("host"),
                workspace: dir.path().join("workspace"),
            };
            serve(&owner, dir.path(), &shared, &settings).expect("a socket");
            Self {
                dir,
                shared,
                _owner: owner,
            }
        }

        async fn asks(&self, request: &Request) -> BufReader<UnixStream> {
            let called = UnixStream::connect(self.dir.path().join(SOCKET)).await;
            let mut stream = called.expect("it listens");
            let asked = format!("{}\n", serde_json::json!(request));
            stream.write_all(asked.as_bytes()).await.expect("a line");
            BufReader::new(stream)
        }
    }

    async fn answered(mut lines: BufReader<UnixStream>) -> Reply {
        let mut line = String::new();
        let read = timeout(HOUR * 24, lines.read_line(&mut line)).await;
        read.expect("it is answered").expect("a line");
        serde_json::from_str(&line).expect("a reply")
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_followed_and_left_keeps_nobody_out() {
        let rig = Rig::new();
        for _ in 0..talks::AT_ONCE * 2 {
            let followed = answered(rig.asks(&Request::Follow).await).await;
            assert!(matches!(followed, Reply::Stand(_)), "{followed:?}");
        }
        let status = answered(rig.asks(&Request::Status).await).await;
        assert!(matches!(status, Reply::Stand(_)), "{status:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_that_takes_an_hour_is_answered_and_who_follows_hears_of_its_end() {
        let rig = Rig::new();
        let (ordered, orders) = mpsc::channel();
        rig.shared.is_kept(&ordered);
        let mut follows = rig.asks(&Request::Follow).await;
        let mut stand = String::new();
        follows.read_line(&mut stand).await.unwrap();
        let flush = rig.asks(&Request::Flush { consent: false }).await;
        // The clock goes on when all has run that can.
        sleep(HOUR).await;
        let is_flush = |order: &Order| matches!(order, Order::Flush(_));
        drop(orders.try_iter().find(is_flush).expect("it was ordered"));
        let Reply::Refused(refusal) = answered(flush).await else {
            panic!("a link that ends carries nothing")
        };
        assert_eq!(refusal.because, Because::NoLink);
        rig.shared.pauses(true);
        let Reply::Stand(stand) = answered(follows).await else {
            panic!("it follows")
        };
        assert!(stand.paused);
    }

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
