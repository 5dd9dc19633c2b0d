//! The two parts by themselves, for the ceilings they set: the engine with a peer that does nothing
//! but read or write, and the wire on a socket pair with no engine.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use mizzen_tasks::Owner;
use mizzen_wire::{Hello, Probe, Stream, StreamKind, Wire, accept, connect};
use tokio::io::AsyncWriteExt;

const ENGINE: &str = "/var/run/docker.sock";

/// A program's standard streams as the engine's own connection, blocking, with the engine's frame
/// headers still in its output: a fraction of a percent.
pub(crate) fn exec(container: &str, argv: &[&str]) -> UnixStream {
    let streams = r#""AttachStdin":true,"AttachStdout":true,"AttachStderr":true"#;
    let argv = serde_json::to_string(argv).unwrap();
    let path = format!("/containers/{container}/exec");
    let mut answer = String::new();
    post(
        &path,
        "Connection: close",
        &format!(r#"{{{streams},"Cmd":{argv}}}"#),
    )
    .read_to_string(&mut answer)
    .unwrap();
    let (_, id) = answer.split_once(r#""Id":""#).unwrap();
    let (id, _) = id.split_once('"').unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp";
    let mut started = post(&format!("/exec/{id}/start"), upgrade, "{}");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        started.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    started
}

fn post(path: &str, header: &str, body: &str) -> UnixStream {
    let mut engine = UnixStream::connect(ENGINE).unwrap();
    let length = body.len();
    write!(
        engine,
        "POST {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{header}\r\n\r\n{body}"
    )
    .unwrap();
    engine
}

/// A wire within this process, and a stream on it that sends zeros.
pub(crate) async fn wire(owner: &Owner) -> (Wire, Stream) {
    let (core, container) = tokio::net::UnixStream::pair().unwrap();
    let hello = Hello::new("bench", "0");
    let (near, far) = tokio::join!(
        connect(owner, core, hello.clone(), None),
        accept(owner, container, hello, async |_| Err(
            ErrorKind::Unsupported.into()
        ))
    );
    let (near, (far, mut incoming)) = (near.unwrap(), far.unwrap());
    owner.spawn("source", async move {
        let _open = far;
        let request = incoming.next().await.unwrap().request().await.unwrap();
        let mut stream = request.accept().await.unwrap();
        let block = vec![0; 64 * 1024];
        while stream.write_all(&block).await.is_ok() {}
    });
    let stream = near.open(StreamKind::Probe(Probe::Source)).await.unwrap();
    (near, stream)
}
