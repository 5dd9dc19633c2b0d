//! Commands that a person gives a session, and what they say.

use std::sync::Arc;
use std::time::Duration;

use mizzen_fsx::Watch;
use mizzen_sessions::{CommandOutput, Facts, SessionFact};
use mizzen_status::{Command, CommandId, Exec, Order, Priority};
use tokio::sync::{Notify, watch};

use super::Desk;
use super::run::Done;
use crate::client::{OutputOptions, OutputPiece};
use crate::translate;
use crate::translate::commands::{find, is_down};
use crate::verb::{ApiError, CommandPriority, CommandRef, ErrorCode, ExecParams};
use crate::view::CommandView;

/// The safety net under lost hints, while a command runs that somebody follows.
const POLL: Duration = Duration::from_millis(500);
/// Output that goes to a client at once.
const PIECE: u64 = 64 * 1024;
/// Where a session's commands run.
const WORKSPACE: &str = "/workspace";

impl Desk {
    pub(super) async fn exec(&self, params: ExecParams) -> Result<Done, ApiError> {
        let fact = self.fact(&params.session)?;
        let command = command(params)?;
        let taken = self.sessions.exec(fact.name.as_str(), command).await;
        taken
            .map(Done::from)
            .map_err(|error| translate::error(&error))
    }

    pub(super) async fn cancel_command(&self, of: CommandRef) -> Result<Done, ApiError> {
        let (fact, id) = (self.fact(&of.session)?, id_of(&of.id)?);
        let cancelled = self.sessions.cancel_command(fact.name.as_str(), id).await;
        cancelled
            .map(Done::from)
            .map_err(|error| translate::error(&error))
    }

    /// What a command says, from some byte on.
    pub(crate) async fn output(
        &self,
        session: &str,
        options: OutputOptions,
    ) -> Result<Following, ApiError> {
        let (fact, id) = (self.fact(session)?, id_of(&options.id)?);
        let output = self.sessions.command_output(fact.name.as_str(), &id).await;
        Ok(Following {
            output: output.map_err(|error| translate::error(&error))?,
            facts: self.sessions.watch(),
            session: fact.name.to_string(),
            id,
            offset: options.from,
            goes_on: options.follow,
            hinted: Arc::default(),
            watch: None,
        })
    }
}

/// A command as a container reads it.
fn command(params: ExecParams) -> Result<Command, ApiError> {
    let id = id_of(&params.id)?;
    let mut argv = params.argv.into_iter();
    let first = argv.next().filter(|first| !first.is_empty());
    let first = first.ok_or_else(|| usage("there is no program to run", "name one"))?;
    let dir = params.dir.map(|dir| in_workspace(&dir)).transpose()?;
    let exec = Exec {
        command: match params.shell {
            true => first,
            // Of one word also when it has spaces.
            false => mizzen_status::one_word(&first),
        },
        args: argv.collect(),
        shell: params.shell,
        env: params.env,
        working_dir: dir,
        timeout_seconds: params.timeout_seconds.map(u64::from),
        max_output: None,
    };
    let mut command = Command::new(id, Order::Exec(exec));
    command.priority = match params.priority {
        CommandPriority::High => Some(Priority::High),
        CommandPriority::Normal => None,
        CommandPriority::Low => Some(Priority::Low),
    };
    Ok(command)
}

/// A directory of the workspace; what links there lead to is for the container to see.
fn in_workspace(dir: &str) -> Result<String, ApiError> {
    // Not a path of this system, whose separator may be another one.
    let full = match dir.starts_with('/') {
        true => dir.to_owned(),
        false => format!("{WORKSPACE}/{dir}"),
    };
    let goes_up = full.split('/').any(|part| part == "..");
    let below = full.strip_prefix(WORKSPACE);
    if !goes_up && below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
        return Ok(full);
    }
    let shown = mizzen_status::sanitise(dir, 200);
    let message = format!("`{shown}` is no directory of the workspace");
    Err(usage(&message, "name one below /workspace"))
}

fn id_of(text: &str) -> Result<CommandId, ApiError> {
    CommandId::new(text).ok_or_else(|| {
        let shown = mizzen_status::sanitise(text, 80);
        let hint = "give 1 to 64 letters, digits, `.`, `_` and `-`";
        usage(&format!("`{shown}` is no id of a command"), hint)
    })
}

fn usage(message: &str, hint: &str) -> ApiError {
    ApiError::new(ErrorCode::Usage, message, hint)
}

/// What a command says next.
pub(crate) enum Said {
    /// So much more.
    More(OutputPiece),
    /// Nothing more; how it stands, if it is one of ours.
    End(Option<CommandView>),
}

/// The output of a command as it comes.
pub(crate) struct Following {
    output: CommandOutput,
    facts: watch::Receiver<Arc<Facts>>,
    session: String,
    id: CommandId,
    offset: u64,
    goes_on: bool,
    hinted: Arc<Notify>,
    watch: Option<Watch>,
}

impl Following {
    pub(crate) async fn next(&mut self) -> Result<Said, ApiError> {
        loop {
            // Looked at before the output: what was said before the end is all there then.
            let (view, is_over) = self.look()?;
            let bytes = self.read().await?;
            if !bytes.is_empty() {
                self.offset += bytes.len() as u64;
                return Ok(Said::More(OutputPiece::of(&bytes)));
            }
            if is_over {
                return match view {
                    None if self.offset == 0 => Err(self.no_such_command()),
                    view => Ok(Said::End(view)),
                };
            }
            self.wait().await;
        }
    }

    /// How the command stands, and whether nothing more is to be waited for.
    fn look(&mut self) -> Result<(Option<CommandView>, bool), ApiError> {
        let facts = self.facts.borrow_and_update();
        let fact = facts.get(&self.session.to_ascii_lowercase());
        let fact: &SessionFact = fact.ok_or_else(|| {
            let message = format!("session `{}` was removed", self.session);
            ApiError::new(ErrorCode::NotFound, message, "see `mizzen list`")
        })?;
        let view = find(fact, &self.id);
        let goes_on = self.goes_on
            && !is_down(fact.state)
            && view.as_ref().is_some_and(|view| !view.state.is_final());
        Ok((view, !goes_on))
    }

    async fn read(&self) -> Result<Vec<u8>, ApiError> {
        let (output, offset) = (self.output.clone(), self.offset);
        let read = tokio::task::spawn_blocking(move || output.read(offset, PIECE)).await;
        read.expect("BUG: reading does not panic")
            .map_err(|refused| {
                let message = format!("the output of `{}` is not read: {refused}", self.id);
                let hint = format!("see how it stands: mizzen show {}", self.session);
                ApiError::new(ErrorCode::Failed, message, hint)
            })
    }

    async fn wait(&mut self) {
        if self.watch.is_none() {
            let hint = self.hinted.clone();
            self.watch = self.output.watch(move || hint.notify_one());
            if self.watch.is_some() {
                // RACE: something may have been said before it was watched.
                return;
            }
        }
        tokio::select! {
            _ = self.facts.changed() => {}
            () = self.hinted.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }

    fn no_such_command(&self) -> ApiError {
        let message = format!("session `{}` has no command `{}`", self.session, self.id);
        let hint = format!("see its commands: mizzen show {}", self.session);
        ApiError::new(ErrorCode::NotFound, message, hint)
    }
}

#[cfg(test)]
mod tests {
    use mizzen_status::Order;

    use super::{command, in_workspace};
    use crate::verb::{ErrorCode, ExecParams};

    fn params(argv: &[&str]) -> ExecParams {
        ExecParams {
            id: "a".to_owned(),
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            ..ExecParams::default()
        }
    }

    #[test]
    fn each_word_stays_one_whatever_it_holds() {
        let Order::Exec(exec) = command(params(&["my tool", "a b", "$x;"])).unwrap().order else {
            panic!("a program");
        };
        assert_eq!(exec.argv().unwrap(), ["my tool", "a b", "$x;"]);
        let script = ExecParams {
            shell: true,
            ..params(&["echo $1; true", "a b"])
        };
        let Order::Exec(exec) = command(script).unwrap().order else {
            panic!("a program");
        };
        assert_eq!(
            exec.argv().unwrap(),
            ["sh", "-c", "echo $1; true", "sh", "a b"]
        );
        for argv in [&[][..], &[""]] {
            assert_eq!(command(params(argv)).unwrap_err().code, ErrorCode::Usage);
        }
    }

    #[test]
    fn row_36_a_directory_is_one_of_the_workspace() {
        for (dir, full) in [
            ("ui", "/workspace/ui"),
            ("/workspace", "/workspace"),
            ("/workspace/a/b", "/workspace/a/b"),
        ] {
            assert_eq!(in_workspace(dir).unwrap(), full);
        }
        for dir in [
            "/etc",
            "..",
            "a/../../etc",
            "/workspace/../etc",
            "/workspacex",
        ] {
            in_workspace(dir).unwrap_err();
        }
    }
}
