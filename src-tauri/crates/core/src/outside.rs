//! Containers that are no sessions, for a command line that keeps a folder of one in step itself.

use std::path::PathBuf;

use mizzen_docker::{Engine, EngineEvent, EngineOptions};
use mizzen_sessions::Outsider;
use mizzen_tasks::Owner;
use tokio::sync::mpsc;

use crate::engines;
use crate::translate;
use crate::verb::{ApiError, ErrorCode};
use crate::world::CoreConfig;

/// What an address of a container's folder begins with.
pub const CONTAINER_SCHEME: &str = "docker://";

/// No container carries it: of what the engine tells, nothing is of interest.
const NO_LABEL: (&str, &str) = ("dev.mizzen.outside", "none");

/// A way to a folder of a container, as long as this is held.
pub struct Outside {
    /// The folder.
    pub path: PathBuf,
    /// The container.
    pub container: Outsider,
    _owner: Owner,
    _events: mpsc::Receiver<EngineEvent>,
}

impl Outside {
    /// Reaches a folder of a running container by its address, `docker://[CONTEXT/]CONTAINER/PATH`.
    ///
    /// # Errors
    /// It is no address, there is no such container, or the engine does not answer.
    pub async fn reach(config: &CoreConfig, address: &str) -> Result<Self, ApiError> {
        let no_address = || {
            let message = format!("`{address}` is no folder of a container");
            let hint = "Write docker://CONTAINER/PATH, or docker://CONTEXT/CONTAINER/PATH.";
            ApiError::new(ErrorCode::Usage, message, hint)
        };
        let rest = address.strip_prefix(CONTAINER_SCHEME);
        let is_context = |name: &str| engines::named(config, Some(name)).is_ok();
        let place = rest.and_then(|rest| Place::parse(rest, is_context));
        let place = place.ok_or_else(no_address)?;
        let selected = engines::named(config, place.context.as_deref())
            .map_err(|error| ApiError::new(ErrorCode::NotFound, error.to_string(), error.hint()))?;
        let owner = Owner::root("outside");
        let (key, value) = NO_LABEL;
        let mut options = EngineOptions::new((key.to_owned(), value.to_owned()));
        // Where no core has run yet.
        if config.dirs.prepare().is_ok() {
            options.ssh = engines::ssh(config);
        }
        let (engine, events) = Engine::spawn(&owner, &selected.name, selected.endpoint, options);
        let supervisors = engines::supervisors(config);
        let container = Outsider::start(&engine, &supervisors, &place.container)
            .await
            .map_err(|error| translate::error(&error))?;
        Ok(Self {
            path: place.path,
            container,
            _owner: owner,
            _events: events,
        })
    }
}

/// Where a container's folder is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    context: Option<String>,
    container: String,
    path: PathBuf,
}

impl Place {
    /// Reads `[CONTEXT/]CONTAINER/PATH`. The first name is a context's where there is one of that name, unless nothing
    /// would be left for the path.
    fn parse(text: &str, is_context: impl Fn(&str) -> bool) -> Option<Self> {
        let (first, rest) = text.split_once('/')?;
        let (context, container, path) = match rest.split_once('/') {
            Some((container, path)) if !container.is_empty() && is_context(first) => {
                (Some(first.to_owned()), container, path)
            }
            _ => (None, first, rest),
        };
        (!container.is_empty()).then(|| Self {
            context,
            container: container.to_owned(),
            path: PathBuf::from(format!("/{}", path.trim_start_matches('/'))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let parse = |text| Place::parse(text, |name| name == "far");
        let place = |context: Option<&str>, container: &str, path: &str| {
            Some(Place {
                context: context.map(str::to_owned),
                container: container.to_owned(),
                path: path.into(),
            })
        };
        for (text, expected) in [
            ("web/workspace", place(None, "web", "/workspace")),
            ("web/srv/data", place(None, "web", "/srv/data")),
            ("web//srv", place(None, "web", "/srv")),
            ("web/", place(None, "web", "/")),
            ("far/web/srv/data", place(Some("far"), "web", "/srv/data")),
            ("far/web/", place(Some("far"), "web", "/")),
            ("far/srv", place(None, "far", "/srv")),
            ("far//srv", place(None, "far", "/srv")),
            ("web", None),
            ("/srv", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
