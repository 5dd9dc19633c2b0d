//! Git, started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy};
use tokio::process::{Child, Command};

use super::super::identity::Identity;
use super::super::places::WORKSPACE;

/// Settings that hold for our own commands: they are quick, and ask nobody.
const SETTINGS: [&str; 5] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",
];

/// A repository of the workspace.
pub(super) struct Git<'a> {
    program: PathBuf,
    identity: &'a Identity,
    /// Where it lies; the workspace's own when nobody says.
    dir: Option<PathBuf>,
}

impl<'a> Git<'a> {
    pub(super) fn new(program: PathBuf, identity: &'a Identity) -> Self {
        Self {
            program,
            identity,
            dir: None,
        }
    }

    /// The same git for a repository that lies elsewhere.
    pub(super) fn at(&self, dir: PathBuf) -> Self {
        Self {
            program: self.program.clone(),
            identity: self.identity,
            dir: Some(dir),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = std::process::Command::new(&self.program);
        self.identity.dress(&mut command);
        command
            .current_dir(WORKSPACE)
            .env("GIT_CEILING_DIRECTORIES", "/")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        if let Some(dir) = &self.dir {
            let mut option = OsString::from("--git-dir=");
            option.push(dir);
            command.arg(option).arg(format!("--work-tree={WORKSPACE}"));
        }
        command.args(args);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        command
    }

    /// What it prints.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.command(args).output().await;
        ended(args, output.map_err(|error| error.to_string())?)
    }

    /// What it prints when it reads this.
    pub(super) async fn feed(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        self.drink(args, &mut &*input).await
    }

    /// The same with all that comes.
    pub(super) async fn drink(
        &self,
        args: &[&str],
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Vec<u8>, String> {
        let mut child = self.begin(args)?;
        let mut stdin = child.stdin.take().expect("BUG: it was piped");
        let write = async {
            // Whoever stops reading says why at its end.
            let _ = copy(from, &mut stdin).await;
            drop(stdin);
        };
        let end = child.wait_with_output();
        tokio::pin!(end);
        let output = tokio::select! {
            // Whatever else there was for it to read.
            output = &mut end => output,
            () = write => end.await,
        };
        ended(args, output.map_err(|error| error.to_string())?)
    }

    /// Sends what it prints, when it reads this.
    pub(super) async fn pour(
        &self,
        args: &[&str],
        input: &[u8],
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), String> {
        let mut child = self.begin(args)?;
        let mut stdin = child.stdin.take().expect("BUG: it was piped");
        let mut stdout = child.stdout.take().expect("BUG: it was piped");
        let write = async {
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        let carry = async {
            let carried = copy(&mut stdout, to).await;
            // When nobody takes it any more, git is to notice.
            drop(stdout);
            carried
        };
        let ((), carried, output) = tokio::join!(write, carry, child.wait_with_output());
        carried.map_err(|error| error.to_string())?;
        ended(args, output.map_err(|error| error.to_string())?).map(drop)
    }

    /// Those of these objects that there are.
    pub(super) async fn existing(&self, objects: &[String]) -> Result<Vec<String>, String> {
        let asked: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let args = ["cat-file", "--batch-check=%(objectname) %(objecttype)"];
        let said = self.feed(&args, asked.as_bytes()).await?;
        let said = String::from_utf8_lossy(&said);
        let there = said.lines().filter_map(|line| line.split_once(' '));
        let there = there.filter(|(_, kind)| *kind == "commit");
        Ok(there.map(|(object, _)| object.to_owned()).collect())
    }

    /// A file of the repository.
    pub(super) async fn path(&self, name: &str) -> Result<PathBuf, String> {
        let said = self.run(&["rev-parse", "--git-path", name]).await?;
        let said = String::from_utf8_lossy(&said);
        Ok(Path::new(WORKSPACE).join(said.trim_end_matches('\n')))
    }

    fn begin(&self, args: &[&str]) -> Result<Child, String> {
        let spawned = self.command(args).stdin(Stdio::piped()).spawn();
        spawned.map_err(|error| error.to_string())
    }
}

/// What a command printed, or why it failed, by its last line.
fn ended(args: &[&str], output: Output) -> Result<Vec<u8>, String> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.lines().last().unwrap_or("it did not say why");
    let what = args.first().copied().unwrap_or_default();
    Err(format!("git {what}: {why}"))
}
