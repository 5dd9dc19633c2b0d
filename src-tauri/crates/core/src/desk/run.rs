//! Verbs: what a person asks for, taken to whoever does it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mizzen_docker::Engine;
use mizzen_sessions::{OnProgress, PhaseReport, PhaseState, SessionName, UpRequest, Wish};
use tokio::sync::{mpsc, oneshot};

use super::Desk;
use crate::engines::NONE;
use crate::publisher::Ask;
use crate::settings;
use crate::translate;
use crate::verb::{ApiError, ErrorCode, Outcome, RemoveParams, UpParams, Verb};
use crate::view::{Change, SessionView, Settings, VerbProgress};

/// An image build writes hundreds of lines a second; followers need not see each.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

impl Desk {
    /// Runs a verb to its end, also when the client that asked has left.
    pub(crate) async fn run(
        self: &Arc<Self>,
        verb: Verb,
        tell: mpsc::Sender<VerbProgress>,
    ) -> Result<Outcome, ApiError> {
        let id = self.next_verb_id.fetch_add(1, Ordering::Relaxed);
        let (done, outcome) = oneshot::channel();
        let desk = self.clone();
        self.verbs.spawn(&format!("verb:{id}"), async move {
            let outcome = desk.perform(id, verb, tell).await;
            desk.catch_up().await;
            // The client may have left: then nobody wants to know.
            let _left = done.send(outcome.map(|outcome| desk.with_view(outcome)));
        });
        outcome.await.unwrap_or_else(|_| {
            let hint = "start Mizzen again and repeat it";
            Err(ApiError::new(
                ErrorCode::CoreUnreachable,
                "Mizzen is shutting down",
                hint,
            ))
        })
    }

    async fn perform(
        self: &Arc<Self>,
        id: u64,
        verb: Verb,
        tell: mpsc::Sender<VerbProgress>,
    ) -> Result<Done, ApiError> {
        let wish = |session: String, wish| self.wish(id, session, wish, tell.clone());
        match verb {
            Verb::Up(params) => self.up(id, params, tell).await,
            Verb::Start(of) => wish(of.session, Wish::Start).await,
            Verb::Stop(of) => wish(of.session, Wish::Stop).await,
            Verb::Pause(of) => wish(of.session, Wish::Pause).await,
            Verb::Resume(of) => wish(of.session, Wish::Resume).await,
            Verb::Restart(of) => wish(of.session, Wish::Restart).await,
            Verb::Remove(RemoveParams {
                session,
                force,
                volumes,
            }) => wish(session, Wish::Remove { force, volumes }).await,
            Verb::SyncFlush(params) => self.flush(params).await,
            Verb::SyncPause(of) => self.pause_sync(&of.session, true).await,
            Verb::SyncResume(of) => self.pause_sync(&of.session, false).await,
            Verb::GitFetch(of) => self.fetch_history(&of.session).await,
            Verb::Exec(params) => self.exec(params).await,
            Verb::CancelCommand(of) => self.cancel_command(of).await,
            Verb::BuildImage { engine, rebuild } => {
                let heard = self.progress(id, None, tell);
                self.build_image(engine.as_deref(), rebuild, heard).await
            }
            Verb::PruneImages { engine } => self.prune_images(engine.as_deref()).await,
            Verb::RetryEngine { engine } => {
                self.engine_to_retry(&engine).await?.retry_now();
                Ok(Done::saying("Trying the engine again."))
            }
            Verb::DismissAlert { id } => self.dismiss(id).await,
            Verb::SaveSettings { settings } => self.save_settings(settings),
        }
    }

    /// The engine of this name; for what stands in for one, the one that is selected by now.
    async fn engine_to_retry(&self, name: &str) -> Result<Engine, ApiError> {
        match self.sessions.engine_in_use(name) {
            Some(engine) => Ok(engine),
            None if name == NONE => {
                let selected = self.sessions.engine(None).await;
                selected.map_err(|error| translate::error(&error))
            }
            None => Err(not_in_use(name)),
        }
    }

    async fn up(
        self: &Arc<Self>,
        id: u64,
        params: UpParams,
        tell: mpsc::Sender<VerbProgress>,
    ) -> Result<Done, ApiError> {
        let dir = PathBuf::from(&params.dir);
        let made = || {
            SessionName::for_folder(&dir)
                .ok()
                .map(|name| name.to_string())
        };
        let name = params.name.clone().or_else(made);
        let request = UpRequest {
            dir,
            name: params.name,
            engine: params.engine,
            workspace: params.workspace.map(translate::workspace_wished),
            image: params.image,
            memory_bytes: params.memory_bytes,
            cpus: params.cpus,
        };
        let done = self
            .sessions
            .up(request, self.progress(id, name, tell))
            .await;
        done.map(Done::from)
            .map_err(|error| translate::error(&error))
    }

    async fn wish(
        self: &Arc<Self>,
        id: u64,
        session: String,
        wish: Wish,
        tell: mpsc::Sender<VerbProgress>,
    ) -> Result<Done, ApiError> {
        let fact = self.fact(&session)?;
        let name = fact.name.to_string();
        let heard = self.progress(id, Some(name.clone()), tell);
        let done = self.sessions.wish(&name, wish, heard).await;
        done.map(Done::from)
            .map_err(|error| translate::error(&error))
    }

    async fn fetch_history(&self, session: &str) -> Result<Done, ApiError> {
        let fact = self.fact(session)?;
        let fetched = self.sessions.fetch_history(fact.name.as_str()).await;
        fetched
            .map(Done::from)
            .map_err(|error| translate::error(&error))
    }

    async fn dismiss(&self, id: String) -> Result<Done, ApiError> {
        let (done, stood) = oneshot::channel();
        let asked = self.publisher.send(Ask::Dismiss(id, done)).await.is_ok();
        if asked && stood.await.unwrap_or(false) {
            return Ok(Done::saying("Dismissed."));
        }
        Err(ApiError::new(
            ErrorCode::NotFound,
            "there is no such alert",
            "look again",
        ))
    }

    fn save_settings(&self, settings: Settings) -> Result<Done, ApiError> {
        settings::save(&self.config.dirs.settings_file(), &settings).map_err(|error| {
            ApiError::new(
                ErrorCode::Usage,
                error.to_string(),
                "correct the value and save again",
            )
        })?;
        let differs = |old: &mut Settings| std::mem::replace(old, settings.clone()) != settings;
        if self.settings.send_if_modified(differs) {
            self.look_at_engines();
            self.store.publish([Change::Settings { settings }]);
        }
        Ok(Done::saying("Settings saved."))
    }

    /// Tells the client that asked every report, and everybody the phases.
    fn progress(
        self: &Arc<Self>,
        id: u64,
        session: Option<String>,
        tell: mpsc::Sender<VerbProgress>,
    ) -> OnProgress {
        let store = self.store.clone();
        let sieve = Mutex::new(Sieve::default());
        Arc::new(move |report| {
            let progress = translate::verb_progress(id, session.clone(), report);
            // Full: the client reads too slowly and will miss a line, but not the outcome.
            let _full = tell.try_send(progress.clone());
            let mut sieve = sieve.lock().unwrap_or_else(PoisonError::into_inner);
            if sieve.passes(report, Instant::now()) {
                store.publish([Change::Progress { progress }]);
            }
        })
    }

    fn with_view(&self, done: Done) -> Outcome {
        let find = |name: &String| {
            self.store.read(|snapshot| {
                let of_name = |view: &&SessionView| view.name.eq_ignore_ascii_case(name);
                snapshot.sessions.iter().find(of_name).cloned()
            })
        };
        Outcome {
            session: done.session.as_ref().and_then(find),
            message: done.message,
        }
    }
}

fn not_in_use(engine: &str) -> ApiError {
    let shown: String = engine.chars().take(80).collect();
    let message = format!("the engine `{}` is not in use", shown.escape_debug());
    ApiError::new(ErrorCode::NotFound, message, "see `mizzen engines`")
}

/// Lets every change of phase pass, and lines within a phase now and then.
#[derive(Default)]
struct Sieve {
    last: Option<(mizzen_sessions::Phase, Instant)>,
}

impl Sieve {
    fn passes(&mut self, report: &PhaseReport, now: Instant) -> bool {
        let is_more_of_the_same = report.state == PhaseState::Active
            && self.last.is_some_and(|(phase, at)| {
                phase == report.phase && now.duration_since(at) < PROGRESS_PAUSE
            });
        if !is_more_of_the_same {
            self.last = Some((report.phase, now));
        }
        !is_more_of_the_same
    }
}

/// What came of a verb, before it has a view.
pub(super) struct Done {
    pub(super) message: String,
    pub(super) session: Option<String>,
}

impl Done {
    pub(super) fn saying(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            session: None,
        }
    }
}

impl From<mizzen_sessions::Done> for Done {
    fn from(done: mizzen_sessions::Done) -> Self {
        let session = done.session.map(|fact| fact.name.to_string());
        Self {
            message: done.message,
            session,
        }
    }
}
