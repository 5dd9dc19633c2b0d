//! Shell streams: a command in a terminal that we own.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use mizzen_wire::pty::{Exit, PtyCodec, PtyFrame};
use mizzen_wire::{Request, ShellSpec, Stream};
use rustix::process::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::codec::Framed;

use super::identity::Identity;
use super::places;
use super::pty::{Terminal, kill_session};

/// How long a command may take to end after it was hung up on.
const HANG_UP: Duration = Duration::from_secs(1);
/// How long the terminal's last words may take, when something else still holds it.
const LAST_WORDS: Duration = Duration::from_millis(200);

type Frames = Framed<Stream, PtyCodec>;

/// Starts the command, answers the core, and carries the terminal until the command or the stream
/// ends. Nothing of the command's session is left running when the stream ends.
pub(crate) async fn serve(
    request: Request,
    spec: ShellSpec,
    identity: &Identity,
) -> io::Result<()> {
    let argv = match command_line(spec.argv.clone(), identity) {
        Ok(argv) => argv,
        Err(reason) => return request.refuse(reason).await,
    };
    let (terminal, mut child) = match start(&argv, &spec, identity) {
        Ok(started) => started,
        Err(error) => return request.refuse(format!("no terminal: {error}")).await,
    };
    let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let outcome = async {
        let frames = Framed::new(request.accept().await?, PtyCodec);
        carry(frames, &terminal, &mut child).await
    };
    let outcome = outcome.await;
    drop(terminal);
    // Known here: the command has ended, or nobody looks at it any more.
    let _ = timeout(HANG_UP, child.wait()).await;
    leader.into_iter().for_each(kill_session);
    let _ = timeout(HANG_UP, child.wait()).await;
    outcome
}

fn command_line(argv: Vec<String>, identity: &Identity) -> Result<Vec<OsString>, String> {
    let Some(program) = argv.first() else {
        let mut shells = identity
            .shells()
            .map(|shell| shell.to_string_lossy().into_owned());
        let shell = shells.find_map(|shell| places::find_program(&shell));
        return Ok(vec![
            shell.ok_or("there is no shell in this container")?.into(),
        ]);
    };
    if places::find_program(program).is_none() {
        return Err(format!("{program} is not installed in this container"));
    }
    Ok(argv.into_iter().map(OsString::from).collect())
}

fn start(
    argv: &[OsString],
    spec: &ShellSpec,
    identity: &Identity,
) -> io::Result<(Terminal, Child)> {
    let (terminal, mut command) = Terminal::open(argv, spec.cols, spec.rows)?;
    command
        .env("TERM", "xterm-256color")
        .current_dir(places::start_dir());
    identity.dress(&mut command);
    command.envs(&spec.env);
    // Known here: not PID 1, so tokio may collect its own children. The command, and with it our
    // copy of the terminal's other end, is dropped when this returns.
    let child = Command::from(command).kill_on_drop(true).spawn()?;
    Ok((terminal, child))
}

async fn carry(frames: Frames, terminal: &Terminal, child: &mut Child) -> io::Result<()> {
    let (mut sink, mut keys) = frames.split();
    let exit = {
        let show = show(terminal, &mut sink);
        tokio::pin!(show);
        let status = tokio::select! {
            ended = type_into(terminal, &mut keys) => return ended,
            shown = &mut show => {
                shown?;
                child.wait().await?
            }
            status = child.wait() => {
                let _ = timeout(LAST_WORDS, show).await;
                status?
            }
        };
        exit_of(status)
    };
    sink.send(PtyFrame::Exit(exit)).await?;
    sink.close().await
}

/// Types what the core sends until it hangs up.
async fn type_into(terminal: &Terminal, keys: &mut SplitStream<Frames>) -> io::Result<()> {
    while let Some(frame) = keys.next().await {
        match frame? {
            PtyFrame::Data(bytes) => terminal.write_all(&bytes).await?,
            PtyFrame::Resize { cols, rows } => terminal.resize(cols, rows)?,
            PtyFrame::Exit(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(())
}

/// Sends what the terminal shows until all that ran in it have ended.
async fn show(terminal: &Terminal, sink: &mut SplitSink<Frames, PtyFrame>) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match terminal.read(&mut buffer).await? {
            0 => return Ok(()),
            read => {
                sink.send(PtyFrame::Data(buffer[..read].to_vec().into()))
                    .await?
            }
        }
    }
}

fn exit_of(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}
