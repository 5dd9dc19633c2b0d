//! Keeps one workspace in step: a link on each wire that stands, in a thread of its own, since a link blocks.

use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use mizzen_sessions::SyncedWorkspace;
use mizzen_sync::told::Trouble;
use mizzen_sync::{CycleError, EndpointError, Order, RemoteEndpoint};
use mizzen_sync_core::Side;
use mizzen_wire::{BlockingReader, BlockingWriter, StreamKind, Wire, into_blocking};
use tokio::sync::oneshot;

use super::Links;
use super::opening::{Opening, link_id};
use super::shared::Shared;

/// The first wait before another attempt while a wire stands, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// Goes on until the workspace has no more wires, or it is dropped.
pub(super) async fn keep(links: Links, shared: Arc<Shared>, mut workspace: SyncedWorkspace) {
    let mut wait = BACKOFF.0;
    while let Some(wire) = workspace.wires.next().await {
        let turn = shared.begins();
        let kept = tokio::select! {
            kept = keep_on(&links, &shared, turn, &workspace, &wire) => kept,
            _ = wire.closed() => Ok(Ended::Lost),
        };
        match kept {
            Ok(ended) => {
                shared.lets_go();
                if matches!(ended, Ended::Well) {
                    wait = BACKOFF.0;
                }
            }
            Err(trouble) => {
                tracing::info!(
                    session = shared.session,
                    why = trouble.reason,
                    "not in step"
                );
                shared.fails(&trouble);
            }
        }
        if wire.is_closed() {
            shared.goes_offline();
            wait = BACKOFF.0;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(BACKOFF.1),
            () = shared.retry.notified() => wait = BACKOFF.0,
            _ = wire.closed() => shared.goes_offline(),
        }
    }
}

/// How a link ended.
enum Ended {
    /// It had brought both sides in step before.
    Well,
    /// It never came to that.
    Lost,
}

/// Opens a link on a wire and keeps it to its end.
async fn keep_on(
    links: &Links,
    shared: &Arc<Shared>,
    turn: u64,
    workspace: &SyncedWorkspace,
    wire: &Wire,
) -> Result<Ended, Trouble> {
    let volume = workspace.engine.volume(&workspace.volume).await;
    let volume = volume.map_err(|error| Trouble::new(&error.to_string(), error.hint()))?;
    let volume = volume.ok_or_else(|| {
        let why = format!("the engine has no volume `{}`", workspace.volume);
        Trouble::new(&why, &shared.restart_hint())
    })?;
    let stream = wire.open(StreamKind::Sync).await.map_err(|error| {
        let why = format!("the container serves no folder: {error}");
        Trouble::new(&why, &shared.restart_hint())
    })?;
    let opening = Opening {
        session: shared.session.clone(),
        project: workspace.project.clone(),
        state: links.state().to_owned(),
        id: link_id(workspace, &volume),
        git_global: links.git_global().map(ToOwned::to_owned),
    };
    let (ordered, orders) = mpsc::channel();
    let (end, ended) = oneshot::channel();
    // Dropped with this future: the thread ends with its cycle.
    let _stop = StopWhenDropped(ordered.clone());
    let shared = shared.clone();
    let name = format!("sync:{}", shared.session);
    let halves = into_blocking(Box::new(stream));
    let run = move || {
        let _nobody_waits = end.send(run(opening, halves, (&shared, turn), ordered, &orders));
    };
    let started = thread::Builder::new().name(name).spawn(run);
    started.map_err(|error| Trouble::new(&error.to_string(), "Close other programs."))?;
    ended.await.unwrap_or(Ok(Ended::Lost))
}

struct StopWhenDropped(mpsc::Sender<Order>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        // Nobody is there to be told when the thread has ended.
        let _ended = self.0.send(Order::Stop);
    }
}

/// Blocks until the link ends.
fn run(
    opening: Opening,
    (from, to): (BlockingReader, BlockingWriter),
    (shared, turn): (&Arc<Shared>, u64),
    ordered: mpsc::Sender<Order>,
    orders: &mpsc::Receiver<Order>,
) -> Result<Ended, Trouble> {
    let (mut folders, interval) = opening.open(|side| RemoteEndpoint::open(from, to, side))?;
    let told = shared.clone();
    let tell = move |progress| told.comes_along(turn, progress);
    folders.link.tell_progress(tell);
    shared.is_kept(turn, &ordered);
    let mut ended = Ended::Lost;
    let kept = folders.link.keep(interval, &ordered, orders, |cycle| {
        if is_cut_off(cycle) {
            return ControlFlow::Break(());
        }
        shared.hears(turn, cycle);
        if cycle.is_ok() {
            ended = Ended::Well;
        }
        ControlFlow::Continue(())
    });
    match kept {
        Ok(()) => Ok(ended),
        Err(EndpointError::Wire(_)) => Ok(Ended::Lost),
        Err(error) => Err(Trouble::new(
            &format!("changes cannot be watched: {error}"),
            "Close other programs that watch folders.",
        )),
    }
}

/// Whether the container's side is out of reach for good: a link on another stream may find it again.
fn is_cut_off<T>(cycle: &Result<T, CycleError>) -> bool {
    matches!(
        cycle,
        Err(CycleError::Look(Side::Container, EndpointError::Wire(_)))
    )
}
