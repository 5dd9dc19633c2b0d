//! Engines by name, as a store of contexts would have them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_docker::{Endpoint, SshClient};
use mizzen_sessions::{EngineSource, ErrorKind, SessionError};

/// Which engine is where; a test moves and removes them.
#[derive(Clone, Debug, Default)]
pub struct Contexts(Arc<Mutex<BTreeMap<String, Endpoint>>>);

impl Contexts {
    /// These and no others.
    #[must_use]
    pub fn of<'a>(engines: impl IntoIterator<Item = (&'a str, Endpoint)>) -> Self {
        let contexts = Self::default();
        for (name, endpoint) in engines {
            contexts.put(name, endpoint);
        }
        contexts
    }

    /// Adds one, or moves it.
    pub fn put(&self, name: &str, endpoint: Endpoint) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), endpoint);
    }

    /// Takes one away.
    pub fn remove(&self, name: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(name);
    }

    /// What sessions find engines by.
    #[must_use]
    pub fn source(&self, selected: &str) -> EngineSource {
        let (contexts, selected) = (self.clone(), selected.to_owned());
        EngineSource {
            selected: Arc::new(move || Ok(selected.clone())),
            find: Arc::new(move |name| contexts.find(name)),
            ssh: SshClient::default(),
        }
    }

    fn find(&self, name: &str) -> Result<Endpoint, SessionError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned().ok_or_else(|| SessionError {
            kind: ErrorKind::NotFound,
            message: format!("there is no context {name}"),
            hint: "name one of: docker context ls".to_owned(),
            phase: None,
        })
    }
}

/// A single engine, selected.
#[must_use]
pub fn only(name: &str, endpoint: Endpoint) -> EngineSource {
    Contexts::of([(name, endpoint)]).source(name)
}
