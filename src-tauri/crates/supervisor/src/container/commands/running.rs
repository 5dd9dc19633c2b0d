//! One program, from its start to the last of its output.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_status::{Ack, AckState, CommandId, Exec};
use mizzen_tasks::Owner;
use mizzen_wire::pty::Exit;
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::children::{Child, Children};
use super::super::identity::Identity;
use super::super::places;
use super::left;
use super::log::Middle;

/// Between asking a program to end and making it.
const GRACE: Duration = Duration::from_secs(10);
/// Between two looks whether anything of a group is left.
const GLANCE: Duration = Duration::from_millis(20);
/// How long output may come from what a program has left running.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Pieces of output that wait for the disk; then the program waits.
const WAITING: usize = 16;
const PIECE: usize = 64 * 1024;

/// What it takes to run one.
pub(super) struct Program {
    pub(super) logs: PathBuf,
    pub(super) children: Children,
    pub(super) identity: Identity,
    /// Owns the tasks that read its output.
    pub(super) owner: Owner,
}

/// Why a program ended.
enum End {
    Itself,
    TooLong,
    Cancelled,
}

impl Program {
    /// Runs it to its end; says how that was.
    pub(super) async fn run(self, mut ack: Ack, exec: &Exec, cancel: CancellationToken) -> Ack {
        let started = self.command(&ack.id, exec).and_then(|command| {
            let shown = command.get_program().to_string_lossy().into_owned();
            let is_script = is_file(&command);
            let child = self.children.start(command);
            child.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound if is_script => format!(
                    "`{shown}` cannot be started: what its first line names is not installed in this container"
                ),
                io::ErrorKind::NotFound => format!("`{shown}` is not installed in this container"),
                _ => format!("`{shown}` cannot be started: {error}"),
            })
        });
        match started {
            Ok(child) => self.follow(child, &mut ack, exec, &cancel).await,
            Err(why) => {
                ack.state = AckState::Rejected;
                ack.log = None;
                ack.error = Some(why);
            }
        }
        ack.finished_at = Some(Timestamp::now().to_string());
        ack
    }

    fn command(&self, id: &CommandId, exec: &Exec) -> Result<Command, String> {
        let argv = exec.argv()?;
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).current_dir(directory(exec)?);
        self.identity.dress(&mut command);
        command.envs(&exec.env).env(left::MARK, id.as_str());
        Ok(command)
    }

    async fn follow(&self, child: Child, ack: &mut Ack, exec: &Exec, cancel: &CancellationToken) {
        let Child {
            pid,
            stdout,
            stderr,
            mut exit,
        } = child;
        let (pieces, output) = mpsc::channel(WAITING);
        self.owner.spawn("stdout", read(stdout, pieces.clone()));
        self.owner.spawn("stderr", read(stderr, pieces));
        let file = self.logs.join(super::log::name(&ack.id));
        let (cut, mut written) = oneshot::channel();
        let cut_off = CancellationToken::new();
        let writing = write(file, output, exec.output_max(), cut_off.clone());
        self.owner.spawn("output", async move {
            // Nobody waits any more when everything ends.
            let _nobody = cut.send(writing.await);
        });
        let (end, exit) = tokio::select! {
            exit = &mut exit => (End::Itself, exit.ok()),
            () = sleep(exec.timeout()) => (End::TooLong, end_group(pid, &mut exit).await),
            () = cancel.cancelled() => (End::Cancelled, end_group(pid, &mut exit).await),
        };
        let output = match timeout(LAST_WORDS, &mut written).await {
            Ok(output) => output,
            Err(_) => {
                cut_off.cancel();
                written.await
            }
        };
        tell(ack, &end, exit);
        // What left the group did so on purpose: it is told of and left alone.
        ack.left_running = left::count(&ack.id).await;
        match output {
            Ok(Ok(is_truncated)) => ack.truncated = is_truncated,
            Ok(Err(error)) => ack.error = Some(format!("its output could not be kept: {error}")),
            Err(_) => {}
        }
    }
}

/// Whether a command names its program by a path, and it is there.
fn is_file(command: &Command) -> bool {
    let program = Path::new(command.get_program());
    let place = command.get_current_dir().unwrap_or(Path::new("/"));
    program.components().count() > 1 && place.join(program).is_file()
}

/// Where to run it: in the workspace, whatever links lead there.
fn directory(exec: &Exec) -> Result<PathBuf, String> {
    let Some(wanted) = &exec.working_dir else {
        return Ok(places::start_dir().to_owned());
    };
    let real = |path: &Path| fs::canonicalize(path);
    let workspace = real(Path::new(places::WORKSPACE));
    let found = real(Path::new(wanted)).map_err(|error| format!("`{wanted}`: {error}"))?;
    match workspace.is_ok_and(|workspace| found.starts_with(workspace)) && found.is_dir() {
        true => Ok(found),
        false => Err(format!("`{wanted}` is no directory of the workspace")),
    }
}

/// Asks a program and all that it started to end, and after a while makes them.
async fn end_group(pid: Pid, exit: &mut oneshot::Receiver<Exit>) -> Option<Exit> {
    // It may have ended meanwhile.
    let _ = kill_process_group(pid, Signal::TERM);
    let mut first = None;
    // A shell ends at once, and what it has started may still be at its last duties.
    let all = async {
        first = Some((&mut *exit).await.ok());
        while test_kill_process_group(pid).is_ok() {
            sleep(GLANCE).await;
        }
    };
    if timeout(GRACE, all).await.is_err() {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    match first {
        Some(exit) => exit,
        None => exit.await.ok(),
    }
}

fn tell(ack: &mut Ack, end: &End, exit: Option<Exit>) {
    match exit {
        Some(Exit::Code(code)) => ack.exit_code = Some(code.into()),
        Some(Exit::Signal(signal)) => ack.signal = Some(signal.into()),
        None => {}
    }
    ack.state = match (end, exit) {
        (End::TooLong, _) => AckState::TimedOut,
        (End::Cancelled, _) => AckState::Killed,
        (End::Itself, Some(Exit::Code(0))) => AckState::Succeeded,
        (End::Itself, Some(Exit::Code(_))) => AckState::Failed,
        (End::Itself, _) => AckState::Killed,
    };
}

/// Hands on what a program says until it and all that it started have nothing more to say. What goes on after the command's
/// end may say more: it is read, so that it can go on, and kept by nobody.
async fn read(output: OwnedFd, pieces: mpsc::Sender<Vec<u8>>) {
    let Ok(mut output) = pipe::Receiver::from_owned_fd(output) else {
        return;
    };
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        match output.read_buf(&mut piece).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
        let _nobody_keeps = pieces.send(piece).await;
    }
}

/// Writes the output as it comes, so that it can be followed; says whether some was left out. What cannot be written is
/// read all the same: the program is not to wait for it.
async fn write(
    path: PathBuf,
    mut pieces: mpsc::Receiver<Vec<u8>>,
    max: u64,
    cut_off: CancellationToken,
) -> io::Result<bool> {
    let mut file = create(&path).await;
    let mut middle = Middle::new(max);
    loop {
        let piece = tokio::select! {
            piece = pieces.recv() => piece,
            () = cut_off.cancelled() => None,
        };
        let Some(piece) = piece else { break };
        file = put(file, middle.take(&piece)).await;
    }
    let (rest, is_truncated) = middle.end();
    put(file, &rest).await?.sync_data().await?;
    Ok(is_truncated)
}

async fn put(file: io::Result<File>, bytes: &[u8]) -> io::Result<File> {
    let mut file = file?;
    file.write_all(bytes).await?;
    file.flush().await?;
    Ok(file)
}

async fn create(path: &Path) -> io::Result<File> {
    // Links and pipes that somebody put there are not for us.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o640);
    options.custom_flags(flags.bits().cast_signed());
    tokio::fs::OpenOptions::from(options).open(path).await
}
