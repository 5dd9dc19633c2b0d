//! The status directory of a container that shares no files with this machine: its tree stands here all the same, so that
//! whoever reads files sees no difference. It comes over the wire while one stands, and through the engine after the end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mizzen_docker::Engine;
use mizzen_fsx::{SafeDir, Watch};
use mizzen_status::{
    COMMANDS_FILE, End, LEDGER_FILE, LEDGER_MAX, NotTaken, Part, REGISTRY_FILE, Taker, Teller,
    carried_file,
};
use mizzen_wire::{StreamKind, Wire, read_part, write_part};
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::para::{self, ParaDirs};
use crate::provision;
use crate::record::Record;
use crate::wiring::Line;

/// Where the container has its status directory.
const STATUS: &str = "/para/status";

/// Between two looks at our files, and the time in which so many parts of the container's are taken.
const SPACING: Duration = Duration::from_millis(250);
const PARTS: u32 = 64;
/// The safety net under lost hints.
const POLL: Duration = Duration::from_secs(5);
/// Before a stream that broke off is opened again: a little at first, and long where it never holds.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// All that is fetched from a container that has ended, and how long it may take.
const TREE_MAX: usize = 80 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// As long as the protocol lets the list of a project's containers be.
const REGISTRY_MAX: u64 = 1 << 20;

/// Where a session's files go.
#[derive(Clone)]
pub(crate) struct Ends {
    status: PathBuf,
    owner: Option<(u32, u32)>,
}

impl Ends {
    pub(crate) fn of(record: &Record) -> Self {
        let para = ParaDirs::of(&record.project, &record.name);
        Self {
            status: para.status,
            owner: para::give_to(record.user),
        }
    }

    fn taker(&self) -> Taker {
        Taker::new(End::Container, self.status.clone(), self.owner)
    }
}

/// Carries whenever a wire stands, until it is dropped.
pub(crate) async fn keep(mut line: watch::Receiver<Line>, ends: Ends) {
    let mut wait = AGAIN.0;
    loop {
        let up = line.wait_for(|line| matches!(line, Line::Up(_))).await;
        let Ok(Line::Up(wire)) = up.map(|line| line.clone()) else {
            return;
        };
        let began = Instant::now();
        if let Err(error) = carry(&wire, &ends).await {
            let why = mizzen_status::sanitise(&error.to_string(), 200);
            tracing::debug!(status = %ends.status.display(), why, "not carried");
        }
        if began.elapsed() > AGAIN.1 {
            wait = AGAIN.0;
        }
        sleep(wait).await;
        wait = (wait * 2).min(AGAIN.1);
    }
}

async fn carry(wire: &Wire, ends: &Ends) -> io::Result<()> {
    let stream = wire
        .open(StreamKind::Status)
        .await
        .map_err(io::Error::other)?;
    let (from, to) = split(stream);
    tokio::select! {
        told = tell(to, ends) => told,
        taken = take(from, ends) => taken,
    }
}

async fn tell(mut to: impl AsyncWrite + Unpin, ends: &Ends) -> io::Result<()> {
    let hinted = Arc::new(Notify::new());
    let hint = hinted.clone();
    // Without file events the poll alone serves.
    let _watch = Watch::of_file(&ends.status, COMMANDS_FILE, move || hint.notify_one()).ok();
    let mut teller = Teller::new(End::Host, ends.status.clone());
    loop {
        let looked = spawn_blocking(move || {
            let news = teller.look();
            (teller, news)
        });
        let (again, news) = looked.await.expect("BUG: looking does not panic");
        teller = again;
        for (part, bytes) in news {
            write_part(&mut to, &part, &bytes).await?;
        }
        let _hinted = timeout(POLL, hinted.notified()).await;
        sleep(SPACING / 5).await;
    }
}

async fn take(mut from: impl AsyncRead + Unpin, ends: &Ends) -> io::Result<()> {
    let taker = Arc::new(ends.taker());
    let size = |part: &Part| part.size_from(End::Container).map_err(io::Error::other);
    let (mut taken, mut window) = (0, Instant::now());
    loop {
        let (part, bytes) = read_part(&mut from, size).await?;
        let taker = taker.clone();
        let written = spawn_blocking(move || taker.take(&part, &bytes));
        match written.await.expect("BUG: writing does not panic") {
            // The log ends there; all else goes on.
            Ok(()) | Err(NotTaken::NoRoom) => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        taken += 1;
        if taken == PARTS {
            // One that is never silent is heard now and then.
            sleep_until(window + SPACING).await;
            (taken, window) = (0, Instant::now());
        }
    }
}

/// Puts the list of a project's containers into one of them whenever it changes, until this is dropped. The engine does it:
/// what the container's own user could write, an agent could.
pub(crate) async fn share(engine: Engine, container: String, shared: PathBuf) {
    let hinted = Arc::new(Notify::new());
    let hint = hinted.clone();
    // Without file events the poll alone serves.
    let _watch = Watch::of_file(&shared, REGISTRY_FILE, move || hint.notify_one()).ok();
    let mut put = None;
    loop {
        let dir = shared.clone();
        let read = spawn_blocking(move || read(&dir, REGISTRY_FILE, REGISTRY_MAX));
        let list = read.await.expect("BUG: reading does not panic");
        if list.is_some() && list != put {
            let tar = provision::shared(list.as_deref().unwrap_or_default());
            match engine.upload(&container, "/", tar).await {
                Ok(()) => put = list,
                Err(error) => tracing::debug!(container, %error, "not shared"),
            }
        }
        let _hinted = timeout(POLL, hinted.notified()).await;
        sleep(SPACING).await;
    }
}

fn read(dir: &Path, name: &str, max: u64) -> Option<Vec<u8>> {
    SafeDir::open(dir).ok()?.read_regular(name, max, None).ok()
}

/// Brings what a container has written by its end; it may have been removed since. What does not come is told in the log.
pub(crate) async fn fetch(engine: &Engine, container: &str, ends: &Ends) {
    let fetched = timeout(PATIENCE, engine.download(container, STATUS, TREE_MAX)).await;
    let files = match fetched {
        Ok(Ok(files)) => files,
        Ok(Err(error)) => return tracing::debug!(container, %error, "no last words"),
        Err(_) => return tracing::debug!(container, "no last words in time"),
    };
    let taker = ends.taker();
    let written = spawn_blocking(move || {
        for file in files {
            // The archive names the directory itself first.
            let below = Path::new(&file.path).strip_prefix("status");
            let Some(place) = below.ok().and_then(carried_file) else {
                continue;
            };
            if let Err(error) = taker.take_whole(&place, &file.content) {
                tracing::debug!(path = file.path, %error, "not taken");
            }
        }
    });
    written.await.expect("BUG: writing does not panic");
}

/// The container's own list of what it has carried out, as this machine has it: a container that is made anew begins with
/// it, and does nothing twice.
pub(crate) fn ledger(record: &Record) -> Vec<u8> {
    let logs = ParaDirs::of(&record.project, &record.name)
        .status
        .join("logs");
    read(&logs, LEDGER_FILE, LEDGER_MAX).unwrap_or_default()
}
