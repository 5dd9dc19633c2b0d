//! An engine that goes away and comes back, or is slow to answer, played by a proxy before the real one.

use std::io;
use std::path::{Path, PathBuf};

use mizzen_tasks::Owner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::engine::PATIENCE;

/// Where the engine listens.
const SOCKET: &str = "/var/run/docker.sock";

/// Passes connections on to the engine until it is dropped: then all break.
pub struct Proxy {
    owner: Owner,
    socket: PathBuf,
    /// While true, nobody learns how a container is.
    pub holds_looks: watch::Sender<bool>,
}

impl Proxy {
    /// Starts to listen on a socket that is not there yet.
    pub fn start(socket: &Path) -> io::Result<Self> {
        let owner = Owner::root("proxy");
        let listener = UnixListener::bind(socket)?;
        let holds_looks = watch::Sender::new(false);
        let (connections, holds) = (owner.clone(), holds_looks.clone());
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                let holds = holds.subscribe();
                connections.spawn("pass", async move {
                    // A client that goes away is no fault of the proxy's.
                    pass(client, holds).await.ok();
                });
            }
        };
        owner.spawn("listen", accept);
        Ok(Self {
            owner,
            socket: socket.to_owned(),
            holds_looks,
        })
    }

    /// Breaks all connections and takes the socket away.
    pub async fn cut(self) -> io::Result<()> {
        self.owner.shut_down(PATIENCE).await;
        std::fs::remove_file(&self.socket)
    }
}

async fn pass(mut client: UnixStream, mut holds: watch::Receiver<bool>) -> io::Result<()> {
    let mut engine = UnixStream::connect(SOCKET).await?;
    let (mut asks, mut learns) = client.split();
    let (mut answers, mut hears) = engine.split();
    let requests = async {
        let mut part = vec![0; 16 * 1024];
        loop {
            let length = asks.read(&mut part).await?;
            if length == 0 {
                return hears.shutdown().await;
            }
            if is_look(&part[..length]) {
                // Who held them is gone with the test.
                holds.wait_for(|holds| !holds).await.ok();
            }
            hears.write_all(&part[..length]).await?;
        }
    };
    let (asked, answered) = tokio::join!(requests, tokio::io::copy(&mut answers, &mut learns));
    asked.and(answered.map(drop))
}

fn is_look(request: &[u8]) -> bool {
    let line = String::from_utf8_lossy(request);
    let line = line.lines().next().unwrap_or_default();
    line.starts_with("GET ") && line.contains("/containers/") && line.contains("/json")
}
