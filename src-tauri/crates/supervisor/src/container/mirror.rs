//! A dual mount: a folder of the host and the workspace, kept in step by this container alone.
//!
//! The link runs in a thread of its own, since it blocks. What it remembers lies in the workspace itself, in a place
//! that is never synced: a workspace that was made anew comes without it, and then nothing is deleted on either side.

mod keeper;
mod pair;
mod settings;
mod shared;
mod socket;
mod verb;
mod words;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use mizzen_status::Progress;
use mizzen_sync::told::{Stand, State};
use mizzen_tasks::Owner;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::board::Board;
use super::journal::Journal;

pub(crate) use settings::Settings;
pub(crate) use verb::ask;

use shared::Shared;

/// How a person in the container agrees to what has stopped it.
const AGREE: &str = "mizzen-supervisor mirror flush --consent";

/// What is about the mirror on the board.
pub(crate) const SYNC: &str = "sync";

/// The two folders, kept in step until [`Self::stop`].
pub(crate) struct Mirror {
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
}

impl Mirror {
    /// Joins both folders, answers on a socket, and shows on the board how they stand.
    pub(crate) fn start(
        settings: Settings,
        owner: &Owner,
        (board, journal): (&Board, &Journal),
        runtime: Option<&Path>,
    ) -> io::Result<Self> {
        let is_paused = pair::is_paused(&settings);
        let (retry, retries) = mpsc::channel();
        let shared = Arc::new(Shared::new(retry, is_paused));
        let stand = shared.watch();
        owner.spawn("mirror", show(stand, board.clone(), journal.clone()));
        let served = match runtime {
            Some(dir) => socket::serve(owner, dir, &shared, &settings),
            None => Err(io::Error::other("there is no place for a socket")),
        };
        if let Err(error) = served {
            journal.note(format_args!("mirror: it cannot be asked: {error}"));
        }
        let (end, ended) = oneshot::channel();
        board.set_first_sync((!is_paused).then(|| Progress {
            message: Some("looking at both folders".to_owned()),
            ..Progress::default()
        }));
        let (kept, board) = (shared.clone(), board.clone());
        let keep = move || {
            keeper::keep(&settings, &kept, &board, &retries);
            // Who waits may be gone.
            let _ = end.send(());
        };
        thread::Builder::new().name(SYNC.to_owned()).spawn(keep)?;
        Ok(Self { shared, ended })
    }

    /// How it stands, now and as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Stand> {
        self.shared.watch()
    }

    /// Has both folders looked at by their rules as they are now; why that cannot be, in words.
    pub(crate) fn reload(&self) -> Box<dyn Fn() -> Result<(), String> + Send + Sync> {
        let shared = self.shared.clone();
        Box::new(move || shared.looks_again().map_err(|refusal| refusal.why))
    }

    /// Carries what is to be carried once more and ends; what is not done by then is carried after the next start. Answers
    /// what that came to, or why the workspace still holds what `/host` does not.
    pub(crate) async fn stop(self, deadline: Instant) -> Result<String, String> {
        let flushed = match self.shared.is_paused() {
            true => Err("sync is paused: nothing was carried".to_owned()),
            false => match timeout_at(deadline, self.shared.flush()).await {
                Ok(Ok(said)) => self.shared.stand().left_there().map_or(Ok(said), Err),
                Ok(Err(refusal)) => Err(refusal.why),
                Err(_) => Err("the last sync took too long; the next start goes on".to_owned()),
            },
        };
        self.shared.ends();
        let _ = timeout_at(deadline, self.ended).await;
        flushed
    }
}

/// Waits until both folders were in step once, or cannot be for now.
pub(crate) async fn settled(mut stand: watch::Receiver<Stand>) {
    // The keeper outlives whoever waits.
    let _ = stand.wait_for(|stand| stand.state != State::Starting).await;
}

async fn show(mut stand: watch::Receiver<Stand>, board: Board, journal: Journal) {
    let mut said = String::new();
    loop {
        let now = stand.borrow_and_update().clone();
        board.set_service(SYNC, words::state(now.state));
        board.set_warning(SYNC, words::warning(&now));
        let says = words::line(&now);
        if says != said {
            journal.note(format_args!("sync: {says}"));
            said = says;
        }
        if stand.changed().await.is_err() {
            return;
        }
    }
}
