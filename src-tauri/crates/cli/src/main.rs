//! Mizzen's command line: a client of the core.
//!
//! Invariant: it does nothing that a client of the control socket could not do; `sync` of two folders alone needs no core.
//! Invariant: standard output carries results only; words about failures go to standard error.

mod args;
mod command;
mod connect;
mod output;
mod progress;
mod size;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use mizzen_core::verb::{ApiError, ErrorCode};

use args::Cli;
use output::{Failure, Output};

/// Exit code of a program that was interrupted, as shells count.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let output = Output::new(cli.json);
    // One thread: the command line mostly waits. `mizzen serve` makes its own runtime.
    match command::run(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::ExitCode(code)) => ExitCode::from(code),
        Err(Failure::Interrupted(message)) => {
            output.note(&message);
            ExitCode::from(INTERRUPTED)
        }
        Err(Failure::Api(error)) => {
            output.error(&error);
            ExitCode::from(error.code.exit_code())
        }
        Err(Failure::Coded(error, code)) => {
            output.error(&error);
            ExitCode::from(code)
        }
    }
}

/// Help and version are no errors; the rest is usage, in JSON where that was asked for.
fn misused(error: &clap::Error) -> ExitCode {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let wants_json = std::env::args_os().any(|arg| arg == "--json");
    if is_help || !wants_json {
        let _closed = error.print();
        return ExitCode::from(if is_help {
            0
        } else {
            ErrorCode::Usage.exit_code()
        });
    }
    let text = error.render().to_string();
    let message = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    Output::new(true).error(&ApiError::new(
        ErrorCode::Usage,
        message,
        "see `mizzen --help`",
    ));
    ExitCode::from(ErrorCode::Usage.exit_code())
}
