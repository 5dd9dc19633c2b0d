//! Stands in for code-server where a test needs an editor that starts at once.
//!
//! Started with code-server's own arguments. Answers `/healthz` as code-server does, echoes
//! websockets on every path, and shows every other path as a page that lists the workspace.
#![allow(clippy::print_stderr, reason = "its log is its standard error")]

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut socket = None;
    let mut workspace = PathBuf::from("/workspace");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--socket" => socket = arguments.next(),
            // The folder comes last, after options whose values do not begin with a slash.
            path if path.starts_with('/') => workspace = PathBuf::from(path),
            _ => {}
        }
    }
    let socket = socket.ok_or_else(|| io::Error::other("only `--socket PATH` is known"))?;
    // As code-server does: what a killed one left behind is replaced.
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket)?;
    eprintln!("HTTP server listening on {socket}");
    for stream in listener.incoming() {
        let (stream, workspace) = (stream?, workspace.clone());
        std::thread::spawn(move || serve(stream, &workspace));
    }
    Ok(())
}

/// One connection: requests without a body, one after the other, until the client leaves.
fn serve(stream: UnixStream, workspace: &Path) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    while let Some(request) = Request::read(&mut reader)? {
        if let Some(key) = request.headers.get("sec-websocket-key") {
            write!(
                writer,
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: {}\r\n\r\n",
                derive_accept_key(key.as_bytes())
            )?;
            return echo(stream);
        }
        let (kind, body) = match request.path.as_str() {
            "/healthz" => (
                "application/json",
                r#"{"status":"expired","lastHeartbeat":0}"#.to_owned(),
            ),
            path => {
                eprintln!("asked for {path}");
                ("text/html; charset=utf-8", page(path, workspace))
            }
        };
        write!(
            writer,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
    Ok(())
}

struct Request {
    path: String,
    /// Names in lower case.
    headers: HashMap<String, String>,
}

impl Request {
    /// `None` when the client closed the connection between two requests.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                return Ok(Some(Self { path, headers }));
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
}

/// Sends every text and binary message back.
fn echo(stream: UnixStream) -> io::Result<()> {
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    while let Ok(message) = socket.read() {
        if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
            break;
        }
    }
    Ok(())
}

/// Names of the workspace's entries, in order, as a page.
fn page(path: &str, workspace: &Path) -> String {
    let mut names: Vec<String> = std::fs::read_dir(workspace)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| escaped(&entry.file_name().to_string_lossy()))
        })
        .map(Iterator::collect)
        .unwrap_or_default();
    names.sort();
    let items: String = names
        .iter()
        .map(|name| format!("<li>{name}</li>"))
        .collect();
    let path = escaped(path);
    format!("<!doctype html><title>fake code-server</title><h1>{path}</h1><ul>{items}</ul>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
