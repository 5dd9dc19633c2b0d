//! `mizzen exec`: a command through a session's queue, with its output and its exit code.

mod ending;
mod shell_line;

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

pub(super) use ending::end_in_words;
use ending::{exit_code, left_running};
use shell_line::line_for_a_shell;

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
    let line = (!args.shell)
        .then(|| line_for_a_shell(&args.command))
        .flatten();
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
    if let Some(word) = line {
        let word = plain(&word);
        output.note(&format!(
            "mizzen: no shell reads `{word}` here; a line for a shell needs --shell."
        ));
    }
    if detach {
        return waiting.leave();
    }
    let ended = waiting.follow().await?;
    waiting.tell(&ended)
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
        } else {
            let left = left_running(ended).map(|left| format!("the command {left}."));
            for what in [why, left].into_iter().flatten() {
                self.output.note(&plain(&format!("mizzen: {what}")));
            }
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
