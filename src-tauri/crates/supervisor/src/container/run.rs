//! PID 1: starts what belongs to the session, collects what ends, and ends in good order.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use mizzen_tasks::Owner;
use rustix::process::{Signal, getpid, set_child_subreaper};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::board::{Board, Stage};
use super::children::Children;
use super::code_server::CodeServer;
use super::commands::Commands;
use super::farewell::Farewell;
use super::health;
use super::identity::Identity;
use super::journal::Journal;
use super::metrics;
use super::mirror::{self, Mirror};
use super::report;
use super::reporter::Reporter;
use super::{VERSION, complain, places, workspace};

/// How long it may take to write down how the last command ended.
const LAST_COMMAND: Duration = Duration::from_millis(500);
/// Between two looks at what is nobody's child in here.
const GLANCE: Duration = Duration::from_millis(20);

/// Serves until TERM or INT.
pub(crate) async fn run(identity: Identity, mirror: Option<mirror::Settings>) -> ExitCode {
    match serve(identity, mirror).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(identity: Identity, mirror: Option<mirror::Settings>) -> io::Result<()> {
    // Before anything is started: PID 1 is spared signals that it has no handler for.
    let mut signals = Signals::new()?;
    // Under another init, orphans of our children still come to us.
    let _ = set_child_subreaper(Some(getpid()));
    let owner = Owner::root("supervisor");
    let (board, journal, children) = (Board::new(), Journal::start()?, Children::default());
    greet(&journal, &identity);
    if let Err(error) = places::link_status() {
        journal.note(format_args!(
            "other agents find no status directory: {error}"
        ));
    }
    board.set_warning("user", identity.problem());

    let runtime = places::runtime_dir(identity.uid);
    let looked = workspace::first(&board).await;
    owner.spawn("workspace", workspace::keep(board.clone(), looked));
    let reported = start_reporter(&owner, Reporter::new(&board, &journal, runtime.as_deref()));
    if let Some(dir) = places::status_dir() {
        owner.spawn("metrics", metrics::keep(dir, journal.clone()));
    }
    owner.spawn("health", health::keep(board.clone()));
    listen(&owner, &board, &journal, runtime.as_deref());
    let mirror = mirror.map(|settings| {
        let said = (&board, &journal);
        Mirror::start(settings, &owner, said, runtime.as_deref())
    });
    let mirror = mirror.transpose()?;
    let in_step = mirror
        .as_ref()
        .map(|mirror| mirror::settled(mirror.watch()));
    let service_owner = owner.child("code-server");
    let code_server = CodeServer {
        board: board.clone(),
        journal: journal.clone(),
        children: children.clone(),
        identity: identity.clone(),
        runtime,
        owner: owner.clone(),
    };
    let first = board.clone();
    service_owner.spawn("run", async move {
        // A sync that fails keeps nobody from working.
        if let Some(in_step) = in_step {
            in_step.await;
            first.set_first_sync(None);
        }
        code_server.run().await;
    });

    let (shutdown, mut shutdowns) = mpsc::channel(1);
    let (stop_commands, end_commands) = (CancellationToken::new(), CancellationToken::new());
    let commands = places::status_dir().map(|status_dir| Commands {
        status_dir,
        board: board.clone(),
        journal: journal.clone(),
        children: children.clone(),
        identity,
        owner: owner.clone(),
        shutdown,
        reload: mirror.as_ref().map(Mirror::reload),
    });
    let until = (stop_commands.clone(), end_commands.clone());
    let commands_ended = start_commands(&owner, commands, until);

    let (cause, mut farewell) = signals
        .collect_until_told(&children, &mut shutdowns, mirror.is_some())
        .await;
    journal.note(format_args!("{cause}: stopping"));
    // No restarts from here on.
    service_owner.stopping().cancel();
    stop_commands.cancel();
    board.set_stage(Stage::Stopping);
    let told = Instant::now();
    if !signals.stop_all(&children, &mut farewell).await {
        let grace = told.elapsed().as_secs();
        journal.note(format_args!("killed what was left after {grace} s"));
    }
    let mut is_behind = false;
    if let Some(mirror) = mirror {
        let last = mirror.stop(farewell.sync(Instant::now())).await;
        is_behind = last.is_err();
        let said = last.unwrap_or_else(|why| format!("not in step: {why}"));
        journal.note(format_args!("last sync: {said}"));
    }
    // How the last command ended is written before the last report.
    end_commands.cancel();
    let _ = timeout(LAST_COMMAND, commands_ended).await;
    board.set_stopped();
    if is_behind {
        // The last report is all that is left to tell it.
        board.set_service(mirror::SYNC, "behind");
    }
    let _ = timeout_at(farewell.report(), reported).await;
    journal.note("stopped");
    journal.flush();
    Ok(())
}

/// Programs in the container may report; without a place for the socket they cannot, and all else serves.
fn listen(owner: &Owner, board: &Board, journal: &Journal, runtime: Option<&Path>) {
    if let Err(error) = report::serve(owner, runtime, board) {
        journal.note(format_args!("programs cannot report: {error}"));
    }
}

fn greet(journal: &Journal, identity: &Identity) {
    let user = identity.user.as_deref().unwrap_or("nobody known");
    journal.note(format_args!(
        "version {VERSION}, as {user} ({}:{})",
        identity.uid, identity.gid
    ));
}

/// Resolves when the last report is written.
fn start_reporter(owner: &Owner, reporter: Reporter) -> oneshot::Receiver<()> {
    let (done, reported) = oneshot::channel();
    owner.spawn("reporter", async move {
        reporter.run().await;
        let _ = done.send(());
    });
    reported
}

/// Resolves when the last command has ended.
fn start_commands(
    owner: &Owner,
    commands: Option<Commands>,
    (stop, end): (CancellationToken, CancellationToken),
) -> oneshot::Receiver<()> {
    let (done, ended) = oneshot::channel();
    if let Some(commands) = commands {
        owner.spawn("commands", async move {
            commands.run(stop, end).await;
            let _ = done.send(());
        });
    }
    ended
}

/// The signals that PID 1 lives by.
struct Signals {
    child: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Collects children until somebody wants us to end.
    async fn collect_until_told(
        &mut self,
        children: &Children,
        shutdowns: &mut mpsc::Receiver<Option<u64>>,
        syncs: bool,
    ) -> (&'static str, Farewell) {
        loop {
            children.reap();
            let signal = tokio::select! {
                _ = self.child.recv() => continue,
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                Some(seconds) = shutdowns.recv() => {
                    let farewell = Farewell::of_host(Instant::now(), seconds, syncs);
                    return ("the host asks for it", farewell);
                }
            };
            return (signal, Farewell::of_engine(Instant::now(), syncs));
        }
    }

    /// Asks all processes to end, and after a while makes them; says whether asking was enough.
    async fn stop_all(&mut self, children: &Children, farewell: &mut Farewell) -> bool {
        children.signal_all(Signal::TERM);
        // A last sync carries what all of them wrote.
        let others = farewell.syncs();
        let Self {
            child, terminate, ..
        } = self;
        let ended = loop {
            tokio::select! {
                () = collect_all(child, children, others) => break true,
                () = sleep_until(farewell.children()) => break false,
                _ = terminate.recv() => farewell.hurry(Instant::now()),
            }
        };
        if !ended {
            // The kernel does the same for all that are left when PID 1 ends; the last report
            // shall be true before that.
            children.signal_all(Signal::KILL);
            let collected = collect_all(child, children, others);
            let _ = timeout(Duration::from_millis(500), collected).await;
        }
        ended
    }
}

/// Collects children until there are none, and waits for `others` as well: an exec's are not ours to collect.
///
/// Nobody is asked twice: many programs take that for impatience, and leave what they were about to save. Known here: the
/// kernel gives a signal to all also to who is being forked.
async fn collect_all(child: &mut tokio::signal::unix::Signal, children: &Children, others: bool) {
    loop {
        let is_left = children.reap();
        let are_others = others && children.are_others();
        if !is_left && !are_others {
            return;
        }
        tokio::select! {
            _ = child.recv() => {}
            // Nobody tells us of their ends.
            () = sleep(GLANCE), if are_others => {}
        }
    }
}
