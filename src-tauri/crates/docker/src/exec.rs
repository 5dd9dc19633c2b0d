//! Programs run in a container, with their standard streams.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::containers::segment;
use crate::deadline::{CHANGE, QUICK, within};
use crate::demux::{Demux, StderrTail};
use crate::dial::Conn;
use crate::spec::User;
use crate::{DockerError, Engine};

/// A program to run in a container; never with a terminal, since a terminal's bytes are not framed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecSpec {
    /// Program and arguments; no shell reads them.
    pub argv: Vec<String>,
    /// Whom it runs as; the container's user when none is named.
    pub user: Option<User>,
    /// Environment on top of the container's.
    pub env: BTreeMap<String, String>,
    /// Working directory; the container's when none is named.
    pub workdir: Option<String>,
}

impl ExecSpec {
    /// Runs this program as the container's user.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// A running program. Dropping `io` closes its input and stops reading its output: a program that
/// heeds neither lives on, as engines cannot end it.
pub struct ExecStream {
    /// Reads are its output, writes its input; shutting down is the end of its input.
    pub io: ExecIo,
    /// The end of its error output.
    pub stderr: StderrTail,
    /// How it ended.
    pub exit: ExecExit,
}

/// A running program's output and input as one byte stream.
pub struct ExecIo(Demux<Conn>);

/// Asks how a program ended.
#[derive(Clone)]
pub struct ExecExit {
    engine: Engine,
    id: String,
}

/// All that a short program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOutput {
    /// Its output.
    pub stdout: Vec<u8>,
    /// The end of its error output.
    pub stderr: String,
    /// Its exit code.
    pub exit_code: i64,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "Running")]
    running: bool,
    #[serde(rename = "ExitCode")]
    exit_code: Option<i64>,
}

const OP: &str = "run a program in the container";

impl Engine {
    /// Starts a program in a running container.
    pub async fn exec(&self, id: &str, spec: &ExecSpec) -> Result<ExecStream, DockerError> {
        let path = format!("/containers/{}/exec", segment(OP, id)?);
        let created: Created = self
            .transport()
            .json(OP, QUICK, Method::POST, &path, Some(request(spec)))
            .await?;
        let start = format!("/exec/{}/start", created.id);
        let flags = serde_json::json!({ "Detach": false, "Tty": false });
        // Starting makes a process, which a busy disk may hold up.
        let raw = within(OP, CHANGE, self.transport().hijack(OP, &start, flags)).await?;
        let stderr = StderrTail::default();
        Ok(ExecStream {
            io: ExecIo(Demux::new(raw.conn, &raw.first, stderr.clone())),
            stderr,
            exit: ExecExit {
                engine: self.clone(),
                id: created.id,
            },
        })
    }

    /// Runs a short program to its end: feeds it the input, reads at most `cap` bytes of output.
    pub async fn run(
        &self,
        id: &str,
        spec: &ExecSpec,
        input: &[u8],
        cap: usize,
        deadline: Duration,
    ) -> Result<ExecOutput, DockerError> {
        within(OP, deadline, async {
            let ExecStream { io, stderr, exit } = self.exec(id, spec).await?;
            let (reader, mut writer) = tokio::io::split(io);
            let feed = async move {
                // A program may end without reading its input: that is its business.
                if writer.write_all(input).await.is_ok() {
                    writer.shutdown().await.ok();
                }
                std::future::pending::<Infallible>().await
            };
            let mut stdout = Vec::new();
            let mut limited = reader.take(cap as u64 + 1);
            tokio::select! {
                read = limited.read_to_end(&mut stdout) => {
                    read.map_err(|e| DockerError::broken(OP, &e))?;
                }
                never = feed => match never {},
            }
            if stdout.len() > cap {
                let message = format!("it wrote more than {cap} bytes");
                return Err(DockerError::server(OP, message));
            }
            let exit_code = exit.code().await?;
            Ok(ExecOutput {
                stdout,
                stderr: stderr.text(),
                exit_code,
            })
        })
        .await
    }
}

impl ExecExit {
    /// Answers with the exit code of a program whose output has ended.
    pub async fn code(&self) -> Result<i64, DockerError> {
        const OP: &str = "learn how a program ended";
        let path = format!("/exec/{}/json", self.id);
        within(OP, QUICK, async {
            let mut pause = Duration::from_millis(2);
            loop {
                let transport = self.engine.transport();
                let exec: Inspected = transport.json(OP, QUICK, Method::GET, &path, None).await?;
                match exec.exit_code {
                    Some(code) if !exec.running => return Ok(code),
                    // RACE: the engine closes the output before it has reaped the process.
                    _ => tokio::time::sleep(pause).await,
                }
                pause = (pause * 2).min(Duration::from_millis(200));
            }
        })
        .await
    }
}

fn request(spec: &ExecSpec) -> serde_json::Value {
    let env: Vec<_> = spec
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    serde_json::json!({
        "AttachStdin": true,
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": false,
        "Privileged": false,
        "Cmd": spec.argv,
        "Env": env,
        "User": spec.user.map(|user| format!("{}:{}", user.uid(), user.gid())).unwrap_or_default(),
        "WorkingDir": spec.workdir.clone().unwrap_or_default(),
    })
}

impl AsyncRead for ExecIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for ExecIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
