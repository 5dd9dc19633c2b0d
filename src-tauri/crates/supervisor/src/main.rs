//! PID 1 of a session's container.
//!
//! `run` (also without an argument) is the container's first process: it starts code-server, reaps
//! what is left behind and reports in `status.json`. `attach` is started beside it, once per core,
//! and speaks [`mizzen_wire`] on its stdio. `sync` serves a folder of any container on its stdio, as
//! the user that it was started as. `report` is for scripts: it adds to the report of the one that
//! runs. `version` says which one this is.
//!
//! Invariant: a session is not served as root. Started as root, `run` and `attach` become `coder` or end.
//! Invariant: it needs nothing of the image: no shell, no libraries, no user list, no `/tmp`.
//! Invariant: it keeps running whatever is missing, and says in `status.json` what that is.

#[cfg(target_os = "linux")]
mod container;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    container::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "mizzen-supervisor runs in Linux containers only"
    );
    std::process::ExitCode::FAILURE
}
