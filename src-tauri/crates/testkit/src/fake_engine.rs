//! An engine that lies, stalls and breaks off: for the faults that a real one cannot be made to show.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_tasks::Owner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// What the engine does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers in full with a status and a body.
    Json(u16, String),
    /// Begins a streamed answer with these bytes and keeps the connection open, silent.
    StreamThenSilence(Vec<u8>),
    /// Streams these bytes and ends the answer properly.
    Stream(Vec<u8>),
    /// Streams these bytes and closes the connection in the middle of the answer.
    StreamThenCut(Vec<u8>),
    /// Takes the connection over, sends these raw bytes, and closes when the other side does.
    Hijack(Vec<u8>),
    /// Sends these bytes instead of an answer and closes.
    Raw(Vec<u8>),
    /// Never answers.
    Never,
}

/// Decides on a reply by method and path with query.
pub type Script = dyn Fn(&str) -> Reply + Send + Sync;

/// An engine behind a Unix socket, whose replies a test decides on.
pub struct FakeEngine {
    folder: tempfile::TempDir,
    script: Arc<Mutex<Arc<Script>>>,
    requests: Arc<AtomicUsize>,
    _owner: Owner,
}

impl FakeEngine {
    /// Starts to listen.
    pub fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join("docker.sock"))?;
        let owner = Owner::root("fake-engine");
        let script: Arc<Mutex<Arc<Script>>> = Arc::new(Mutex::new(Arc::new(script)));
        let requests = Arc::new(AtomicUsize::new(0));
        let (serving, shared, counted) =
            (owner.child("connection"), script.clone(), requests.clone());
        owner.spawn("listen", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, requests) = (shared.clone(), counted.clone());
                serving.spawn("serve", async move {
                    // A client that goes away is no fault of the engine's.
                    serve(stream, &script, &requests).await.ok();
                });
            }
        });
        Ok(Self {
            folder,
            script,
            requests,
            _owner: owner,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// Replies otherwise from now on.
    pub fn change(&self, script: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Requests that were read so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Replies of an engine that is well: version, information, no containers, and the given events.
#[must_use]
pub fn well(request: &str, events: Reply) -> Reply {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let json = |text: &str| Reply::Json(200, text.to_owned());
    match path.split('?').next().unwrap_or_default() {
        "/version" => {
            json(r#"{"Version":"1.2.3","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}"#)
        }
        "/info" => json(r#"{"NCPU":2,"MemTotal":1024}"#),
        "/containers/json" => json("[]"),
        "/events" => events,
        _ => Reply::Json(404, r#"{"message":"No such container: x"}"#.to_owned()),
    }
}

async fn serve(
    mut stream: UnixStream,
    script: &Mutex<Arc<Script>>,
    requests: &AtomicUsize,
) -> io::Result<()> {
    let request = read_request(&mut stream).await?;
    requests.fetch_add(1, Ordering::SeqCst);
    let script = script
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    match script(&request) {
        Reply::Json(status, body) => {
            let head = format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await
        }
        Reply::Stream(bytes) => {
            send_chunk(&mut stream, &bytes).await?;
            stream.write_all(b"0\r\n\r\n").await
        }
        Reply::StreamThenCut(bytes) => send_chunk(&mut stream, &bytes).await,
        Reply::StreamThenSilence(bytes) => {
            send_chunk(&mut stream, &bytes).await?;
            until_closed(&mut stream).await
        }
        Reply::Hijack(bytes) => {
            let head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&bytes).await?;
            stream.shutdown().await?;
            until_closed(&mut stream).await
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).await,
        Reply::Never => until_closed(&mut stream).await,
    }
}

/// Reads a request with its body; answers with the first line.
async fn read_request(stream: &mut UnixStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

async fn send_chunk(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    // A chunk of no length would be the end.
    if !bytes.is_empty() {
        stream
            .write_all(format!("{:x}\r\n", bytes.len()).as_bytes())
            .await?;
        stream.write_all(bytes).await?;
        stream.write_all(b"\r\n").await?;
    }
    Ok(())
}

async fn until_closed(stream: &mut UnixStream) -> io::Result<()> {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
