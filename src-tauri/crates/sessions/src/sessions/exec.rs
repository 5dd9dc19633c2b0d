//! Commands through a session's queue, and what they say.

use std::time::Duration;

use mizzen_status::{Command, CommandId};
use tokio::sync::oneshot;

use super::Sessions;
use crate::actor::{CommandWish, Told};
use crate::commands::CommandOutput;
use crate::error::SessionError;
use crate::fact::{Done, SessionFact};
use crate::figures::OwnFigures;
use crate::machine::State;
use crate::record::Record;

/// How long an engine may take to say where a session stands, after a start of Mizzen.
const PATIENCE: Duration = Duration::from_secs(10);

impl Sessions {
    /// Has a session carry a command out, once: a command whose id was taken before is taken already.
    ///
    /// # Errors
    /// There is no such session, it does not run, its queue is full, or the command makes no sense.
    pub async fn exec(&self, name: &str, command: Command) -> Result<Done, SessionError> {
        self.command(name, CommandWish::Run(Box::new(command)))
            .await
    }

    /// Ends a command, or takes it out of the queue.
    ///
    /// # Errors
    /// There is no such session, or no such command.
    pub async fn cancel_command(&self, name: &str, id: CommandId) -> Result<Done, SessionError> {
        self.command(name, CommandWish::Cancel(id)).await
    }

    /// Where a command's output is read.
    ///
    /// # Errors
    /// There is no such session.
    pub async fn command_output(
        &self,
        name: &str,
        id: &CommandId,
    ) -> Result<CommandOutput, SessionError> {
        Ok(CommandOutput::of(&self.record(name).await?, id))
    }

    /// Where a session's container says what it uses.
    ///
    /// # Errors
    /// There is no such session.
    pub async fn own_figures(&self, name: &str) -> Result<OwnFigures, SessionError> {
        Ok(OwnFigures::of(&self.record(name).await?))
    }

    async fn record(&self, name: &str) -> Result<Record, SessionError> {
        let key = name.to_ascii_lowercase();
        let registry = &self.world().registry;
        let found = registry.find(|record| record.name.key() == key).await;
        found.ok_or_else(|| SessionError::no_such_session(name))
    }

    async fn command(&self, name: &str, wish: CommandWish) -> Result<Done, SessionError> {
        let handle = self.handle(&name.to_ascii_lowercase()).await?;
        self.await_engine(name).await;
        let (reply, answer) = oneshot::channel();
        let sent = handle.tell.send(Told::Command(wish, reply)).await;
        sent.map_err(|_| SessionError::no_such_session(name))?;
        answer
            .await
            .unwrap_or_else(|_| Err(SessionError::no_such_session(name)))
    }

    /// Waits for the first word of a session's engine, as long as it may come.
    async fn await_engine(&self, name: &str) {
        let Ok(fact) = self.fact(name) else { return };
        let Some(engine) = self.engine_in_use(&fact.engine) else {
            return;
        };
        let (mut facts, mut link) = (self.watch(), engine.link());
        let key = fact.name.key();
        let stands = |fact: &SessionFact| fact.state != State::Lost || fact.out_of_reach;
        let is_known = facts.wait_for(|facts| facts.get(&key).is_none_or(|fact| stands(fact)));
        let is_offline = link.wait_for(|link| matches!(link, mizzen_docker::Link::Offline(_)));
        let _known_or_not = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                _ = is_known => {}
                _ = is_offline => {}
            }
        })
        .await;
    }
}
