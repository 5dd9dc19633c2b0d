//! `mizzen exec`: a command through a session's queue, with its output and its exit code.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_core::verb::{ApiError, CommandPriority, CommandRef, ErrorCode, ExecParams, Verb};
use mizzen_core::view::{CommandState, CommandView};
use mizzen_core::{Client, OutputOptions, OutputSaid, OutputStream};
use serde::Serialize;
use tokio::signal;

use super::output::Printer;
use crate::args::{Exec, Priority};
use crate::connect;
use crate::output::{Failure, Output, failed, plain};

/// As `timeout` counts.
const TOOK_TOO_LONG: u8 = 124;
/// What shells add to a signal's number.
const SIGNALLED: i32 = 128;
/// How often a core that went away is sought again, and how long between two tries.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// How a command ended, as scripts read it.
#[derive(Serialize)]
struct Ended<'a> {
    #[serde(flatten)]
    command: &'a CommandView,
    output: String,
}

pub(super) async fn run(client: Client, args: Exec, output: Output) -> Result<(), Failure> {
    let of = CommandRef {
        session: args.session.clone(),
        id: new_id(),
    };
    let is_line = !args.shell && args.command[0].contains(char::is_whitespace);
    let detach = args.detach;
    let mut waiting = Waiting {
        client,
        of,
        output,
        printer: Printer::new(output),
        kept: Vec::new(),
        offset: 0,
        tries: TRIES,
    };
    waiting.give(args).await?;
    if detach {
        return waiting.leave();
    }
    let ended = waiting.follow().await?;
    let told = waiting.tell(&ended);
    if is_line && ended.state == CommandState::Rejected {
        output.note("mizzen: a line for a shell needs --shell.");
    }
    told
}

/// One that nobody else has: a process does not ask twice in a microsecond.
fn new_id() -> String {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%S%6f");
    format!("x{now}-{}", std::process::id())
}

/// A command that was given and is waited for.
struct Waiting {
    client: Client,
    of: CommandRef,
    output: Output,
    printer: Printer,
    /// Its output, where it is printed at the end.
    kept: Vec<u8>,
    offset: u64,
    /// How often a core that went away is still sought.
    tries: u32,
}

impl Waiting {
    async fn give(&mut self, args: Exec) -> Result<(), Failure> {
        let verb = Verb::Exec(ExecParams {
            session: args.session,
            id: self.of.id.clone(),
            argv: args.command,
            shell: args.shell,
            env: BTreeMap::from_iter(args.env),
            dir: args.dir,
            timeout_seconds: args.timeout,
            priority: match args.priority {
                Priority::High => CommandPriority::High,
                Priority::Normal => CommandPriority::Normal,
                Priority::Low => CommandPriority::Low,
            },
        });
        // Given again after a restart of the core, it is the same command: it has its id.
        self.ask(verb).await
    }

    async fn ask(&mut self, verb: Verb) -> Result<(), Failure> {
        loop {
            match self.client.run(verb.clone()).await {
                Err(error) if error.code == ErrorCode::CoreUnreachable => {
                    self.find_core(error).await?;
                }
                answered => return Ok(answered.map(drop)?),
            }
        }
    }

    fn leave(self) -> Result<(), Failure> {
        match self.output.json {
            true => self.output.object(&self.of),
            false => self.output.line(&self.of.id),
        }
    }

    /// Prints what it says until it has ended.
    async fn follow(&mut self) -> Result<CommandView, Failure> {
        let mut interrupts = 0;
        let mut said = None;
        loop {
            let stream = match &mut said {
                Some(stream) => stream,
                None => match self.open().await {
                    Ok(stream) => said.insert(stream),
                    Err(error) if error.code == ErrorCode::CoreUnreachable => {
                        self.find_core(error).await?;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            let next = tokio::select! {
                next = stream.next() => next,
                // A handler that cannot be installed leaves Ctrl-C to the system.
                Ok(()) = signal::ctrl_c() => {
                    interrupts += 1;
                    if interrupts > 1 {
                        return Err(Failure::Interrupted(self.goes_on()));
                    }
                    self.output.note("mizzen: cancelling it; Ctrl-C again leaves it to itself.");
                    self.cancel().await?;
                    continue;
                }
            };
            match next {
                Ok(OutputSaid::Bytes(bytes)) => self.take(&bytes)?,
                Ok(OutputSaid::Ended(Some(view))) if view.state == CommandState::Waiting => {
                    // The session is down: nobody expects it to begin at the next start.
                    self.cancel().await?;
                    said = None;
                }
                Ok(OutputSaid::Ended(Some(view))) => return Ok(*view),
                Ok(OutputSaid::Ended(None)) => return Err(self.forgotten()),
                Err(error) if error.code == ErrorCode::CoreUnreachable => {
                    self.find_core(error).await?;
                    said = None;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn open(&self) -> Result<OutputStream, ApiError> {
        let options = OutputOptions {
            id: self.of.id.clone(),
            from: self.offset,
            follow: true,
        };
        self.client.output(&self.of.session, options).await
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.offset += bytes.len() as u64;
        if self.output.json {
            self.kept.extend_from_slice(bytes);
            return Ok(());
        }
        self.printer.print(bytes)
    }

    /// Ends it, or takes it back before it is begun.
    async fn cancel(&mut self) -> Result<(), Failure> {
        self.ask(Verb::CancelCommand(self.of.clone())).await
    }

    /// Connects to the next core, which goes on where the last one ended.
    async fn find_core(&mut self, lost: ApiError) -> Result<(), Failure> {
        let dirs = connect::world()?.dirs;
        while self.tries > 0 {
            self.tries -= 1;
            if let Ok(client) = connect::client(&dirs).await {
                self.client = client;
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(lost.into())
    }

    /// Says how it ended, by the exit code and, where that does not tell, in a sentence.
    fn tell(&self, ended: &CommandView) -> Result<(), Failure> {
        let (code, why) = exit_code(ended);
        if self.output.json {
            let output = String::from_utf8_lossy(&self.kept).into_owned();
            self.output.object(&Ended {
                command: ended,
                output,
            })?;
        } else if let Some(why) = why {
            let why = format!("mizzen: {why}");
            self.output.note(&plain(&why));
        }
        match code {
            0 => Ok(()),
            code => Err(Failure::ExitCode(code)),
        }
    }

    fn goes_on(&self) -> String {
        let CommandRef { session, id } = &self.of;
        format!("The command is left to itself; see `mizzen logs {session} --command {id}`.")
    }

    fn forgotten(&self) -> Failure {
        let CommandRef { session, id } = &self.of;
        failed(
            ErrorCode::Failed,
            format!("how the command `{id}` ended is not known any more"),
            format!("see `mizzen logs {session} --command {id}`"),
        )
    }
}

/// The exit code that a command's end asks for, and why where the code alone does not tell.
fn exit_code(ended: &CommandView) -> (u8, Option<String>) {
    let byte = |code: i32| u8::try_from(code).unwrap_or(1);
    let because = |text: &str| {
        let reason = ended.error.as_ref().map(|error| format!(": {error}"));
        Some(format!("{text}{}.", reason.unwrap_or_default()))
    };
    match ended.state {
        CommandState::Succeeded => (0, None),
        CommandState::TimedOut => (
            TOOK_TOO_LONG,
            because("the command took too long and was ended"),
        ),
        CommandState::Failed => (ended.exit_code.map_or(1, byte), None),
        CommandState::Killed => match ended.signal {
            Some(signal) => (byte(SIGNALLED + signal), None),
            // It may have ended by itself when it was asked to.
            None if ended.started_at.is_some() => (
                ended.exit_code.filter(|code| *code != 0).map_or(1, byte),
                None,
            ),
            None => (1, because("the command was cancelled before it was begun")),
        },
        CommandState::Rejected => (1, because("the command was not carried out")),
        CommandState::Expired => (1, because("the command was not begun in time")),
        CommandState::Interrupted => (
            1,
            because(
                "the container ended while the command ran; how far it came is not known, and it is not run again",
            ),
        ),
        CommandState::Waiting | CommandState::Running => (1, because("the command has not ended")),
    }
}

/// How a command stands, in a few words.
pub(super) fn end_in_words(command: &CommandView) -> String {
    let word = match command.state {
        CommandState::Waiting => "waiting",
        CommandState::Running => "running",
        CommandState::Succeeded => "succeeded",
        CommandState::Failed => "failed",
        CommandState::TimedOut => "timed out",
        CommandState::Killed => "killed",
        CommandState::Rejected => "rejected",
        CommandState::Expired => "expired",
        CommandState::Interrupted => "interrupted",
    };
    match (command.exit_code, command.signal) {
        (Some(code), _) if command.state != CommandState::Succeeded => {
            format!("{word} with exit code {code}")
        }
        (None, Some(signal)) => format!("{word} by signal {signal}"),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mizzen_core::view::{CommandState, CommandView};

    use super::exit_code;

    fn ended(state: CommandState) -> CommandView {
        CommandView {
            id: "a".to_owned(),
            command: "true".to_owned(),
            state,
            exit_code: None,
            signal: None,
            asked_at: None,
            started_at: Some("2026-01-01T00:00:00Z".to_owned()),
            finished_at: None,
            truncated: false,
            error: None,
        }
    }

    #[test]
    fn the_code_is_the_commands_or_says_why_there_is_none() {
        let failed = |code| CommandView {
            exit_code: Some(code),
            ..ended(CommandState::Failed)
        };
        let killed = CommandView {
            signal: Some(15),
            ..ended(CommandState::Killed)
        };
        let late = CommandView {
            signal: Some(9),
            ..ended(CommandState::TimedOut)
        };
        for (command, code, tells) in [
            (ended(CommandState::Succeeded), 0, false),
            (failed(7), 7, false),
            (failed(1000), 1, false),
            (killed, 143, false),
            (late, 124, true),
            (
                CommandView {
                    started_at: None,
                    ..ended(CommandState::Killed)
                },
                1,
                true,
            ),
            (ended(CommandState::Rejected), 1, true),
            (ended(CommandState::Expired), 1, true),
            (ended(CommandState::Interrupted), 1, true),
        ] {
            let (found, why) = exit_code(&command);
            assert_eq!((found, why.is_some()), (code, tells), "{command:?}");
        }
        let rejected = CommandView {
            error: Some("`x` is not installed in this container".to_owned()),
            ..ended(CommandState::Rejected)
        };
        let (_, why) = exit_code(&rejected);
        assert_eq!(
            why.as_deref(),
            Some("the command was not carried out: `x` is not installed in this container.")
        );
    }
}
