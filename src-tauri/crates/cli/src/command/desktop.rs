//! `mizzen` alone: the desktop application.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use mizzen_core::verb::ErrorCode;

use crate::output::{Failure, failed};

const PROGRAM: &str = "mizzen-desktop";

/// Starts the application lying beside this program. A running one shows its window instead: it
/// admits one instance only.
pub(super) fn start() -> Result<(), Failure> {
    let program = beside_us().ok_or_else(|| {
        let hint = "install it, or use the commands listed by `mizzen --help`";
        failed(
            ErrorCode::NotFound,
            format!("`{PROGRAM}` is not installed beside `mizzen`"),
            hint,
        )
    })?;
    if is_without_display() {
        // Said here: nobody would read it on the application's own standard error.
        let hint = "use `mizzen serve` to run sessions without a desktop";
        return Err(failed(ErrorCode::Usage, "there is no display", hint));
    }
    let mut command = Command::new(&program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    leave_terminal(&mut command);
    command.spawn().map(drop).map_err(|error| {
        let message = format!("{} cannot be started: {error}", program.display());
        failed(ErrorCode::Failed, message, "run `mizzen doctor`")
    })
}

fn beside_us() -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe().ok()?.parent()?.join(name);
    program.is_file().then_some(program)
}

/// Only where displays have names.
fn is_without_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "linux") && !named("WAYLAND_DISPLAY") && !named("DISPLAY")
}

/// Ctrl-C in the terminal is not meant for the application.
#[cfg(unix)]
fn leave_terminal(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn leave_terminal(_command: &mut Command) {}
