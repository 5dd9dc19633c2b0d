//! The task that owns the mirror: one pass or answer at a time, each in a thread that may block.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mizzen_contexts::mirror::{Burst, Mirror, MirrorError, MirrorOptions, Pass};
use mizzen_tasks::Wakes;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::answering;
use super::watched::Watched;
use super::{Ask, News, wishes, words};
use crate::verb::ApiError;
use crate::view::{ContextsAnswer, ContextsQuestion, ContextsState, ContextsView, Settings};

/// Both sides are looked at so often, whatever was told: at a share of their contexts where every change should have
/// been told, so that each has its turn within five minutes, and at everything elsewhere.
const RESCAN: Duration = Duration::from_secs(30);
/// The same where not every change is told.
const POLL: Duration = Duration::from_secs(2);

pub(super) struct Keeper {
    options: Option<MirrorOptions>,
    shown: watch::Sender<ContextsView>,
    news: mpsc::Sender<News>,
    moved: watch::Sender<()>,
    hinted: Arc<Notify>,
    started: Instant,
    burst: Burst,
    /// When something that waits is due.
    again: Option<Instant>,
    last_look: Instant,
    work: Option<Work>,
}

/// What goes into the thread, and comes back.
struct Work {
    mirror: Option<Mirror>,
    watched: Watched,
    /// The mirror's revision, and why it is polled, when that was shown last.
    shown: Option<(u64, Option<String>)>,
    /// The mirror's moves when all its folders were watched last.
    moves: u64,
}

/// What comes back with it.
struct Did<T> {
    done: Result<T, MirrorError>,
    news: Vec<News>,
    again_in: Option<Duration>,
    /// None where it is as it was shown last.
    view: Option<ContextsView>,
}

impl Keeper {
    pub(super) fn new(
        options: Option<MirrorOptions>,
        shown: watch::Sender<ContextsView>,
        news: mpsc::Sender<News>,
        moved: watch::Sender<()>,
    ) -> Self {
        let hinted = Arc::new(Notify::new());
        let roots = |options: &MirrorOptions| -> Vec<PathBuf> {
            vec![options.host.clone(), options.container.clone()]
        };
        let work = options.as_ref().map(|options| Work {
            mirror: None,
            watched: Watched::new(roots(options), hinted.clone()),
            shown: None,
            moves: 0,
        });
        let now = Instant::now();
        Self {
            options,
            shown,
            news,
            moved,
            hinted,
            started: now,
            burst: Burst::default(),
            again: None,
            last_look: now,
            work,
        }
    }

    /// Keeps both sides in step until its owner stops.
    pub(super) async fn run(
        mut self,
        mut asks: mpsc::Receiver<Ask>,
        mut settings: watch::Receiver<Settings>,
        mut wakes: Wakes,
    ) {
        self.pass().await;
        let hinted = self.hinted.clone();
        loop {
            let due = self.due();
            tokio::select! {
                Some(ask) = asks.recv() => {
                    let answer = self.answer(ask.question).await;
                    // Who asked may have left.
                    let _left = ask.answer.send(answer);
                }
                () = hinted.notified() => self.burst.hint(self.started.elapsed()),
                Ok(()) = settings.changed() => {
                    let wished = wishes(&settings.borrow_and_update());
                    self.wish(wished).await;
                }
                // What was due in the machine's sleep is due now.
                Ok(()) = wakes.changed() => self.pass().await,
                () = tokio::time::sleep_until(due) => match self.expects_nothing() {
                    true => self.glance().await,
                    false => self.pass().await,
                },
            }
        }
    }

    /// Nothing was told, nothing waits, and every change would have been told.
    fn expects_nothing(&self) -> bool {
        let nothing_waits = self.burst.due().is_none() && self.again.is_none();
        nothing_waits && cfg!(target_os = "linux") && !self.polls()
    }

    fn polls(&self) -> bool {
        let polling = self.work.as_ref().and_then(|work| work.watched.polling());
        polling.is_some()
    }

    fn due(&self) -> Instant {
        let rescan = self.last_look + if self.polls() { POLL } else { RESCAN };
        let burst = self.burst.due().map(|due| self.started + due);
        [burst, self.again]
            .into_iter()
            .flatten()
            .fold(rescan, Instant::min)
    }

    async fn wish(&mut self, wished: mizzen_contexts::mirror::Wishes) {
        let Some(options) = &mut self.options else {
            return;
        };
        if options.wishes == wished {
            return;
        }
        options.wishes = wished.clone();
        let passed = self.with(move |mirror| {
            mirror.wish(wished);
            let pass = mirror.pass()?;
            Ok(((), pass.again_in))
        });
        if let Err(error) = passed.await {
            tracing::warn!(%error, "Docker contexts");
        }
    }

    async fn pass(&mut self) {
        self.look(Mirror::pass).await;
    }

    async fn glance(&mut self) {
        self.look(Mirror::glance).await;
    }

    async fn look(&mut self, look: fn(&mut Mirror) -> Result<Pass, MirrorError>) {
        let passed = self.with(move |mirror| Ok(((), look(mirror)?.again_in)));
        if let Err(error) = passed.await {
            tracing::warn!(%error, "Docker contexts");
        }
    }

    async fn answer(&mut self, question: ContextsQuestion) -> Result<ContextsAnswer, ApiError> {
        if self.options.is_none() {
            return Err(answering::homeless());
        }
        if question == ContextsQuestion::Status {
            let view = self.shown.borrow().clone();
            return Ok(ContextsAnswer::Status(Box::new(view)));
        }
        let is_undo = matches!(question, ContextsQuestion::Undo { .. });
        let answered = self.with(move |mirror| answering::answer(mirror, question));
        let told = answered.await.map_err(|error| answering::refused(&error))?;
        let view = self.shown.borrow().clone();
        if let Some(name) = told.about.clone().filter(|_| is_undo) {
            self.tell(News::TakenBack { name });
        }
        Ok(told.into_answer(view))
    }

    /// Has a thread do something with the mirror, and shows how things stand after it.
    async fn with<T, F>(&mut self, act: F) -> Result<T, MirrorError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Mirror) -> Result<(T, Option<Duration>), MirrorError> + Send + 'static,
    {
        let (Some(options), Some(mut work)) = (self.options.clone(), self.work.take()) else {
            return Err(MirrorError::Refused(
                "there is no home directory".to_owned(),
            ));
        };
        let was_hinted = self.burst.due().is_some();
        self.burst.clear();
        let joined = tokio::task::spawn_blocking(move || {
            let did = work.carry_out(options, was_hinted, act);
            (work, did)
        });
        let (work, did) = joined.await.expect("BUG: a pass does not panic");
        self.work = Some(work);
        self.last_look = Instant::now();
        self.again = did.again_in.map(|time| self.last_look + time);
        did.news.into_iter().for_each(|news| self.tell(news));
        if was_hinted {
            self.moved.send_replace(());
        }
        if let Some(view) = did.view {
            self.shown.send_if_modified(|shown| {
                let differs = *shown != view;
                *shown = view;
                differs
            });
        }
        did.done
    }

    fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::warn!("more news of Docker contexts than anybody reads");
        }
    }
}

impl Work {
    fn carry_out<T>(
        &mut self,
        options: MirrorOptions,
        was_hinted: bool,
        act: impl FnOnce(&mut Mirror) -> Result<(T, Option<Duration>), MirrorError>,
    ) -> Did<T> {
        // Before the look: what changes after it is told.
        self.watched.renew(was_hinted);
        let failed = |error: MirrorError| Did {
            view: Some(ContextsView {
                state: ContextsState::Halted,
                reason: Some(format!("Docker contexts are not mirrored: {error}.")),
                hint: Some("It is tried again every 30 seconds.".to_owned()),
                ..ContextsView::default()
            }),
            done: Err(error),
            news: Vec::new(),
            again_in: None,
        };
        let mirror = match &mut self.mirror {
            Some(mirror) => mirror,
            None => match Mirror::open(options) {
                Ok(mirror) => self.mirror.insert(mirror),
                Err(error) => return failed(error),
            },
        };
        let (done, again_in) = match act(mirror) {
            Ok((done, again_in)) => (Ok(done), again_in),
            Err(error) => (Err(error), None),
        };
        let changes = mirror.take_fresh();
        let news = changes.iter();
        let news = news.filter_map(|change| words::news(change, mirror.first_of_run(change)));
        let news = news.collect();
        // What was made just now is watched, too; what comes of the rest is told by its parents.
        let moves = mirror.moves();
        self.watched.renew(moves != self.moves);
        self.moves = moves;
        let polling = self.watched.polling().map(str::to_owned);
        let now = Some((mirror.revision(), polling.clone()));
        let view = (now != self.shown).then(|| {
            let view = words::view(&mirror.status());
            ContextsView { polling, ..view }
        });
        self.shown = now;
        Did {
            done,
            news,
            again_in,
            view,
        }
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
