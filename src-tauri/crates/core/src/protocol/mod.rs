//! Whether others keep to the status protocol: a directory as it lies there, or an image while it runs.

mod ground;
mod trial;

use std::path::Path;

use futures::FutureExt;
use jiff::Timestamp;
use mizzen_docker::{Endpoint, Engine, Link};
use mizzen_status::{Finding, Verdict, sanitise};
use mizzen_tasks::Owner;
use serde::Serialize;

use crate::engines;
use crate::verb::{ApiError, ErrorCode};
use crate::world::CoreConfig;
use ground::Ground;

/// Of containers that are tried: no core's.
const LABEL: (&str, &str) = ("dev.mizzen.agent-test", "1");

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As it should be.
    Fine,
    /// It works, and somebody should know something about it.
    Note,
    /// Not as the protocol asks for.
    Wrong,
    /// Not looked at, since something before it is wrong.
    Untried,
}

/// One line of what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// A file, or what was tried.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// In words.
    pub message: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        Self {
            name: finding.file,
            standing: match finding.verdict {
                Verdict::Fine => Standing::Fine,
                Verdict::Note => Standing::Note,
                Verdict::Wrong => Standing::Wrong,
            },
            message: finding.message,
            next: finding.next,
        }
    }
}

/// Looks at a directory as the host does.
///
/// # Errors
/// There is no such directory, or it cannot be read.
pub fn check(dir: &Path) -> Result<Vec<Found>, ApiError> {
    let found = mizzen_status::check(dir, Timestamp::now()).map_err(|error| {
        let hint = "Name a session's status directory, or a project's .para/state.";
        ApiError::new(ErrorCode::NotFound, sanitise(&error.to_string(), 500), hint)
    })?;
    Ok(found.into_iter().map(Found::from).collect())
}

/// Starts an image as a session's container and tries its agent, until that is done or `stop` resolves. The container is
/// removed whatever comes of it; that of a trial that was killed goes with the next one. None: it was stopped.
///
/// # Errors
/// There is no such image, or the engine does not answer or is not on this machine.
pub async fn agent_test(
    config: &CoreConfig,
    image: &str,
    stop: impl Future<Output = ()>,
) -> Result<Option<Vec<Found>>, ApiError> {
    let mut stop = std::pin::pin!(stop);
    // From here on it is heard, and seen to when there is something to remove.
    if stop.as_mut().now_or_never().is_some() {
        return Ok(None);
    }
    let identity = engines::selected(config)
        .map_err(|error| ApiError::new(ErrorCode::NotFound, error.to_string(), error.hint()))?;
    if !matches!(identity.endpoint, Endpoint::Unix(_)) {
        let message = "the engine is not reached by a socket of this machine";
        let hint =
            "Select one that shares folders with this machine: `docker context use default`.";
        return Err(ApiError::new(ErrorCode::Policy, message, hint));
    }
    let owner = Owner::root("agent-test");
    let (key, value) = LABEL;
    let (engine, _events) = engines::spawn(&owner, &identity, (key.to_owned(), value.to_owned()));
    answers(&engine).await?;
    ground::clear_leftovers(config, &engine).await?;
    if engine.image(image).await.map_err(ground::failed)?.is_none() {
        let message = format!("{} has no image {}", identity.name, sanitise(image, 200));
        let hint = "Build it, or fetch it with `docker pull`.";
        return Err(ApiError::new(ErrorCode::NotFound, message, hint));
    }
    let ground = Ground::prepare(config, &engine, image).await?;
    let tried = tokio::select! {
        tried = trial::run(&ground) => tried.map(Some),
        () = stop => Ok(None),
    };
    ground.clear().await;
    tried
}

async fn answers(engine: &Engine) -> Result<(), ApiError> {
    let mut link = engine.link();
    let settled = link
        .wait_for(|link| !matches!(link, Link::Connecting))
        .await;
    match settled.as_deref() {
        Ok(Link::Online(_)) => Ok(()),
        _ => Err(ApiError::new(
            ErrorCode::EngineUnreachable,
            format!("{} does not answer", engine.name()),
            "Start Docker, or select another context.",
        )),
    }
}
