//! The end that has the folder.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mizzen_fsx::remove_leftovers;
use mizzen_sync_core::{Node, differences};

use super::frames::{Frame, Reader, Writer, senseless};
use super::message::{Ask, Back, Cause, Done, Gone, OpenSide, Told, View};
use super::place::{Changed, Place, dirty, edited, places, plan};
use super::supply::{Line, Pulled, lock, push};
use super::texts::Texts;
use super::wanted::asked;
use crate::apply::{Applied, ApplyError, Failure, Why};
use crate::encoding::number;
use crate::endpoint::{
    Endpoint, EndpointError, LocalEndpoint, LocalOptions, TakeBack, TakenBack, Wake,
};
use crate::root::Root;
use crate::settings;
use crate::trash::{CycleId, Recall, Retention, Trash};

/// How often the one who waits is told that we are at work.
pub(super) const ALIVE_EVERY: Duration = Duration::from_secs(5);

/// Where the folder keeps what was displaced in it, and what was seen of it. Looks pass over such names, and all is on
/// one file system, whatever is mounted where. What one of several links displaces lies apart: whoever opens a trash
/// clears up after cycles that have it open.
const TRASH: &str = ".mizzen-tmp-trash";
const MEMORY: &str = ".mizzen-tmp-seen";

/// How a folder is served.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// What new entries are not allowed: bits as of `umask`.
    pub umask: u32,
    /// How long what was displaced is kept.
    pub retention: Retention,
    /// The time, in nanoseconds since 1970, by the clock that sets the times of files.
    pub now: fn() -> i64,
}

/// Serves one folder to whoever asks, until they hang up. It blocks.
///
/// # Errors
/// The stream broke, or what came makes no sense.
pub fn serve(
    from: impl Read + Send + 'static,
    to: impl Write + Send + 'static,
    options: &ServeOptions,
) -> io::Result<()> {
    let mut line = Line {
        frames: Box::new(Reader::new(from)),
        to: Writer::new(to),
    };
    let (side, trash) = loop {
        match next(&mut line)? {
            Some(Ask::Open(side)) => break (side, TRASH.to_owned()),
            Some(Ask::OpenFor { side, link }) => break (side, trash_of(&link)?),
            Some(Ask::Folder(path)) => line.to.message(&folder(path))?,
            None => return Ok(()),
            Some(_) => return Err(senseless("no folder was asked for")),
        }
    };
    let endpoint = match opened(side, &trash, options) {
        Ok(endpoint) => endpoint,
        Err(error) => return line.to.message(&Told::Refused(error.into())),
    };
    line.to.message(&Told::Done)?;
    let alive = Alive::start(line.to.clone())?;
    let mut served = Served {
        endpoint,
        told: None,
        changed: Arc::default(),
    };
    let line = Mutex::new(line);
    loop {
        let Some(ask) = next(&mut lock(&line))? else {
            return Ok(());
        };
        alive.set(true);
        let answer = served.answer(ask, &line)?;
        alive.set(false);
        if let Some(answer) = answer {
            let to = lock(&line).to.clone();
            to.message(&answer)?;
        }
    }
}

/// The next question; none when there are no more.
fn next(line: &mut Line) -> io::Result<Option<Ask>> {
    match line.frames.next() {
        Ok(Frame::Message(bytes)) => postcard::from_bytes(&bytes).map_err(senseless).map(Some),
        Ok(_) => Err(senseless("something else than a question")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where a folder is, and what its settings say.
fn folder(path: PathBuf) -> Told {
    let found = || -> io::Result<Told> {
        let whole = path.canonicalize()?;
        let root = Root::open(whole.clone()).map_err(|error| error.source)?;
        let settings = settings::text(&root)?;
        Ok(Told::Folder {
            path: whole,
            settings,
        })
    };
    let refused = |source| EndpointError::Place {
        path: path.clone(),
        source,
    };
    found().unwrap_or_else(|error| Told::Refused(refused(error).into()))
}

/// Where a folder keeps what one of its links displaces.
fn trash_of(link: &str) -> io::Result<String> {
    let is_name = (1..=64).contains(&link.len()) && link.bytes().all(|it| it.is_ascii_hexdigit());
    match is_name {
        true => Ok(format!("{TRASH}-{link}")),
        false => Err(senseless("no link is called so")),
    }
}

fn opened(
    side: OpenSide,
    name: &str,
    options: &ServeOptions,
) -> Result<LocalEndpoint, EndpointError> {
    let place = |path, source| EndpointError::Place { path, source };
    let root = Root::open(side.path.clone()).map_err(|error| place(error.path, error.source))?;
    let in_trash = |error: crate::trash::TrashError| place(error.path, error.source);
    let trash = Trash::open(side.path.join(name)).map_err(in_trash)?;
    trash.remove_leftovers(&root).map_err(in_trash)?;
    let memory = side.path.join(MEMORY);
    // Another link of the folder may be writing it: then that one keeps nothing, on which nothing depends.
    let removed = remove_leftovers(&memory);
    removed.map_err(|error| place(error.path, error.source))?;
    let local = LocalOptions {
        size_max: side.size_max,
        links: side.links,
        look_for_secrets: side.look_for_secrets,
        umask: options.umask,
        durability: side.durability,
        memory,
        now: options.now,
    };
    let mut endpoint = LocalEndpoint::new(root, trash, local);
    // What cannot be removed now may be later: what is to be carried does not wait for it.
    let _ = endpoint.prune(&options.retention);
    prune_others(&side.path, name, options);
    Ok(endpoint)
}

/// What other links of the folder displaced is kept no longer than ours, also when nobody joins it by them any more: its
/// container was another one then. Their folders stay, since one that is empty may be in use.
fn prune_others(folder: &Path, ours: &str, options: &ServeOptions) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let others = entries.filter(|entry| {
        let name = entry.file_name();
        let is_trash = name
            .to_str()
            .is_some_and(|name| name.starts_with(TRASH) && name != ours);
        is_trash && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    for other in others {
        // It may be another user's, who sees to it.
        let _not_ours = Trash::open(other.path())
            .and_then(|trash| trash.prune(&options.retention, (options.now)()));
    }
}

struct Served {
    endpoint: LocalEndpoint,
    /// The tree that the one who asks knows.
    told: Option<Node>,
    /// Whether they know that it has changed since they looked.
    changed: Arc<AtomicBool>,
}

impl Served {
    fn answer(&mut self, ask: Ask, line: &Mutex<Line>) -> io::Result<Option<Told>> {
        let done = |done: Result<(), EndpointError>| match done {
            Ok(()) => Told::Done,
            Err(error) => Told::Refused(error.into()),
        };
        Ok(Some(match ask {
            Ask::Open(_) | Ask::OpenFor { .. } | Ask::Folder(_) => {
                return Err(senseless("a second folder"));
            }
            Ask::Rules { profile, anew } => match self.endpoint.rules(profile.as_deref(), anew) {
                Ok(texts) => Told::Rules(texts.as_ref().map(Texts::from)),
                Err(error) => Told::Refused(error.into()),
            },
            Ask::Obey(texts) => done(self.endpoint.obey(&texts.rules()?)),
            Ask::Watch => {
                let wake = self.wake(lock(line).to.clone());
                done(self.endpoint.watch(wake))
            }
            Ask::Look { dirty, whole } => self.look(&dirty, whole)?,
            Ask::Room => match self.endpoint.room() {
                Ok(room) => Told::Room(room),
                Err(error) => Told::Refused(error.into()),
            },
            Ask::Apply { cycle, changes } => self.apply(CycleId(cycle), &changes, line)?,
            Ask::Want(wanted) => {
                let to = lock(line).to.clone();
                let asked = asked(wanted)?;
                push(&mut *self.endpoint.contents().supplier(), &asked, &to)?;
                return Ok(None);
            }
            Ask::History { before, of, most } => self.history(before, of.as_ref(), most)?,
            Ask::TakeBack { cycle, what, at } => {
                self.take_back(CycleId(cycle), CycleId(what), at.as_ref())?
            }
            Ask::Rest => {
                self.endpoint.rest();
                Told::Done
            }
        }))
    }

    fn wake(&self, to: Writer) -> Wake {
        let changed = self.changed.clone();
        Arc::new(move || {
            if !changed.swap(true, Ordering::SeqCst) {
                // A stream that is broken shows when they ask.
                let _ = to.changed();
            }
        })
    }

    fn look(&mut self, dirty_places: &[Place], whole: bool) -> io::Result<Told> {
        self.changed.store(false, Ordering::SeqCst);
        let looked = match self.endpoint.look(&dirty(dirty_places)?, None) {
            Ok(looked) => looked,
            Err(error) => return Ok(Told::Refused(error.into())),
        };
        if whole {
            self.told = None;
        }
        let edits = match &looked.tree {
            Some(tree) => differences(self.told.as_ref(), Some(tree)),
            None => Vec::new(),
        };
        let stands = looked.tree.is_some();
        if stands {
            self.told = looked.tree;
        }
        Ok(Told::Looked(View {
            stands,
            edits: edited(&edits),
            hashed: looked.hashed,
            withheld: places(&looked.withheld),
            polling: looked.polling,
            root: looked.root,
        }))
    }

    fn apply(
        &mut self,
        cycle: CycleId,
        changes: &[Changed],
        line: &Mutex<Line>,
    ) -> io::Result<Told> {
        let plan = plan(changes)?;
        let pulled = Pulled::new(line, Told::Want);
        let outcome = self.endpoint.apply(cycle, &plan, &pulled);
        pulled.finish()?;
        let (applied, ended) = ended(outcome);
        Ok(Told::Applied(done(&applied, ended)))
    }

    fn history(&mut self, before: Option<i64>, of: Option<&Place>, most: u64) -> io::Result<Told> {
        let recall = Recall {
            before: before.map(CycleId),
            of: of.map(Place::path).transpose()?,
            most: usize::try_from(most).unwrap_or(usize::MAX),
        };
        Ok(match self.endpoint.history(&recall) {
            Ok(past) => Told::History(past.iter().map(Gone::from).collect()),
            Err(error) => Told::Refused(error.into()),
        })
    }

    fn take_back(&mut self, cycle: CycleId, what: CycleId, at: Option<&Place>) -> io::Result<Told> {
        let what = match at {
            None => TakeBack::Cycle(what),
            Some(place) => TakeBack::Place(what, place.path()?),
        };
        let (taken, ended) = match self.endpoint.take_back(cycle, &what) {
            Ok(None) => return Ok(Told::TakenBack(None)),
            Ok(Some(taken)) => (taken, None),
            Err(error) => {
                let (applied, ended) = ended(Err(error));
                let refused = Vec::new();
                (TakenBack { applied, refused }, ended)
            }
        };
        Ok(Told::TakenBack(Some(Back {
            now: edited(&taken.applied.done),
            done: done(&taken.applied, ended),
            refused: places(&taken.refused),
        })))
    }
}

/// What was done, and where and why it ended early.
fn ended(outcome: Result<Applied, ApplyError>) -> (Applied, Option<(PathBuf, String)>) {
    match outcome {
        Ok(applied) => (applied, None),
        Err(error) => (*error.applied, Some((error.path, error.source.to_string()))),
    }
}

fn done(applied: &Applied, ended: Option<(PathBuf, String)>) -> Done {
    let done = applied.done.iter();
    let failed = applied.failed.iter();
    Done {
        done: done
            .map(|edit| (Place::from(&edit.path), edit.entry.is_some()))
            .collect(),
        failed: failed
            .map(|Failure { path, why }| (Place::from(path), cause(why)))
            .collect(),
        files: applied.files,
        bytes: applied.bytes,
        reused: applied.reused,
        cycle: applied.cycle.map(|cycle| cycle.0),
        ended,
    }
}

fn cause(why: &Why) -> Cause {
    match why {
        Why::ChangedHere => Cause::ChangedHere,
        Why::ChangedThere => Cause::ChangedThere,
        Why::NotEmpty => Cause::NotEmpty,
        Why::Unsyncable(why) => Cause::Unsyncable(number(*why)),
        Why::Supply(error) => Cause::Supply(error.to_string()),
        Why::System(error) => Cause::System(error.to_string()),
    }
}

/// Says that we are at work, while we are.
struct Alive {
    is_busy: Arc<AtomicBool>,
    // The thread ends with it.
    _end: Sender<()>,
}

impl Alive {
    fn start(to: Writer) -> io::Result<Self> {
        let is_busy = Arc::new(AtomicBool::new(false));
        let (end, ended) = channel::<()>();
        let busy = is_busy.clone();
        let thread = thread::Builder::new().name("sync-alive".to_owned());
        thread.spawn(move || {
            while ended.recv_timeout(ALIVE_EVERY) == Err(RecvTimeoutError::Timeout) {
                if busy.load(Ordering::Relaxed) && to.alive().is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { is_busy, _end: end })
    }

    fn set(&self, is_busy: bool) {
        self.is_busy.store(is_busy, Ordering::Relaxed);
    }
}
