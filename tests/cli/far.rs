//! Sessions on another machine, of which Mizzen knows a Docker context and nothing else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use mizzen_tests::far_machine::{FarMachine, a_person};
use mizzen_tests::own_core::docker;
use mizzen_tests::rig::{Mizzen, PATIENCE, Said};
use mizzen_tests::tls_front::{Authority, PlainFront, TlsFront};
use serde_json::Value;

use crate::sync_container::Container;

/// Streams that a usual sshd allows in one connection.
const STREAMS: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_behind_ssh() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, STREAMS).await?;
    let (mizzen, _contexts) = far.person()?;
    tokio::task::block_in_place(|| live(&mizzen))?;
    // The editor, terminals, sync and commands need no connection of their own.
    assert!(far.opened() <= 3, "{} connections", far.opened());
    drop(mizzen);
    far.all_closed().await
}

/// The key is in the person's agent and nowhere else, and where and who `lab` is, and over which machine the way leads,
/// their own configuration alone says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ssh_takes_the_key_from_the_agent_and_the_way_from_the_configuration() -> Result<()> {
    let path = FarMachine::usual_path()?;
    let user = own_name()?;
    let far = FarMachine::start(&path, STREAMS).await?;
    let (mizzen, _contexts, _agent) = far.person_with_agent(&user)?;
    tokio::task::block_in_place(|| {
        up(&mizzen)?;
        assert_eq!(mizzen.session("p")["engine"], "far");
        Ok::<_, anyhow::Error>(())
    })?;
    assert!(far.opened() >= 2, "the machine on the way, and the far one");
    drop(mizzen);

    let far = FarMachine::start(&path, STREAMS).await?;
    let (mizzen, _contexts, _agent) = far.person_with_agent("no-such-user")?;
    let folder = mizzen.project("p");
    let up = ["up", folder.to_str().context("UTF-8")?, "--engine", "far"];
    let refused = tokio::task::block_in_place(|| mizzen.run(&up));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(
        refused.stderr.contains("does not let you in"),
        "{refused:?}"
    );
    Ok(())
}

/// Who runs this test, whom the far machine knows.
fn own_name() -> Result<String> {
    let said = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}

/// The connection breaks while a command runs, and the machine is away for a while in which both sides go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_behind_ssh_outlives_a_cut() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, STREAMS).await?;
    let (mizzen, _contexts) = far.person()?;
    tokio::task::block_in_place(|| {
        let folder = up(&mizzen)?;
        let inside = Inside::of(&mizzen)?;
        let script = "echo began; touch /tmp/began; while [ ! -e /tmp/end ]; do sleep 0.1; done; echo ended; exit 7";
        let exec = mizzen.command(["exec", "p", "--shell", "--", script]);
        let exec = Running::start(exec)?;
        until(|| inside.sh("ls /tmp").contains("began"));

        far.goes_away();
        until(|| mizzen.session("p")["state"] == "lost");
        let lost = mizzen.session("p");
        let reason = lost["reason"].as_str().context("a reason")?;
        assert!(reason.contains("`far` cannot be reached"), "{lost}");
        assert!(lost["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
        assert_eq!(lost["out_of_reach"], false, "nobody is to give it up");
        mizzen_fsx::write_atomic(folder.join("here.txt"), b"here\n")?;
        inside.sh("echo there > /workspace/there.txt; echo more >> /workspace/hello.txt");
        inside.sh("touch /tmp/end");

        far.comes_back();
        until(|| mizzen.session("p")["state"] == "running");
        until(|| fs::read_to_string(folder.join("there.txt")).is_ok_and(|text| text == "there\n"));
        until(|| inside.sh("cat /workspace/here.txt") == "here");
        assert_eq!(
            fs::read_to_string(folder.join("hello.txt"))?,
            "hello\nmore\n"
        );
        let ended = exec.ended()?;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (7, "began\nended\n"),
            "{ended:?}"
        );
        assert_eq!(
            mizzen.session("p")["container_id"],
            inside.0,
            "it is the same"
        );
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_behind_ssh_is_adopted_after_the_core_was_killed() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, STREAMS).await?;
    let (mizzen, _contexts) = far.person()?;
    let folder = tokio::task::block_in_place(|| up(&mizzen))?;
    let client = mizzen.client().await;
    mizzen.kill_core(&client).await;
    // Nothing of it stays connected, with nobody there to end it.
    far.all_closed().await?;
    tokio::task::block_in_place(|| {
        let inside = Inside::of(&mizzen)?;
        inside.sh("echo there > /workspace/there.txt");
        mizzen_fsx::write_atomic(folder.join("here.txt"), b"here\n")?;
        until(|| mizzen.session("p")["state"] == "running");
        assert_eq!(
            mizzen.session("p")["container_id"],
            inside.0,
            "it is the same"
        );
        let said = mizzen.run(&["exec", "p", "--", "cat", "there.txt"]);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (0, "there\n"),
            "{said:?}"
        );
        mizzen.json(&["sync", "flush", "p"]);
        assert_eq!(fs::read_to_string(folder.join("there.txt"))?, "there\n");
        assert_eq!(inside.sh("cat /workspace/here.txt"), "here");
        Ok(())
    })
}

/// A command line that keeps a folder in step itself has a connection of its own, and one for all its streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_comes_in_step_with_one_behind_ssh() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, STREAMS).await?;
    let (mizzen, _contexts) = far.person()?;
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
    let (mizzen, _contexts) = a_person()?;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_tcp_to_another_machine_is_used_once_a_person_takes_the_risk() -> Result<()> {
    let front = PlainFront::start().await?;
    let (mizzen, _contexts) = a_person()?;
    // Every Linux takes this for itself, and nobody calls it loopback: it stands for another machine.
    let host = format!("host=tcp://0.0.0.0:{}", front.address.port());
    made(&mizzen.docker(&["context", "create", "far", "--docker", &host]));
    tokio::task::block_in_place(|| {
        let refused = |args: &[&str], says: &str, advises: &str| {
            let said = mizzen.run(&[args, &["--json"]].concat());
            let error = said.error();
            let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
            assert_ne!(said.code, 0, "{said:?}");
            assert!(text("message").contains(says), "{said:?}");
            assert!(text("hint").contains(advises), "{said:?}");
        };
        let folder = mizzen.project("p");
        let up = ["up", folder.to_str().context("UTF-8")?, "--engine", "far"];
        let not_yet = || refused(&up, "without encryption", "mizzen engines allow");
        not_yet();
        refused(&["engines", "allow", "far"], "be root", "--yes");
        refused(&["engines", "allow", "default", "--yes"], "not reached", "");
        refused(&["engines", "allow", "none", "--yes"], "no Docker", "");
        not_yet();

        mizzen.json(&["engines", "allow", "far", "--yes"]);
        live(&mizzen)?;
        let warned = mizzen.run(&["engines"]);
        assert!(warned.stderr.contains("in the clear"), "{warned:?}");

        // Taken back, it is left at once; allowed again, it is found again.
        mizzen.json(&up);
        mizzen.json(&["engines", "refuse", "far"]);
        until(|| mizzen.session("p")["out_of_reach"] == true);
        refused(&["stop", "p"], "without encryption", "mizzen rm --force p");
        mizzen.json(&["engines", "allow", "far", "--yes"]);
        until(|| mizzen.session("p")["state"] == "running");
        Ok(())
    })
}

/// What an engine does is there soon.
fn until(is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "it never comes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn made(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// Makes the session `p` on the engine `far`, and answers with its folder.
fn up(mizzen: &Mizzen) -> Result<PathBuf> {
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().context("UTF-8")?, "--engine", "far"]);
    Ok(folder)
}

/// The container of `p`, for somebody at the far machine.
struct Inside(String);

impl Inside {
    fn of(mizzen: &Mizzen) -> Result<Self> {
        let id = mizzen.session("p")["container_id"].clone();
        Ok(Self(id.as_str().context("a container")?.to_owned()))
    }

    /// What a script says there; nothing where it fails.
    fn sh(&self, script: &str) -> String {
        docker(&["exec", &self.0, "sh", "-c", script]).unwrap_or_default()
    }
}

/// A command that runs meanwhile; ends with the test.
struct Running(Option<Child>);

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self(Some(command.spawn()?)))
    }

    fn ended(mut self) -> Result<Said> {
        let child = self.0.take().context("it runs")?;
        Ok(child.wait_with_output()?.into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A session's life on the engine `far`: its report, its workspace, commands, a shell, and the editor through the gateway.
fn live(mizzen: &Mizzen) -> Result<()> {
    let folder = up(mizzen)?;
    assert_eq!(mizzen.session("p")["engine"], "far");
    let engines = mizzen.json(&["engines"]);
    let far = engines.as_array().context("an array")?.iter();
    let far = far.clone().find(|engine| engine["name"] == "far");
    assert_eq!(far.context("it is listed")?["state"], "online");

    reported(mizzen, &folder);
    sync(mizzen, &folder)?;
    let shell = mizzen.run(&["shell", "p", "--", "sh", "-c", "echo in $PWD"]);
    assert_eq!(shell.stdout.trim(), "in /workspace", "{shell:?}");
    assert!(page(mizzen)?.starts_with("HTTP/1.1 200"));
    mizzen.json(&["stop", "p"]);
    mizzen.json(&["rm", "p"]);
    assert_eq!(mizzen.leftovers("container"), Vec::<String>::new());
    Ok(())
}

/// What the container reports stands here, carried by the wire: nothing is mounted there.
fn reported(mizzen: &Mizzen, folder: &Path) {
    let status = folder.join(".para/state/docker/p/status.json");
    let said = || -> Option<Value> { serde_json::from_slice(&fs::read(&status).ok()?).ok() };
    until(|| said().is_some_and(|said| said["status"] == "running"));
    until(|| mizzen.session("p")["freshness"] == "fresh");
    assert!(mizzen.log().contains("way=Stdio"), "no direct line");
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
