//! Ways into a session: its log, a terminal, and the address of its web services.

use std::num::NonZeroU16;
use std::time::Duration;

use futures::stream::{Stream, StreamExt};
use mizzen_docker::LogSource;
use mizzen_gateway::{Gateway, Target};
use mizzen_sessions::{CodeServer, SessionFact, State};
use mizzen_status::sanitise;
use mizzen_wire::{OpenError, StreamKind};

use super::Desk;
use crate::client::{LogLine, LogOptions, ShellSpec};
use crate::translate;
use crate::verb::{ApiError, ErrorCode};

/// Longest line of a log that is handed on.
const LINE_CAP: usize = 16 * 1024;
/// code-server needs a second or two after its session counts as running.
const CODE_SERVER_PATIENCE: Duration = Duration::from_secs(20);

impl Desk {
    pub(crate) async fn logs(
        &self,
        session: &str,
        options: LogOptions,
    ) -> Result<impl Stream<Item = Result<LogLine, ApiError>> + Unpin + use<>, ApiError> {
        let LogOptions { tail, follow } = options;
        let options = mizzen_docker::LogOptions {
            tail,
            follow,
            since: None,
        };
        let lines = self.sessions.logs(session, options).await;
        let lines = lines.map_err(|error| translate::error(&error))?;
        Ok(Box::pin(lines.map(|line| match line {
            Ok(line) => Ok(LogLine {
                at: line.at.map(|at| at.to_string()),
                is_error: line.source == LogSource::Stderr,
                text: sanitise(&line.text, LINE_CAP),
            }),
            Err(error) => Err(ApiError::new(
                ErrorCode::Failed,
                error.to_string(),
                error.hint(),
            )),
        })))
    }

    pub(crate) async fn shell(
        &self,
        session: &str,
        spec: ShellSpec,
    ) -> Result<mizzen_wire::Stream, ApiError> {
        let wire = self
            .sessions
            .wire(session)
            .await
            .map_err(|error| translate::error(&error))?;
        let spec = mizzen_wire::ShellSpec {
            argv: spec.argv,
            cols: spec.cols,
            rows: spec.rows,
            env: spec
                .term
                .map(|term| ("TERM".to_owned(), term))
                .into_iter()
                .collect(),
        };
        wire.open(StreamKind::Shell(spec)).await.map_err(|error| {
            let message = match &error {
                OpenError::Refused(reason) => sanitise(reason, mizzen_status::TEXT_CAP),
                other => other.to_string(),
            };
            let hint = format!("look at its log with `mizzen logs {session}`");
            ApiError::new(ErrorCode::Failed, format!("no terminal: {message}"), hint)
        })
    }

    /// A one-time address, given out only once what it leads to answers.
    pub(crate) async fn launch_url(
        &self,
        session: &str,
        port: Option<u16>,
    ) -> Result<String, ApiError> {
        let fact = self.fact(session)?;
        let name = fact.name.to_string();
        if fact.state != State::Running {
            let message = format!("session `{name}` does not run");
            let hint = format!("start it with `mizzen start {name}`");
            return Err(ApiError::new(ErrorCode::State, message, hint));
        }
        let gateway = self.gateway.as_ref().map_err(|problem| {
            let hint = "set another `gateway_port` and restart Mizzen";
            ApiError::new(ErrorCode::Failed, problem, hint)
        })?;
        let target = match port {
            Some(port) => Target::Port(NonZeroU16::new(port).ok_or_else(|| {
                ApiError::new(ErrorCode::Usage, "0 is no port", "give the server's port")
            })?),
            None => {
                self.await_code_server(&name).await?;
                answers(gateway, &name).await?;
                gateway.expect(&name);
                Target::CodeServer
            }
        };
        if self.settings.borrow().gateway_names {
            return Ok(gateway.launch_url(&name, target));
        }
        let opened = gateway.launch_url_by_address(&name, target);
        opened.map_err(|error| {
            let message = format!("no address for session `{name}`: {error}");
            let hint = "close other programs, or set `gateway_names = true`";
            ApiError::new(ErrorCode::Failed, message, hint)
        })
    }

    async fn await_code_server(&self, name: &str) -> Result<(), ApiError> {
        let key = name.to_ascii_lowercase();
        let mut facts = self.sessions.watch();
        let settled = facts.wait_for(|facts| {
            facts
                .get(&key)
                .is_none_or(|fact| fact.state != State::Running || is_settled(fact))
        });
        let state = match tokio::time::timeout(CODE_SERVER_PATIENCE, settled).await {
            Ok(Ok(facts)) => facts.get(&key).map(|fact| fact.code_server),
            Ok(Err(_)) | Err(_) => Some(CodeServer::Starting),
        };
        let why = match state {
            Some(CodeServer::Running) => return Ok(()),
            Some(CodeServer::Missing) => "the session's image has no code-server",
            Some(CodeServer::Failed) => "code-server keeps failing",
            Some(CodeServer::Starting | CodeServer::Unknown) => "code-server does not answer yet",
            None => "the session is gone",
        };
        let hint = format!("look at its log with `mizzen logs {name}`");
        Err(ApiError::new(ErrorCode::Failed, why, hint))
    }
}

fn is_settled(fact: &SessionFact) -> bool {
    match fact.code_server {
        CodeServer::Running | CodeServer::Missing | CodeServer::Failed => true,
        CodeServer::Starting | CodeServer::Unknown => false,
    }
}

/// Asks the way a browser will: a page that opens on an error is worse than a sentence.
async fn answers(gateway: &Gateway, name: &str) -> Result<(), ApiError> {
    gateway.healthy(name).await.map_err(|error| {
        let message = format!("code-server cannot be reached through the gateway: {error}");
        let hint = format!("try again, or look at its log with `mizzen logs {name}`");
        ApiError::new(ErrorCode::Failed, message, hint)
    })
}
