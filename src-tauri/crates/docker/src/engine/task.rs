//! The task of one engine: connect, subscribe, list, follow; and again when any of it ends.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use hyper::Method;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::about::info;
use super::backoff::Backoff;
use super::events::{self, Event};
use super::socket::Socket;
use super::{Engine, EngineEvent, EngineInfo, Link, Offline};
use crate::deadline::{QUICK, within};
use crate::lines::Lines;
use crate::oom::Ooms;
use crate::transport::url_encoded;
use crate::{ContainerFact, DockerError, DockerErrorKind, Health, NoPlace};

/// After a look at one container failed: soon, but not in a storm.
const RELIST_SOON: Duration = Duration::from_secs(1);

/// An engine that was there this long starts again with short waits.
const STEADY: Duration = Duration::from_secs(5);

/// Why following an engine ended.
enum End {
    /// The engine is gone, or speaks nonsense.
    Broken(DockerError),
    /// The engine answers, but its event stream has missed a change.
    Deaf,
    /// The engine is to be found elsewhere by now, or nowhere.
    Moved,
    /// There is nowhere to look for the engine.
    Nowhere(NoPlace),
    /// Nobody listens any more.
    Unheard,
}

impl From<NoPlace> for End {
    fn from(nowhere: NoPlace) -> Self {
        Self::Nowhere(nowhere)
    }
}

impl From<DockerError> for End {
    fn from(error: DockerError) -> Self {
        Self::Broken(error)
    }
}

/// Follows an engine until nobody listens.
pub(super) async fn run(engine: Engine, events: mpsc::Sender<EngineEvent>, relist: Duration) {
    let mut backoff = Backoff::new();
    let mut offline: Option<Offline> = None;
    loop {
        let mut online_since = None;
        let socket = Socket::at(&engine.endpoint());
        let end = tokio::select! {
            () = events.closed() => return,
            end = follow(&engine, &events, relist, &mut online_since) => end,
        };
        if online_since.is_some() {
            offline = None;
        }
        if online_since.is_some_and(|since: Instant| since.elapsed() > STEADY) {
            backoff = Backoff::new();
        }
        let (cause, message, hint) = match end {
            End::Unheard => return,
            End::Deaf => {
                tracing::info!(
                    engine = engine.name(),
                    "events were missed: subscribing again"
                );
                continue;
            }
            End::Moved => continue,
            End::Broken(error) => (error.kind, error.message.clone(), error.hint().to_owned()),
            End::Nowhere(why) => (DockerErrorKind::Unreachable, why.message, why.hint),
        };
        let (since, attempts) = begun(&engine, offline.take(), &message);
        let now = Offline {
            cause,
            message,
            hint,
            since,
            attempts,
        };
        engine.shared.link.send_replace(Link::Offline(now.clone()));
        if events
            .send(EngineEvent::Offline(now.clone()))
            .await
            .is_err()
        {
            return;
        }
        offline = Some(now);
        tokio::select! {
            () = events.closed() => return,
            () = tokio::time::sleep(backoff.wait(rand::random())) => {}
            () = engine.shared.retry.notified() => {}
            () = socket.returned() => backoff = Backoff::new(),
        }
    }
}

/// Counts a failed attempt: since when the engine is away, and how often it was tried.
fn begun(engine: &Engine, before: Option<Offline>, why: &str) -> (jiff::Timestamp, u32) {
    if let Some(before) = before {
        return (before.since, before.attempts + 1);
    }
    tracing::warn!(engine = engine.name(), why, "engine offline");
    ((engine.shared.options.now)(), 1)
}

/// Connects and follows one event stream to its end, which is never a good one.
async fn follow(
    engine: &Engine,
    events: &mpsc::Sender<EngineEvent>,
    relist: Duration,
    online_since: &mut Option<Instant>,
) -> End {
    let connected = async {
        engine.go_there()?;
        let info = info(engine).await?;
        // Subscribed before listed: what changes in between is an event, not a gap. Online only
        // when all three work: an engine that can only say its name would flap.
        let stream = subscribe(engine).await?;
        Ok::<_, End>((info, stream, engine.list().await?))
    };
    let (info, stream, listed) = match connected.await {
        Ok(connected) => connected,
        Err(end) => return end,
    };
    tracing::info!(
        engine = engine.name(),
        version = info.version,
        "engine online"
    );
    *online_since = Some(Instant::now());
    engine.shared.link.send_replace(Link::Online(info.clone()));
    let mut follower = Follower {
        engine,
        events,
        ooms: Ooms::default(),
        seen: HashMap::new(),
        suspect: false,
        relist,
    };
    let Err(end) = follower.follow(info, listed, stream).await;
    end
}

/// Opens the event stream; past events are not asked for, as a list follows.
async fn subscribe(engine: &Engine) -> Result<Lines, DockerError> {
    const OP: &str = "follow the engine's events";
    let filters = serde_json::json!({
        "type": ["container"],
        "label": [engine.label_filter()],
        "event": events::ACTIONS,
    });
    let query = url_encoded(&[("filters", &filters.to_string())]);
    let path = format!("/events?{query}");
    let response = within(
        OP,
        QUICK,
        engine.transport().open(OP, Method::GET, &path, None),
    )
    .await?;
    Ok(Lines::new(OP, response.into_body(), events::EVENT_CAP))
}

/// What is known of a container between two lists: enough to notice a missed event.
type Trace = (
    crate::ContainerState,
    Option<jiff::Timestamp>,
    Option<jiff::Timestamp>,
);

fn trace(fact: &ContainerFact) -> Trace {
    (fact.state, fact.started_at, fact.finished_at)
}

/// The single, ordered consumer of one event stream.
struct Follower<'a> {
    engine: &'a Engine,
    events: &'a mpsc::Sender<EngineEvent>,
    ooms: Ooms,
    seen: HashMap<String, Trace>,
    /// A list showed a change for which no event has come yet.
    suspect: bool,
    relist: Duration,
}

impl Follower<'_> {
    async fn follow(
        &mut self,
        info: EngineInfo,
        listed: Vec<ContainerFact>,
        mut stream: Lines,
    ) -> Result<Infallible, End> {
        self.send(EngineEvent::Online(info)).await?;
        self.tell_list(listed).await?;
        let mut relist_at = Instant::now() + self.relist;
        loop {
            tokio::select! {
                line = stream.next() => {
                    let event = read_event(line)?;
                    self.suspect = false;
                    if !self.handle(event).await? {
                        relist_at = relist_at.min(Instant::now() + RELIST_SOON);
                    }
                }
                () = tokio::time::sleep_until(relist_at) => {
                    self.list_again().await?;
                    relist_at = Instant::now() + self.relist;
                }
                () = self.engine.shared.retry.notified() => relist_at = Instant::now(),
            }
        }
    }

    /// Lists again. A change that the stream has not told, and does not tell until the next list,
    /// means that the stream is dead although its connection is open.
    async fn list_again(&mut self) -> Result<(), End> {
        if self.engine.has_moved() {
            return Err(End::Moved);
        }
        let listed = self.engine.list().await?;
        let traces: HashMap<_, _> = listed.iter().map(|f| (f.id.clone(), trace(f))).collect();
        let missed = traces != self.seen;
        let deaf = self.suspect;
        self.tell_list(listed).await?;
        self.suspect = missed;
        if deaf { Err(End::Deaf) } else { Ok(()) }
    }

    async fn tell_list(&mut self, mut listed: Vec<ContainerFact>) -> Result<(), End> {
        self.seen = listed
            .iter()
            .map(|fact| (fact.id.clone(), trace(fact)))
            .collect();
        self.ooms.keep_only(|id| self.seen.contains_key(id));
        for fact in &mut listed {
            self.ooms.settle(fact);
        }
        self.send(EngineEvent::Listed(listed)).await
    }

    /// Turns an event into facts; answers whether the container could be looked at.
    async fn handle(&mut self, event: Event) -> Result<bool, End> {
        let Event {
            id,
            action,
            at,
            exit_code,
        } = event;
        if action == "destroy" {
            self.ooms.forget(&id);
            self.seen.remove(&id);
            self.send(EngineEvent::Removed { id }).await?;
            return Ok(true);
        }
        if action == "oom" {
            self.ooms.note(&id, at);
            self.send(EngineEvent::OomKill { id: id.clone() }).await?;
        }
        if action == "die" {
            // The engine answers no inspect before it has taken the container's network and mounts down.
            let id = id.clone();
            self.send(EngineEvent::Died { id, exit_code, at }).await?;
        }
        let fact = match self.engine.inspect(&id).await {
            Ok(fact) => fact.map(|mut fact| {
                self.ooms.settle(&mut fact);
                fact
            }),
            Err(error) if error.kind == DockerErrorKind::Unreachable => return Err(error.into()),
            Err(error) => {
                // One stuck container must not take the engine offline for the others.
                tracing::warn!(engine = self.engine.name(), id, %error, "container unreadable");
                return Ok(false);
            }
        };
        if let Some(word) = action.strip_prefix("health_status: ") {
            self.send(EngineEvent::Health {
                id,
                health: Health::parse(word),
            })
            .await?;
        }
        if let Some(fact) = fact {
            self.seen.insert(fact.id.clone(), trace(&fact));
            self.send(EngineEvent::Changed(fact)).await?;
        }
        Ok(true)
    }

    async fn send(&self, event: EngineEvent) -> Result<(), End> {
        self.events.send(event).await.map_err(|_| End::Unheard)
    }
}

/// A stream that ends cleanly is as dead as one that breaks.
fn read_event(line: Option<Result<bytes::Bytes, DockerError>>) -> Result<Event, DockerError> {
    const OP: &str = "follow the engine's events";
    let line = line.unwrap_or_else(|| {
        let message = "the engine closed the event stream";
        Err(DockerError::new(OP, DockerErrorKind::Unreachable, message))
    })?;
    events::parse(&line)
        .map_err(|e| DockerError::server(OP, format!("an event makes no sense: {e}")))
}
