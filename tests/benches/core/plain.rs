//! The floor under a rendered workbench: the same image and the same code-server, with the engine's own client and a
//! published port instead of Mizzen.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use mizzen_tests::own_core::docker;

/// One port for all runs, so that the browser keeps what it has loaded, as it does for a session's name.
const PORT: u16 = 28144;
/// How often code-server is asked whether it is there.
const PAUSE: Duration = Duration::from_millis(10);

/// What Mizzen starts code-server with, as far as a port instead of a socket allows.
const EDITOR: [&str; 10] = [
    "--bind-addr=0.0.0.0:8080",
    "--auth=none",
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-workspace-trust",
    "--disable-getting-started-override",
    "--disable-proxy",
    "--reconnection-grace-time=300",
    "--app-name=Plain",
    "/workspace",
];

/// A container with code-server; it goes when this is dropped.
pub(crate) struct Plain {
    id: String,
}

impl Plain {
    /// Returns when code-server answers.
    pub(crate) fn start(image: &str, project: &Path, user: u32) -> Self {
        let publish = format!("--publish=127.0.0.1:{PORT}:8080");
        let mount = format!("--volume={}:/workspace", project.display());
        let user = format!("--user={user}:{user}");
        let run = [
            "run",
            "--detach",
            "--init",
            "--memory=2g",
            &publish,
            &mount,
            &user,
        ];
        let program = ["--env=HOME=/tmp/home", "--entrypoint=code-server", image];
        let id = docker(&[&run[..], &program, &EDITOR].concat()).unwrap();
        while !answers() {
            std::thread::sleep(PAUSE);
        }
        Self { id }
    }

    pub(crate) fn url() -> String {
        format!("http://plain.localhost:{PORT}/")
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.id]).unwrap();
    }
}

fn answers() -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| &answer == b"HTTP/1.1 200")
}
