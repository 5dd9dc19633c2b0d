//! `mizzen serve`: the core without a window.

use std::io::{self, Write};

use mizzen_core::verb::{ApiError, ErrorCode};
use mizzen_core::{Client, ConnectError, Core, CoreConfig, start_log};
use tokio::runtime::Builder;

use super::{block_on, threads};
use crate::args::Serve;
use crate::connect::{self, Started};
use crate::output::{Failure, Output, failed};

pub(super) fn run(args: &Serve, output: Output) -> Result<(), Failure> {
    let config = connect::world()?;
    if args.detached {
        return detached(config);
    }
    if args.stop {
        return block_on(stop(&config, output));
    }
    if args.foreground {
        return foreground(config, output);
    }
    match connect::start_in_background()? {
        Started::Ready => output.line("The core runs in the background."),
        Started::AlreadyRuns => {
            // RACE: one that was killed holds its lock a moment longer than its socket.
            block_on(connect::client(&config.dirs))?;
            output.line("Mizzen already runs.")
        }
        Started::Failed(error) => Err(Failure::Api(error)),
    }
}

async fn stop(config: &CoreConfig, output: Output) -> Result<(), Failure> {
    match Client::connect(&config.dirs).await {
        Ok(client) => {
            client.stop_core().await;
            output.line("The core has ended; sessions go on running.")
        }
        Err(ConnectError::NoCore) => output.line("Mizzen does not run."),
        Err(error) => Err(Failure::Api(error.into())),
    }
}

fn foreground(config: CoreConfig, output: Output) -> Result<(), Failure> {
    serve(config, |started| match started {
        Started::Ready => {
            output.note("The core runs; Ctrl-C ends it, and sessions go on running.");
            Ok(())
        }
        Started::AlreadyRuns => Err(failed(
            ErrorCode::State,
            "Mizzen already runs",
            "end it with `mizzen serve --stop`",
        )),
        Started::Failed(error) => Err(Failure::Api(error)),
    })
}

/// The background core: its parent reads one line and goes on.
fn detached(config: CoreConfig) -> Result<(), Failure> {
    leave_session();
    serve(config, |started| {
        let word = serde_json::to_string(&started).expect("BUG: plain values");
        let _parent_gone = writeln!(io::stdout(), "{word}");
        match started {
            Started::Ready => Ok(()),
            Started::AlreadyRuns | Started::Failed(_) => Err(Failure::ExitCode(1)),
        }
    })
}

/// Runs a core until a signal or a client ends it.
fn serve(
    config: CoreConfig,
    say: impl FnOnce(Started) -> Result<(), Failure>,
) -> Result<(), Failure> {
    threads(&mut Builder::new_multi_thread())?.block_on(async {
        if let Err(error) = config.dirs.prepare() {
            return say(Started::Failed(mizzen_core::StartError::from(error).into()));
        }
        if let Err(error) = start_log(&config) {
            let hint = "correct MIZZEN_LOG, or make the state directory writable";
            let error = ApiError::new(ErrorCode::Failed, error.to_string(), hint);
            return say(Started::Failed(error));
        }
        let core = match Core::start(config).await {
            Ok(core) => core,
            Err(error) if error.is_already_running() => return say(Started::AlreadyRuns),
            Err(error) => return say(Started::Failed(error.into())),
        };
        let said = say(Started::Ready);
        if said.is_ok() {
            tokio::select! {
                () = core.asked_to_stop() => {}
                () = ended_by_signal() => {}
            }
        }
        core.shut_down().await;
        said
    })
}

#[cfg(unix)]
async fn ended_by_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

#[cfg(not(unix))]
async fn ended_by_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// A core started from a terminal must outlive it.
#[cfg(unix)]
fn leave_session() {
    // It fails for the leader of a process group only, which a child of ours is not.
    let _already_leader = rustix::process::setsid();
}

#[cfg(not(unix))]
fn leave_session() {}
