//! A socket of the supervisor's where whoever calls says one line and is answered. Those who call may be anybody's
//! programs: only so many are talked with at once, and none is waited for without end.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mizzen_tasks::Owner;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// How long one may take to say its line.
const LINE: Duration = Duration::from_secs(5);
/// How long one may take nothing of an answer: what reads it may be at the far end of a slow wire.
const ANSWER: Duration = Duration::from_secs(30);
/// How many are talked with at once; others wait.
pub(super) const AT_ONCE: usize = 16;
/// After a call that could not be taken.
const AGAIN: Duration = Duration::from_millis(100);

/// Listens at a place that only this user can reach.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    // Of an earlier life of this container.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the owner ends. A line is not longer than that, and an answer may take as long as it takes.
pub(super) fn serve<T>(
    owner: &Owner,
    name: &'static str,
    (listener, longest): (UnixListener, u64),
    answer: impl Fn(String, Caller) -> T + Clone + Send + 'static,
) where
    T: Future<Output = io::Result<()>> + Send,
{
    let talks = owner.clone();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    owner.spawn(&format!("{name}-socket"), async move {
        while let Ok(place) = places.clone().acquire_owned().await {
            // An error is one of that call: too many files are open, or the caller has gone.
            let Ok((stream, _)) = listener.accept().await else {
                sleep(AGAIN).await;
                continue;
            };
            let answer = answer.clone();
            talks.spawn(&format!("{name}-talk"), async move {
                // Whoever called has gone or says nothing; there is nobody else to tell.
                let _ = talk(Caller(BufReader::new(stream)), longest, answer).await;
                drop(place);
            });
        }
    });
}

async fn talk<T: Future<Output = io::Result<()>>>(
    mut caller: Caller,
    longest: u64,
    answer: impl FnOnce(String, Caller) -> T,
) -> io::Result<()> {
    let mut line = String::new();
    let mut limited = (&mut caller.0).take(longest);
    timeout(LINE, limited.read_line(&mut line)).await??;
    answer(line, caller).await
}

/// Who has said its line.
pub(super) struct Caller(BufReader<UnixStream>);

impl Caller {
    /// Tells it this, as fast as it takes it.
    pub(super) async fn tell(&mut self, mut said: &[u8]) -> io::Result<()> {
        while !said.is_empty() {
            let taken = timeout(ANSWER, self.0.write(said)).await??;
            said = &said[taken..];
        }
        Ok(())
    }

    /// Returns when it has gone; what it says beside its line ends the talk as well.
    pub(super) async fn leaves(&mut self) {
        // An error is an end too.
        let _ = self.0.fill_buf().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tempfile::TempDir;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    struct Rig {
        dir: TempDir,
        _owner: Owner,
    }

    impl Rig {
        fn new<T: Future<Output = io::Result<()>> + Send>(
            answer: impl Fn(String, Caller) -> T + Clone + Send + 'static,
        ) -> Self {
            let (dir, owner) = (tempfile::tempdir().expect("a folder"), Owner::root("test"));
            let listener = bind(&dir.path().join("s")).expect("a socket");
            serve(&owner, "test", (listener, 100), answer);
            Self { dir, _owner: owner }
        }

        async fn call(&self, said: &[u8]) -> UnixStream {
            let called = UnixStream::connect(self.dir.path().join("s")).await;
            let mut stream = called.expect("it listens");
            stream.write_all(said).await.expect("it takes a line");
            stream
        }
    }

    /// All that is answered; an answer that never ends fails the test.
    async fn heard(mut stream: UnixStream) -> String {
        let mut heard = String::new();
        let all = timeout(HOUR * 24, stream.read_to_string(&mut heard)).await;
        // One who is cut off in the middle of a line is told so by a reset.
        let _reset = all.expect("the talk ends");
        heard
    }

    async fn echo(line: String, mut caller: Caller) -> io::Result<()> {
        caller.tell(line.as_bytes()).await
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_says_nothing_or_half_a_line_is_let_go() {
        let rig = Rig::new(echo);
        assert_eq!(heard(rig.call(b"").await).await, "");
        assert_eq!(heard(rig.call(b"half").await).await, "");
        assert_eq!(heard(rig.call(b"whole\n").await).await, "whole\n");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_say_nothing_keep_nobody_from_being_answered() {
        let rig = Rig::new(echo);
        let mut silent = Vec::new();
        for _ in 0..AT_ONCE * 2 {
            silent.push(rig.call(b"").await);
        }
        assert_eq!(heard(rig.call(b"it\n").await).await, "it\n");
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_talked_with_at_once_and_others_wait_their_turn() {
        let (count, places) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (counted, held) = (count.clone(), places.clone());
        let rig = Rig::new(move |line, caller| {
            let (counted, held) = (counted.clone(), held.clone());
            async move {
                counted.fetch_add(1, Ordering::SeqCst);
                let _place = held.acquire().await;
                echo(line, caller).await
            }
        });
        let mut callers = Vec::new();
        for _ in 0..=AT_ONCE {
            callers.push(rig.call(b"it\n").await);
        }
        // The clock goes on when all has run that can.
        sleep(HOUR).await;
        assert_eq!(count.load(Ordering::SeqCst), AT_ONCE);
        places.add_permits(1);
        for caller in callers {
            assert_eq!(heard(caller).await, "it\n");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_as_long_as_it_takes() {
        let rig = Rig::new(|line, caller| async move {
            sleep(HOUR).await;
            echo(line, caller).await
        });
        assert_eq!(heard(rig.call(b"it\n").await).await, "it\n");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_of_a_long_answer_is_let_go() {
        let rig = Rig::new(|_, mut caller| async move { caller.tell(&[b'x'; 8 << 20]).await });
        let slow = rig.call(b"it\n").await;
        sleep(HOUR).await;
        assert!(heard(slow).await.len() < 8 << 20, "it was cut off");
        assert_eq!(heard(rig.call(b"it\n").await).await.len(), 8 << 20);
    }
}
