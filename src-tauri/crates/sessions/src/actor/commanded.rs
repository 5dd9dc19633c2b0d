//! Commands: taken while the session is up, ended on demand, and followed by what the container says.

use mizzen_status::{Asked, Command, CommandId, Order, Refused, Signal};
use tokio::sync::oneshot;

use super::Actor;
use crate::error::{ErrorKind, SessionError, sentence};
use crate::fact::Done;
use crate::identity::random_token;
use crate::machine::State;
use crate::words;

/// What a person wants of a session's commands.
pub(crate) enum CommandWish {
    /// Carry this one out, once.
    Run(Box<Command>),
    /// End this one, or do not begin it.
    Cancel(CommandId),
}

pub(crate) type CommandReply = oneshot::Sender<Result<Done, SessionError>>;

impl Actor {
    pub(super) async fn on_command(&mut self, wish: CommandWish, reply: CommandReply) {
        let answer = match wish {
            CommandWish::Run(command) => self.hand_over(*command).await,
            CommandWish::Cancel(id) => self.cancel_command(&id).await,
        };
        self.commands.show().await;
        self.fact.commands = self.commands.asked();
        // Whoever hears of it finds it in the facts.
        self.publish();
        let answer = answer.map(|message| Done {
            message,
            name: self.record.name.clone(),
            session: Some(std::sync::Arc::new(self.fact.clone())),
        });
        let _left = reply.send(answer);
    }

    /// Takes in what the container says of its commands.
    pub(super) async fn tend_commands(&mut self) {
        if self.commands.tend().await {
            self.fact.commands = self.commands.asked();
        }
    }

    async fn hand_over(&mut self, command: Command) -> Result<String, SessionError> {
        let id = command.id.clone();
        if self.asked(&id).is_none() && !self.is_up() {
            return Err(words::no_commands(&self.record.name, self.fact.state));
        }
        self.put(command).await?;
        Ok(format!(
            "Session `{}` has the command `{id}`.",
            self.record.name
        ))
    }

    async fn cancel_command(&mut self, id: &CommandId) -> Result<String, SessionError> {
        let name = self.record.name.clone();
        let Some(asked) = self.asked(id) else {
            let message = format!("Session `{name}` has no command `{id}`.");
            let hint = format!("See its commands: mizzen show {name}");
            return Err(SessionError::new(ErrorKind::NotFound, message, hint));
        };
        if asked.ack.is_some_and(|ack| ack.state.is_final()) {
            return Ok(format!("The command `{id}` has ended already."));
        }
        match self.fact.state {
            // Known here: nothing of the container runs, so nothing of the command does.
            State::Stopped | State::Failed => self.take_back(id.clone()).await?,
            _ => {
                let target = id.clone();
                let cancel = CommandId::new(&format!("cancel-{}", random_token()));
                let cancel = cancel.expect("BUG: hex digits make an id");
                self.put(Command::new(
                    cancel,
                    Order::Signal(Signal::Cancel { target }),
                ))
                .await?;
            }
        }
        Ok(format!("The command `{id}` is being cancelled."))
    }

    async fn take_back(&mut self, id: CommandId) -> Result<(), SessionError> {
        let why = "taken back while its session was down";
        let taken = self
            .commands
            .at_work(move |outbox| outbox.take_back(&id, why));
        taken.await.map_err(failed)??;
        Ok(())
    }

    async fn put(&mut self, command: Command) -> Result<(), SessionError> {
        let now = self.world.now();
        let put = self
            .commands
            .at_work(move |outbox| outbox.put(command, now));
        let name = &self.record.name;
        put.await.map_err(failed)?.map_err(|refused| {
            let (kind, hint) = match &refused {
                Refused::Invalid(_) => (ErrorKind::Usage, "Correct it and try again.".to_owned()),
                Refused::Full | Refused::TooLong => (
                    ErrorKind::Limit,
                    format!("Wait until some have ended; see `mizzen show {name}`."),
                ),
                Refused::Write(_) => (
                    ErrorKind::Failed,
                    "Check the permissions of Mizzen's state folder and the space on its disk."
                        .to_owned(),
                ),
            };
            let message = format!("Session `{name}` does not take the command: {refused}");
            SessionError::new(kind, sentence(&message), hint)
        })
    }

    fn asked(&self, id: &CommandId) -> Option<Asked> {
        self.fact
            .commands
            .iter()
            .find(|asked| asked.id == *id)
            .cloned()
    }

    fn is_up(&self) -> bool {
        matches!(self.fact.state, State::Running | State::Starting)
    }
}

fn failed(why: String) -> SessionError {
    let hint = "Check the permissions of Mizzen's state folder.";
    SessionError::new(ErrorKind::Failed, why, hint)
}
