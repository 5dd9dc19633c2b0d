//! Sessions on another machine, of which Mizzen knows a Docker context and nothing else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use anyhow::{Context as _, Result};
use mizzen_tests::far_machine::FarMachine;
use mizzen_tests::rig::{Mizzen, Said};
use mizzen_tests::tls_front::{Authority, TlsFront};

use crate::sync_container::Container;

/// Streams that a usual sshd allows in one connection.
const STREAMS: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_behind_ssh() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, STREAMS).await?;
    let (mizzen, _contexts) = person_with(&far)?;
    tokio::task::block_in_place(|| live(&mizzen))?;
    // The editor, terminals, sync and commands need no connection of their own.
    assert!(far.opened() <= 3, "{} connections", far.opened());
    drop(mizzen);
    far.all_closed().await
}

/// A command line that keeps a folder in step itself has a connection of its own, and one for all its streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_comes_in_step_with_one_behind_ssh() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, STREAMS).await?;
    let (mizzen, _contexts) = person_with(&far)?;
    let container = Container::run("far");
    container.sh("mkdir -p /srv/data && echo there > /srv/data/there");
    let host = mizzen.project("host");
    let address = format!("docker://far/{}/srv/data", container.name);
    let mut sync = mizzen.command(["sync"]);
    sync.arg(&host).arg(&address).arg("--once");
    let said: Said = tokio::task::block_in_place(|| sync.output())?.into();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(fs::read_to_string(host.join("there"))?, "there\n");
    assert_eq!(container.sh("ls /srv/data"), "hello.txt\nthere");
    assert_eq!(far.opened(), 1);
    far.all_closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_behind_tls() -> Result<()> {
    let authority = Authority::new()?;
    let front = TlsFront::start(&authority, "127.0.0.1").await?;
    let (mizzen, _contexts) = person()?;
    let files = authority.client()?;
    let keys = tempfile::tempdir()?;
    let mut endpoint = format!("host=tcp://{}", front.address);
    for (name, bytes) in [("ca", files.ca), ("cert", files.cert), ("key", files.key)] {
        let file = keys.path().join(name);
        mizzen_fsx::write_atomic(&file, &bytes.context("a file")?)?;
        endpoint = format!("{endpoint},{name}={}", file.display());
    }
    made(&mizzen.docker(&["context", "create", "far", "--docker", &endpoint]));
    tokio::task::block_in_place(|| live(&mizzen))
}

/// Somebody with a context `far` for that machine's engine, and the keys to it.
fn person_with(far: &FarMachine) -> Result<(Mizzen, tempfile::TempDir)> {
    let (mut mizzen, contexts) = person()?;
    let ssh = far.client().program;
    let programs = ssh.parent().context("a folder")?.display();
    mizzen.set_env("PATH", format!("{programs}:{}", std::env::var("PATH")?));
    let host = format!("host={}", far.endpoint("")?);
    made(&mizzen.docker(&["context", "create", "far", "--docker", &host]));
    Ok((mizzen, contexts))
}

/// Somebody whose contexts are in a folder of their own.
fn person() -> Result<(Mizzen, tempfile::TempDir)> {
    let (mut mizzen, contexts) = (Mizzen::new(), tempfile::tempdir()?);
    mizzen.set_env("DOCKER_CONFIG", contexts.path());
    Ok((mizzen, contexts))
}

fn made(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// A session's life on the engine `far`.
fn live(mizzen: &Mizzen) -> Result<()> {
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().context("UTF-8")?, "--engine", "far"]);
    assert_eq!(mizzen.session("p")["engine"], "far");
    let engines = mizzen.json(&["engines"]);
    let far = engines.as_array().context("an array")?.iter();
    let far = far.clone().find(|engine| engine["name"] == "far");
    assert_eq!(far.context("it is listed")?["state"], "online");

    sync(mizzen, &folder)?;
    let shell = mizzen.run(&["shell", "p", "--", "sh", "-c", "echo in $PWD"]);
    assert_eq!(shell.stdout.trim(), "in /workspace", "{shell:?}");
    assert!(page(mizzen)?.starts_with("HTTP/1.1 200"));
    mizzen.json(&["stop", "p"]);
    mizzen.json(&["rm", "p"]);
    assert_eq!(mizzen.leftovers("container"), Vec::<String>::new());
    Ok(())
}

/// Changes on both sides meet.
fn sync(mizzen: &Mizzen, folder: &Path) -> Result<()> {
    let script = "cat hello.txt; echo made > made.txt";
    let ran = mizzen.run(&["exec", "p", "--shell", "--", script]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "hello\n"), "{ran:?}");
    mizzen.json(&["sync", "flush", "p"]);
    assert_eq!(fs::read_to_string(folder.join("made.txt"))?, "made\n");
    Ok(())
}

/// What the browser gets: the editor's page, by the address that signs it in.
fn page(mizzen: &Mizzen) -> Result<String> {
    let open = mizzen.json(&["open", "p", "--print"]);
    let url = open["url"].as_str().context("an address")?;
    let rest = url.strip_prefix("http://").context("an address")?;
    let (host, path) = rest.split_once('/').context("a path")?;
    let port = host.rsplit_once(':').context("a port")?.1;
    let get = |path: &str, cookie: &str| -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port.parse()?))?;
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = get(path, "")?;
    let lines = answer.lines();
    let cookie = lines.clone().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_cookie = name.eq_ignore_ascii_case("set-cookie");
        is_cookie.then(|| value.split(';').next().unwrap_or_default())
    });
    get("", cookie.with_context(|| format!("no cookie: {answer}"))?)
}
