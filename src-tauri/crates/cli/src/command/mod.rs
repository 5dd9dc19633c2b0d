//! One module per kind of command.

mod contexts;
mod desktop;
mod doctor;
mod engines;
mod exec;
mod image;
mod logs;
mod look;
mod open;
mod output;
mod papers;
mod protocol;
mod serve;
mod shell;
mod sync;
mod verbs;
mod workspace;

use std::future::Future;

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, Verb};
use tokio::runtime::{Builder, Runtime};

use crate::args::{Cli, Command, GitOf};
use crate::connect;
use crate::output::{Failure, Output, failed};

pub(crate) fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let Some(command) = cli.command else {
        return desktop::start();
    };
    match command {
        Command::Serve(args) => serve::run(&args, output),
        Command::Up(args) => with_core(async |client| verbs::up(&client, args, output).await),
        Command::Start(args) => each(args.sessions, output, Verb::Start),
        Command::Stop(args) => each(args.sessions, output, Verb::Stop),
        Command::Pause(args) => each(args.sessions, output, Verb::Pause),
        Command::Resume(args) => each(args.sessions, output, Verb::Resume),
        Command::Restart(args) => each(args.sessions, output, Verb::Restart),
        Command::Rm(args) => with_core(async |client| verbs::remove(&client, args, output).await),
        Command::List => with_core(async |client| look::list(&client, output).await),
        Command::Show(args) => {
            with_core(async |client| look::show(&client, &args.session, output).await)
        }
        Command::Events => with_core(async |client| look::events(&client, output).await),
        Command::Open(args) => with_core(async |client| open::run(&client, &args, output).await),
        Command::Logs(args) => with_core(async |client| logs::run(&client, &args, output).await),
        Command::Exec(args) => with_core(async |client| exec::run(client, args, output).await),
        Command::Shell(args) => with_core(async |client| shell::run(&client, args).await),
        Command::Git(GitOf::Fetch(of)) => each(of.sessions, output, Verb::GitFetch),
        Command::Sync(args) => sync::run(*args, output),
        Command::Contexts(args) => {
            with_core(async |client| contexts::run(&client, args, output).await)
        }
        Command::Engines { of: None } => {
            with_core(async |client| engines::list(&client, output).await)
        }
        Command::Engines { of: Some(of) } => {
            with_core(async |client| engines::expose(&client, of, output).await)
        }
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Image(args) => with_core(async |client| image::run(&client, args, output).await),
        Command::Protocol(args) => protocol::run(&args, output),
        Command::Completions { shell } => papers::completions(shell),
        Command::Man { out } => papers::man(out.as_deref()),
    }
}

fn each(
    sessions: Vec<String>,
    output: Output,
    verb: fn(mizzen_core::verb::SessionRef) -> Verb,
) -> Result<(), Failure> {
    with_core(async |client| verbs::each(&client, sessions, output, verb).await)
}

/// Runs a command against the core, which is started when none runs.
fn with_core<F>(act: impl FnOnce(Client) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let dirs = connect::world()?.dirs;
    block_on(async { act(connect::client(&dirs).await?).await })
}

fn threads(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| {
        failed(
            ErrorCode::Failed,
            format!("the system refused: {error}"),
            "close other programs",
        )
    })
}

/// One thread will do: a command mostly waits.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = threads(&mut Builder::new_current_thread())?;
    let result = runtime.block_on(future);
    // Not waited for: a thread that reads standard input ends with the next key only.
    runtime.shutdown_background();
    result
}
