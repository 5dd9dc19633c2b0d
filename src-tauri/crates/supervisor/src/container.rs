mod attach;
mod board;
mod carrying;
mod children;
mod code_server;
mod commands;
mod direct_line;
mod farewell;
mod forward;
mod git;
mod health;
mod http;
mod identity;
mod journal;
mod metrics;
mod mirror;
mod places;
mod probe;
mod pty;
mod report;
mod reporter;
mod retry;
mod run;
mod shell;
mod stdio;
mod sync;
mod talks;
mod workspace;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use identity::Identity;
use tokio::runtime::{Builder, Runtime};

/// This program's version, and that of the core it came with.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What this program is called.
const NAME: &str = "mizzen-supervisor";

/// Exit codes as in sysexits.h.
const USAGE: u8 = 64;
const NO_PERMISSION: u8 = 77;

/// How long what is at a disk may take after the end.
const LAST_WRITES: Duration = Duration::from_secs(1);

pub(crate) fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    // `docker run IMAGE mizzen-supervisor run`: the image's entry point is this program already.
    arguments.next_if(|first| first == NAME);
    let verb = arguments.next();
    match verb.as_ref().map(|verb| verb.to_str()) {
        None | Some(Some("run")) => match mirror::Settings::parse(arguments) {
            Ok(mirror) => {
                let host = mirror.as_ref().map(|mirror| mirror.host.clone());
                serve(host.as_deref(), async |identity| {
                    run::run(identity, mirror).await
                })
            }
            Err(why) => {
                complain(why);
                ExitCode::from(USAGE)
            }
        },
        Some(Some("attach")) => serve(None, attach::attach),
        Some(Some("mirror")) => mirror::ask(arguments),
        Some(Some("report")) => report::tell(arguments),
        Some(Some("sync")) => sync::on_stdio(),
        Some(Some(pty::VERB)) => pty::become_command(arguments.collect::<Vec<OsString>>()),
        Some(Some("version" | "--version")) => {
            say(
                io::stdout(),
                format_args!("{VERSION} (wire {})", mizzen_wire::VERSION),
            );
            ExitCode::SUCCESS
        }
        Some(_) => {
            complain(
                "usage: mizzen-supervisor [run [--mirror] | attach | mirror | report | sync | version]",
            );
            ExitCode::from(USAGE)
        }
    }
}

/// Runs one of the two modes on a single thread, as an ordinary user: of a mirror, the owner of the host's folder.
fn serve(host: Option<&Path>, mode: impl AsyncFnOnce(Identity) -> ExitCode) -> ExitCode {
    let identity = match identity::settle(host) {
        Ok(identity) => identity,
        Err(refusal) => {
            complain(refusal);
            return ExitCode::from(NO_PERMISSION);
        }
    };
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => run_on(runtime, mode(identity)),
        Err(error) => {
            complain(format_args!("cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs to the end, and then waits a moment for what is at a disk still: one that hangs would keep PID 1 until it is killed.
fn run_on<T>(runtime: Runtime, mode: impl Future<Output = T>) -> T {
    let ended = runtime.block_on(mode);
    runtime.shutdown_timeout(LAST_WRITES);
    ended
}

fn complain(what: impl Display) {
    say(io::stderr(), format_args!("mizzen-supervisor: {what}"));
}

fn say(mut to: impl Write, what: impl Display) {
    // Nobody may be listening; there is nowhere else to say that.
    let _ = writeln!(to, "{what}");
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::{Builder, run_on};

    #[test]
    fn a_disk_that_hangs_does_not_keep_the_program_from_its_end() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (answer, disk) = mpsc::channel::<()>();
        let ended = run_on(runtime, async {
            tokio::task::spawn_blocking(move || disk.recv());
            7
        });
        assert_eq!(ended, 7);
        drop(answer);
    }
}
