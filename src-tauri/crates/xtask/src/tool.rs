//! Runs other programs from the root of the work tree.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};

use anyhow::{Context, Result, bail};

/// npm is a script on Windows, and only its full name starts without a shell.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The root of the work tree that this tool is run in.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| root_of(std::env::var_os("CARGO_MANIFEST_DIR")));
    &ROOT
}

/// By what cargo says at run time: where trees share an output folder, the program may have been built in another one.
fn root_of(manifest_dir: Option<OsString>) -> PathBuf {
    let dir = manifest_dir.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&dir).join("../../..")
}

/// Cargo's output folder, wherever the developer put it.
pub(crate) fn target_dir() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    root().join(chosen)
}

/// A command that starts in the root of the work tree and has no standard input.
pub(crate) fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs to the end; a failure names the whole command line.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Whether the command starts and succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs to the end, prints what the command says as it says it, and shows each line to `look`.
pub(crate) fn run_watched(command: &mut Command, mut look: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let (sender, lines) = mpsc::channel();
    let stdout = child.stdout.take().expect("BUG: stdout is piped");
    let stderr = child.stderr.take().expect("BUG: stderr is piped");
    send_lines(stdout, sender.clone());
    send_lines(stderr, sender);
    for line in lines {
        println!("{line}");
        look(&line);
    }
    Ok(child.wait()?)
}

/// Tests print arbitrary bytes, so a line is taken as it comes and made text afterwards.
fn send_lines(source: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line)
                .trim_end_matches('\r')
                .to_owned();
            if lines.send(text).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn a_tool_that_another_tree_built_works_on_the_one_it_is_run_in() {
        let root = super::root_of(Some("/this/src-tauri/crates/xtask".into()));
        assert_eq!(root, Path::new("/this/src-tauri/crates/xtask/../../.."));
        assert!(super::root_of(None).join("Cargo.toml").exists());
    }
}
