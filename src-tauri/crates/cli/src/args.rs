//! The command line as people type it.

mod contexts;
mod protocol;
mod sync;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::size::bytes;

pub(crate) use contexts::{Contexts, Decide, Held, Restore};
pub(crate) use protocol::Protocol;
pub(crate) use sync::{Forget, Sync, SyncAsk, SyncHow, SyncOf, SyncPair, SyncRun, SyncVerb};

/// Sessions for coding agents in Docker containers.
///
/// Without a command, starts the desktop application, or shows it.
///
/// Exit codes: 0 done, 1 the thing asked for did not come about, 2 usage, 3 waiting for a person,
/// 4 engine unreachable, 5 not found, 6 refused (limit, state, policy), 130 interrupted: Mizzen goes
/// on with what was asked.
#[derive(Debug, Parser)]
#[command(name = "mizzen", version, max_term_width = 100, after_help = ENVIRONMENT)]
pub(crate) struct Cli {
    /// Print JSON: one object, or one per line for streams.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const ENVIRONMENT: &str = "\
Environment:
  MIZZEN_HOME     root of config, state, cache and runtime directories
  MIZZEN_LOG      filter of the core's log, e.g. info or mizzen_sessions=debug
  DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG
                  the engine, as the Docker CLI reads them
  NO_COLOR        no colours";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the core without a window.
    Serve(Serve),
    /// Create a folder's session when there is none, and start it.
    Up(Up),
    /// Start sessions.
    Start(Sessions),
    /// Shut sessions down; their containers stay.
    Stop(Sessions),
    /// Freeze sessions.
    Pause(Sessions),
    /// Thaw sessions.
    Resume(Sessions),
    /// Stop and start sessions.
    Restart(Sessions),
    /// Remove sessions: container, network and status files, never the project folder.
    Rm(Rm),
    /// List all sessions.
    #[command(visible_alias = "ls")]
    List,
    /// Show one session: phases, services, limits, alerts.
    Show(Session),
    /// Follow every change.
    Events,
    /// Open code-server, or a dev server, in the browser.
    Open(Open),
    /// Print a session's log.
    Logs(Logs),
    /// Run a command in a session, through its queue, and end with the command's exit code.
    ///
    /// It takes its turn after those that wait, is carried out once whatever happens to Mizzen or the container, and goes
    /// on when this ends. Ctrl-C cancels it; a second one leaves it to itself.
    ///
    /// Exit codes: the command's own, 128 and the number of the signal that ended it, 124 when it took too long, 1 when it
    /// was not carried out; 2 to 6 as for all commands.
    Exec(Exec),
    /// Open a shell, or run a command, in a session's terminal.
    Shell(Shell),
    /// Keep two folders in step, without a session; or look after the workspace of one that is synced.
    ///
    /// What both changed is a conflict, and nothing is lost: what is overwritten or deleted goes to a trash beside
    /// Mizzen's state. Version control's own files, what A's .gitignore files name and what holds a key or token stay
    /// where they are.
    ///
    /// Exit codes: 0 in step, 1 conflicts or problems left, 2 usage, 3 stopped until a person agrees, 4 failed, 5 not
    /// found, 6 another Mizzen keeps the folders.
    Sync(Box<Sync>),
    /// Git in sessions whose workspace is kept in step.
    #[command(subcommand)]
    Git(GitOf),
    /// Docker contexts, kept in step between the host and what devcontainers see.
    ///
    /// Exit codes: 0 done, 1 something could not be carried over, 3 something waits for you, 5 not found, 6 refused.
    #[command(subcommand)]
    Contexts(Contexts),
    /// List the engines that sessions can live on: every Docker context. Or say which may be spoken to in the clear.
    Engines {
        /// What to do.
        #[command(subcommand)]
        of: Option<EnginesOf>,
    },
    /// Look for what is missing, and say how to fix it.
    Doctor(Doctor),
    /// The session image.
    #[command(subcommand)]
    Image(Image),
    /// Whether others keep to the status protocol.
    #[command(subcommand)]
    Protocol(Protocol),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: CompletionShell,
    },
    /// Print the manual page, or write the pages of all commands to a folder.
    Man {
        /// Folder to write to.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnginesOf {
    /// Let another machine's engine be used over plain TCP, at the address that its context has now.
    ///
    /// Says what the risk is, and does it with --yes only.
    Allow {
        /// Its context.
        context: String,
        /// Take the risk.
        #[arg(long)]
        yes: bool,
    },
    /// Take that back.
    Refuse {
        /// Its context.
        context: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Stay in the foreground until SIGTERM or Ctrl-C.
    #[arg(long, conflicts_with = "stop")]
    pub(crate) foreground: bool,
    /// End the running core; sessions go on running.
    #[arg(long)]
    pub(crate) stop: bool,
    /// Leave the terminal's session and tell the parent, over standard output, when ready.
    #[arg(long, hide = true, requires = "foreground")]
    pub(crate) detached: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Project folder; the current one without it.
    pub(crate) dir: Option<PathBuf>,
    /// Session name; made from the folder's without it.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Engine: the name of a Docker context.
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) engine: Option<String>,
    /// How the workspace of a new session reaches the container; `sync` without it.
    #[arg(long)]
    pub(crate) workspace: Option<Workspace>,
    /// Image; Mizzen's own without it.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// Memory limit, e.g. 512m or 4g.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(crate) memory: Option<u64>,
    /// Processors, e.g. 1.5.
    #[arg(long)]
    pub(crate) cpus: Option<f64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Workspace {
    /// The folder itself is mounted.
    Bind,
    /// A volume of the session's own, kept in step with the folder.
    Sync,
    /// Both: the folder at /host beside the volume, kept in step by the container itself.
    Mirror,
}

#[derive(Debug, Args)]
pub(crate) struct Session {
    /// Session name.
    pub(crate) session: String,
}

#[derive(Debug, Args)]
pub(crate) struct Sessions {
    /// Session names.
    #[arg(required = true, value_name = "SESSION")]
    pub(crate) sessions: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GitOf {
    /// Fetch what was committed in sessions into refs/mizzen/SESSION/ of their projects' repositories.
    ///
    /// No branch, no file and no index of the project is touched. A stop does it, too.
    Fetch(Sessions),
}

#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Session names.
    #[arg(required = true, value_name = "SESSION")]
    pub(crate) sessions: Vec<String>,
    /// Stop a running session first; and with --volumes, agree to lose what was not brought from its workspace.
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Remove its volumes, too: settings and logins kept in the session's home, and a synced workspace.
    #[arg(long)]
    pub(crate) volumes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Session name.
    pub(crate) session: String,
    /// A dev server's port in the session instead of code-server.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Print the one-time address instead of opening it; it is good for one minute.
    #[arg(long)]
    pub(crate) print: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Session name.
    pub(crate) session: String,
    /// Go on with new lines as they come.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only so many of the newest lines.
    #[arg(short = 'n', long, value_name = "LINES")]
    pub(crate) tail: Option<u32>,
    /// What this command of the session's has said, instead of the container's log.
    #[arg(long, value_name = "ID")]
    pub(crate) command: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// Session name.
    pub(crate) session: String,
    /// How long it may take, in seconds; 300 without it.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) timeout: Option<u32>,
    /// Which goes first.
    #[arg(long, value_name = "P", default_value = "normal")]
    pub(crate) priority: Priority,
    /// Directory to run it in, /workspace or below it.
    #[arg(long, value_name = "D")]
    pub(crate) dir: Option<String>,
    /// One more environment variable.
    #[arg(long, value_name = "K=V", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Give CMD to a shell as a script.
    #[arg(long)]
    pub(crate) shell: bool,
    /// Do not wait: print the command's id.
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Program and arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Priority {
    /// Before all others.
    High,
    /// As it comes.
    Normal,
    /// When nothing else waits.
    Low,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
pub(crate) struct Shell {
    /// Session name.
    pub(crate) session: String,
    /// Command and arguments; the user's shell without them.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Repair what can be repaired without harm, then look again.
    #[arg(long)]
    pub(crate) fix: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Image {
    /// Build the session image when it is missing or out of date.
    Build {
        /// Engine: the name of a Docker context.
        #[arg(long, value_name = "CONTEXT")]
        engine: Option<String>,
        /// Build although it is there.
        #[arg(long)]
        rebuild: bool,
    },
    /// List the session images.
    List {
        /// Engine: the name of a Docker context.
        #[arg(long, value_name = "CONTEXT")]
        engine: Option<String>,
    },
    /// Remove session images that are out of date and unused.
    Prune {
        /// Engine: the name of a Docker context.
        #[arg(long, value_name = "CONTEXT")]
        engine: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CompletionShell {
    Bash,
    Zsh,
    Fish,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
