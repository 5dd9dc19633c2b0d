//! Carries out what the host asks for in `commands.json`, each command once and one at a time, and says how far each is.

mod ledger;
mod left;
mod log;
#[cfg(test)]
mod race;
mod running;
mod turn;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_fsx::{SafeDir, Watch, WatchError};
use mizzen_status::{
    Ack, AckState, COMMANDS_FILE, CommandId, Commands as Queue, Exec, Keep, Reading, Signal,
    read_commands,
};
use mizzen_tasks::Owner;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::children::Children;
use super::identity::Identity;
use super::journal::Journal;
use ledger::Ledger;
use running::Program;
use turn::{Mood, Step};

/// The safety net under lost hints.
const POLL: Duration = Duration::from_secs(2);
/// After a file that is not written to its end.
const SOON: Duration = Duration::from_millis(50);
/// Where the board says what is wrong.
const ABOUT: &str = "commands";

/// Directory of outputs and of the ledger, below the status directory.
const LOGS: &str = "logs";

/// What it takes to carry out commands.
pub(crate) struct Commands {
    pub(crate) status_dir: PathBuf,
    pub(crate) board: Board,
    pub(crate) journal: Journal,
    pub(crate) children: Children,
    pub(crate) identity: Identity,
    pub(crate) owner: Owner,
    /// Told when the host asks for the end of everything, with the seconds that it grants.
    pub(crate) shutdown: mpsc::Sender<Option<u64>>,
    /// Has the settings read again, where there are some.
    pub(crate) reload: Option<Reload>,
}

type Reload = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The one that runs.
struct Running {
    id: CommandId,
    cancel: CancellationToken,
    end: oneshot::Receiver<Ack>,
}

/// Everything as it is known by now.
struct Desk {
    ledger: Ledger,
    queue: Queue,
    running: Option<Running>,
    /// How the last one ended, while that is not on the disk.
    ended: Option<Ack>,
    /// When everything ends: what waited by then, and waits for the next start.
    spared: Option<Vec<CommandId>>,
}

impl Commands {
    /// Goes on until `end`; from `stop` on nothing is begun any more. The command that runs then has ended, and that is
    /// known, before this ends.
    pub(crate) async fn run(self, stop: CancellationToken, end: CancellationToken) {
        let hinted = Arc::new(Notify::new());
        // Without file events the poll alone serves.
        let _watch = self.watch(hinted.clone()).ok();
        let Some(mut desk) = self.open(&stop).await else {
            return;
        };
        while !end.is_cancelled() {
            let is_stopping = desk.spared.is_some();
            if stop.is_cancelled() && !is_stopping {
                desk.spared = Some(desk.queue.queued.iter().map(|it| it.id.clone()).collect());
            }
            let (again, unread) = self.look(&mut desk);
            let untold = self.settle(&mut desk).err();
            let stuck = self.work(&mut desk).err();
            // Told once, after all of it: a reader is not to see it come and go.
            self.complain(unread.or(untold).or(stuck));
            self.show(&desk);
            tokio::select! {
                () = stop.cancelled(), if !is_stopping => {}
                () = end.cancelled() => {}
                ended = ended(&mut desk.running) => self.note(&mut desk, ended),
                () = hinted.notified() => {}
                () = tokio::time::sleep(again) => {}
            }
        }
        if desk.running.is_some() {
            let last = ended(&mut desk.running).await;
            self.note(&mut desk, last);
        }
        if let Err(why) = self.settle(&mut desk) {
            self.complain(Some(why));
        }
        self.show(&desk);
    }

    /// Hints at changes of the queue. Those of our own reports beside it are none: each command brings some.
    fn watch(&self, hinted: Arc<Notify>) -> Result<Watch, WatchError> {
        Watch::of_file(&self.status_dir, COMMANDS_FILE, move || hinted.notify_one())
    }

    /// Opens the ledger, without which nothing is run: nobody would know what has run already.
    async fn open(&self, stop: &CancellationToken) -> Option<Desk> {
        loop {
            match Ledger::open(&self.status_dir.join(LOGS)) {
                Ok(ledger) => {
                    self.complain(None);
                    return Some(Desk {
                        ledger,
                        queue: Queue::default(),
                        running: None,
                        ended: None,
                        spared: None,
                    });
                }
                Err(error) => self.complain(Some(format!("commands are not run: {error}"))),
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Reads the queue; says when to look again, and why it was not read. What was asked for before stays asked for then.
    fn look(&self, desk: &mut Desk) -> (Duration, Option<String>) {
        let Ok(dir) = SafeDir::open(&self.status_dir) else {
            return (POLL, None);
        };
        match read_commands(&dir, None) {
            Reading::Good(queue) => desk.queue = queue,
            Reading::Absent => desk.queue = Queue::default(),
            Reading::Keep(Keep::Torn) => return (SOON, None),
            Reading::Keep(keep) => {
                return (POLL, Some(format!("{COMMANDS_FILE} is not used: {keep}")));
            }
        }
        (POLL, None)
    }

    /// Takes every step that can be taken now; why there is one that cannot, in words.
    fn work(&self, desk: &mut Desk) -> Result<(), String> {
        let next = |desk: &Desk| {
            let mood = match &desk.spared {
                Some(spared) => Mood::Ending(spared),
                None if desk.running.is_some() || desk.ended.is_some() => Mood::Busy,
                None => Mood::Free,
            };
            turn::next(&desk.queue, &desk.ledger, mood, Timestamp::now())
        };
        // Known here: each step notes its command, and the next one is another's.
        while let Some(step) = next(desk) {
            let taken = match step {
                Step::Tell(ack) => desk.ledger.note(ack),
                Step::Signal(id, signal) => self.signal(desk, id, signal),
                Step::Run(id, exec) => self.start(desk, id, exec),
            };
            taken.map_err(|error| format!("commands are not run: {error}"))?;
        }
        let short = desk.ledger.keep_short(&desk.queue);
        short.map_err(|error| format!("the list of past commands grows: {error}"))
    }

    /// Begins a command. That it was begun is on the disk before it is.
    fn start(&self, desk: &mut Desk, id: CommandId, exec: Exec) -> Result<(), String> {
        let mut ack = Ack::new(id.clone(), AckState::Running);
        ack.started_at = Some(Timestamp::now().to_string());
        ack.log = Some(log::name(&id));
        desk.ledger.note(ack.clone())?;
        let cancel = CancellationToken::new();
        let (tell, end) = oneshot::channel();
        let program = Program {
            logs: self.status_dir.join(LOGS),
            children: self.children.clone(),
            identity: self.identity.clone(),
            owner: self.owner.clone(),
        };
        self.journal.note(format_args!("command {id} begins"));
        let cancelled = cancel.clone();
        self.owner.spawn("command", async move {
            // Nobody waits any more when everything ends.
            let _nobody = tell.send(program.run(ack, &exec, cancelled).await);
        });
        desk.running = Some(Running { id, cancel, end });
        Ok(())
    }

    fn signal(&self, desk: &mut Desk, id: CommandId, signal: Signal) -> Result<(), String> {
        let mut ack = Ack::new(id, AckState::Succeeded);
        match signal {
            Signal::ReportNow => self.board.report_now(),
            // One that comes while everything ends already changes nothing.
            Signal::Shutdown { deadline_s } => drop(self.shutdown.try_send(deadline_s)),
            Signal::ReloadConfig => {
                let nothing =
                    || Err("there are no settings here that could be read again".to_owned());
                if let Err(why) = self.reload.as_ref().map_or_else(nothing, |reload| reload()) {
                    ack.state = AckState::Rejected;
                    ack.error = Some(why);
                }
            }
            Signal::Cancel { target } => {
                if let Err(why) = cancel(desk, &target)? {
                    ack.state = AckState::Rejected;
                    ack.error = Some(why);
                }
            }
        }
        desk.ledger.note(ack)
    }

    /// The one that ran has ended.
    fn note(&self, desk: &mut Desk, ack: Ack) {
        desk.running = None;
        self.journal
            .note(format_args!("command {}: {}", ack.id, ack.state));
        desk.ended = Some(ack);
        log::keep_small(&self.status_dir.join(LOGS));
    }

    /// Writes down how the one that ran has ended. A disk that is full takes it later: whoever waits for it would wait for
    /// ever otherwise.
    fn settle(&self, desk: &mut Desk) -> Result<(), String> {
        let Some(ack) = &desk.ended else {
            return Ok(());
        };
        let written = desk.ledger.note(ack.clone());
        written.map_err(|error| format!("the end of command {} is not told: {error}", ack.id))?;
        desk.ended = None;
        Ok(())
    }

    fn show(&self, desk: &Desk) {
        self.board
            .set_commands(turn::acks(&desk.queue, &desk.ledger));
    }

    fn complain(&self, why: Option<String>) {
        self.board.set_error(ABOUT, why);
    }
}

/// Ends a command or takes it out of the queue; why there is nothing to end.
fn cancel(desk: &mut Desk, target: &CommandId) -> Result<Result<(), String>, String> {
    if let Some(running) = desk.running.as_ref().filter(|it| it.id == *target) {
        running.cancel.cancel();
        return Ok(Ok(()));
    }
    let waits = desk.queue.queued.iter().any(|it| it.id == *target);
    if !waits || desk.ledger.knows(target) {
        return Ok(Err(format!("`{target}` neither runs nor waits")));
    }
    desk.ledger
        .note(Ack::new(target.clone(), AckState::Killed))
        .map(Ok)
}

/// How the one that runs has ended; waits for ever when none runs.
async fn ended(running: &mut Option<Running>) -> Ack {
    let Some(Running { id, end, .. }) = running else {
        return std::future::pending().await;
    };
    match end.await {
        Ok(ack) => ack,
        // Its task was stopped with everything else.
        Err(_) => Ack::new(id.clone(), AckState::Interrupted),
    }
}
