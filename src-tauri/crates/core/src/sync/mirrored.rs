//! A workspace that its own container keeps in step: what it says is shown, and what is wished is passed on.
//!
//! The container is hostile: lines have a cap, text is made harmless, and none of its hints are passed on.

use std::convert::Infallible;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizzen_sessions::{Flushed, Wires};
use mizzen_sync::mirror::{REPLY_MAX, Reply, Request, SOCKET};
use mizzen_sync::told::{Progress, Stand, State, Trouble};
use mizzen_sync::{Because, Question, Refusal};
use mizzen_wire::{StreamKind, Target, Wire};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{harmless, standing};
use crate::view::{SyncAnswer, SyncView};

/// Where the supervisor keeps its sockets in a session's container.
const RUNTIME: &str = "/run/mizzen";

/// How long a wire that is being made again is waited for, and a supervisor that has just begun.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer to a question may take.
const ANSWER: Duration = Duration::from_secs(60);
/// The first wait before the supervisor is called again, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// Between two lines that say how it stands: nobody looks more often.
const STAND_PAUSE: Duration = Duration::from_millis(50);
/// Longest line that says how it stands.
const STAND_MAX: u64 = 64 * 1024;

/// One workspace that its container keeps.
pub(super) struct Mirrored {
    pub(super) session: String,
    pub(super) key: String,
    wires: Mutex<Wires>,
    stand: watch::Sender<Stand>,
}

impl Mirrored {
    pub(super) fn new(session: String, key: String, wires: Wires) -> Self {
        Self {
            session,
            key,
            wires: Mutex::new(wires),
            stand: watch::Sender::new(Stand::new(State::Starting)),
        }
    }

    /// How it stands.
    pub(super) fn view(&self) -> SyncView {
        let stand = self.stand.borrow();
        standing::view(&stand, stand.paused)
    }

    pub(super) fn changes(&self) -> watch::Receiver<Stand> {
        self.stand.subscribe()
    }

    /// Follows what the container says, until there will be no more wires.
    pub(super) async fn follow(&self) {
        let mut wires = self.wires().clone();
        let mut heard = Instant::now();
        let mut wait = BACKOFF.0;
        while let Some(wire) = wires.next().await {
            let Err(error) = self.listen(&wire, &mut heard).await;
            if wire.is_closed() {
                self.set(|stand| Stand {
                    state: State::Offline,
                    progress: None,
                    ..stand.clone()
                });
                (heard, wait) = (Instant::now(), BACKOFF.0);
                continue;
            }
            // One that has just begun does not listen yet.
            if heard.elapsed() < PATIENCE {
                wait = BACKOFF.0;
            } else {
                let why = format!("the container's supervisor does not say how it stands: {error}");
                let trouble = self.ours_trouble(Trouble::new(&why, ""));
                self.set(|stand| stand.failed(trouble));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    /// Shows what it says, until it says no more.
    async fn listen(&self, wire: &Wire, heard: &mut Instant) -> Result<Infallible, io::Error> {
        let lines = call(wire, &Request::Follow).await?;
        let show = |stand| {
            *heard = Instant::now();
            let stand = self.ours(stand);
            self.set(|_| stand);
        };
        hear(lines, show).await
    }

    /// How it stands, with hints of our own: a container must not tell a person what to type.
    fn ours(&self, stand: Stand) -> Stand {
        let trouble = stand.trouble.map(|trouble| self.ours_trouble(trouble));
        Stand {
            trouble,
            progress: stand.progress.map(Progress::plausible),
            ..stand
        }
    }

    fn ours_trouble(&self, trouble: Trouble) -> Trouble {
        let hint = match trouble.needs_consent {
            true => format!(
                "Look at both sides; when that is what you want: {}",
                standing::agree(&self.session)
            ),
            false => format!(
                "Mend the cause; sync goes on by itself. More: mizzen logs {}",
                self.session
            ),
        };
        Trouble { hint, ..trouble }
    }

    fn set(&self, next: impl FnOnce(&Stand) -> Stand) {
        self.stand.send_if_modified(|stand| {
            let next = next(stand);
            let differs = *stand != next;
            *stand = next;
            differs
        });
    }

    /// Waits for its first word, and then has it look at everything; says what that came to.
    pub(super) async fn flush(&self, consent: bool) -> Result<String, String> {
        let mut stand = self.changes();
        let settled = stand.wait_for(|stand| stand.state != State::Starting);
        // A first sync takes as long as it takes; who waits gives up, or stops the session.
        let settled = settled.await.map(|stand| stand.clone());
        if let Ok(Stand {
            trouble: Some(trouble),
            ..
        }) = settled
            && !consent
        {
            return Err(standing::reason(&trouble));
        }
        let said = match self.request(Request::Flush { consent }, None).await {
            Ok(Reply::Said(said)) => said,
            Ok(reply) => return Err(refusal(reply).why),
            Err(why) => return Err(why),
        };
        Ok(harmless::line(&said))
    }

    /// The same, unless a person does not want that anything is carried.
    pub(super) async fn flush_unless_paused(&self) -> Flushed {
        let mut stand = self.changes();
        let settled = stand.wait_for(|stand| stand.state != State::Starting);
        if settled.await.is_ok_and(|it| it.paused) {
            let hint = format!("mizzen sync resume {}", self.session);
            return Flushed::Failed(format!("Sync is paused. Go on with it: {hint}"));
        }
        let said = match self.flush(false).await {
            Ok(said) => said,
            Err(why) => return Flushed::Failed(why),
        };
        // What it is heard to say may lag behind.
        match self.request(Request::Status, Some(ANSWER)).await {
            Ok(Reply::Stand(stand)) => Flushed::Carried {
                said,
                only_there: standing::only_there(&stand),
            },
            Ok(reply) => Flushed::Failed(refusal(reply).why),
            Err(why) => Flushed::Failed(why),
        }
    }

    /// Asks it something.
    pub(super) async fn ask(
        &self,
        question: Question,
    ) -> Result<Result<SyncAnswer, Refusal>, String> {
        let reply = self.request(Request::Ask(question), Some(ANSWER)).await?;
        Ok(match reply {
            Reply::Answer(answer) => Ok(harmless::answer(answer.into())),
            reply => Err(refusal(reply)),
        })
    }

    /// Has it pause, or go on; it remembers that itself.
    pub(super) async fn pause(&self, paused: bool) -> Result<(), String> {
        let request = if paused {
            Request::Pause
        } else {
            Request::Resume
        };
        match self.request(request, Some(ANSWER)).await? {
            Reply::Said(_) => Ok(()),
            reply => Err(refusal(reply).why),
        }
    }

    async fn request(&self, request: Request, limit: Option<Duration>) -> Result<Reply, String> {
        let wire = {
            let mut wires = self.wires().clone();
            let next = timeout(PATIENCE, async move { wires.next().await });
            let gone = || "There is no connection to the container.".to_owned();
            next.await.ok().flatten().ok_or_else(gone)?
        };
        let asked = async {
            let mut lines = call(&wire, &request).await?;
            read(&mut lines, REPLY_MAX).await
        };
        let answered = match limit {
            Some(limit) => timeout(limit, asked)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
            None => asked.await,
        };
        answered.map_err(|error| {
            let why = harmless::line(&error.to_string());
            format!("The container's supervisor gives no answer: {why}.")
        })
    }

    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Lines = BufReader<mizzen_wire::Stream>;

async fn call(wire: &Wire, request: &Request) -> io::Result<Lines> {
    let target = Target::Unix(format!("{RUNTIME}/{SOCKET}").into());
    let stream = wire.open(StreamKind::Forward(target)).await;
    let mut stream = stream.map_err(io::Error::other)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(BufReader::new(stream))
}

/// Tells how it stands whenever it says so, until it says no more.
async fn hear(
    mut lines: impl AsyncBufRead + Unpin,
    mut tell: impl FnMut(Stand),
) -> Result<Infallible, io::Error> {
    loop {
        let Reply::Stand(stand) = read(&mut lines, STAND_MAX).await? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        tell(stand);
        // One that says so without end waits on its own side of the wire.
        tokio::time::sleep(STAND_PAUSE).await;
    }
}

/// The next line, which is not longer than that.
async fn read(lines: &mut (impl AsyncBufRead + Unpin), most: u64) -> io::Result<Reply> {
    let mut line = Vec::new();
    lines.take(most).read_until(b'\n', &mut line).await?;
    match line.last() {
        Some(b'\n') => Ok(serde_json::from_slice(&line)?),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Why it gives no answer; one that does not fit is none.
fn refusal(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(refusal) => Refusal {
            why: harmless::line(&refusal.why),
            ..refusal
        },
        Reply::Stand(_) | Reply::Said(_) | Reply::Answer(_) => {
            Refusal::new(Because::Failed, "the container's answer makes no sense")
        }
    }
}

#[cfg(test)]
mod tests;
