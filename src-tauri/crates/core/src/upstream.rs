//! The sessions as the gateway sees them.

use std::sync::Arc;

use mizzen_gateway::{BoxFuture, DialError, Dialled, Target, Upstream, host_label};
use mizzen_sessions::{ErrorKind, Facts, SessionFact, Sessions};
use mizzen_status::{TEXT_CAP, sanitise};
use mizzen_wire::{OpenError, StreamKind};

pub(crate) struct SessionsUpstream {
    pub(crate) sessions: Sessions,
}

impl SessionsUpstream {
    fn find(&self, matches: impl Fn(&SessionFact) -> bool) -> Option<Arc<SessionFact>> {
        let facts: Arc<Facts> = self.sessions.watch().borrow().clone();
        facts.values().find(|fact| matches(fact)).cloned()
    }

    async fn open(&self, session: &str, target: Target) -> Result<Dialled, DialError> {
        let wire = self
            .sessions
            .wire(session)
            .await
            .map_err(|error| match error.kind {
                ErrorKind::NotFound => DialError::NoSession,
                ErrorKind::State => DialError::NotRunning {
                    state: self.state_of(session),
                },
                _ => DialError::Unreachable {
                    reason: error.message,
                },
            })?;
        let target = match target {
            Target::CodeServer => mizzen_wire::Target::CodeServer,
            Target::Port(port) => mizzen_wire::Target::Tcp(port.get()),
        };
        match wire.open(StreamKind::Forward(target)).await {
            Ok(stream) => Ok(Dialled {
                io: Box::new(stream),
                near: wire.way() == mizzen_wire::Way::DirectLine,
            }),
            Err(OpenError::Refused(reason)) => Err(DialError::Refused {
                reason: sanitise(&reason, TEXT_CAP),
            }),
            Err(error) => Err(DialError::Unreachable {
                reason: error.to_string(),
            }),
        }
    }

    fn state_of(&self, session: &str) -> String {
        let fact = self.find(|fact| fact.name.to_string().eq_ignore_ascii_case(session));
        fact.map_or_else(
            || "gone".to_owned(),
            |fact| format!("{:?}", fact.state).to_lowercase(),
        )
    }
}

impl Upstream for SessionsUpstream {
    fn resolve(&self, label: &str) -> Option<String> {
        let fact = self.find(|fact| host_label(&fact.name.to_string()) == label)?;
        Some(fact.name.to_string())
    }

    fn dial<'a>(
        &'a self,
        session: &'a str,
        target: Target,
    ) -> BoxFuture<'a, Result<Dialled, DialError>> {
        Box::pin(self.open(session, target))
    }
}
