use std::collections::BTreeMap;

use futures::{SinkExt, StreamExt};
use mizzen_tasks::Owner;
use mizzen_wire::pty::{Exit, PtyCodec, PtyFrame};
use mizzen_wire::{OpenError, ShellSpec, Stream, StreamKind, Wire};
use tokio_util::codec::Framed;

use crate::rig::{Container, Reports, SCRATCH, UID, folder, tiny};

struct Shell(Framed<Stream, PtyCodec>);

impl Shell {
    async fn open(wire: &Wire, argv: &[&str]) -> Result<Self, OpenError> {
        let spec = ShellSpec {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            cols: 101,
            rows: 41,
            env: BTreeMap::from([("GREETING".to_owned(), "ahoy".to_owned())]),
        };
        Ok(Self(Framed::new(
            wire.open(StreamKind::Shell(spec)).await?,
            PtyCodec,
        )))
    }

    async fn send(&mut self, frame: PtyFrame) {
        self.0.send(frame).await.unwrap();
    }

    async fn type_line(&mut self, line: &str) {
        self.send(PtyFrame::Data(format!("{line}\n").into_bytes().into()))
            .await;
    }

    /// What it shows until it has shown `text`.
    async fn shows(&mut self, text: &str) -> String {
        let mut shown = String::new();
        while !shown.contains(text) {
            match self.0.next().await {
                Some(Ok(PtyFrame::Data(bytes))) => shown += &String::from_utf8_lossy(&bytes),
                other => panic!("expected {text:?} after {shown:?}, got {other:?}"),
            }
        }
        shown
    }

    /// All it shows to its end, and how it ended.
    async fn rest(&mut self) -> (String, Exit) {
        let mut shown = String::new();
        loop {
            match self.0.next().await {
                Some(Ok(PtyFrame::Data(bytes))) => shown += &String::from_utf8_lossy(&bytes),
                Some(Ok(PtyFrame::Exit(exit))) => return (shown, exit),
                other => panic!("no exit after {shown:?}, but {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_command_runs_in_the_workspace_on_a_terminal_of_its_own() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;

    let script = "tty; stty size; pwd; echo $HOME $TERM $GREETING; id -u; exit 7";
    let mut shell = Shell::open(&wire, &["sh", "-c", script]).await.unwrap();
    let (shown, exit) = shell.rest().await;
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("/dev/pts/"), "{shown}");
    let uid = UID.to_string();
    assert_eq!(
        lines[1..],
        [
            "41 101",
            "/workspace",
            "/home/coder xterm-256color ahoy",
            &uid
        ]
    );
    assert_eq!((exit, exit.shell_code()), (Exit::Code(7), 7));

    let mut shell = Shell::open(&wire, &["sh", "-c", "kill -9 $$"])
        .await
        .unwrap();
    assert_eq!(shell.rest().await.1.shell_code(), 137);
}

#[tokio::test]
async fn a_shell_is_typed_into_interrupted_and_resized() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    let mut shell = Shell::open(&wire, &[]).await.unwrap();
    shell.type_line("echo a$((1+1))b").await;
    shell.shows("a2b").await;
    shell
        .send(PtyFrame::Resize {
            cols: 132,
            rows: 50,
        })
        .await;
    shell.type_line("stty size").await;
    shell.shows("50 132").await;
    // Said by the command itself: by then it is the one that an interrupt goes to.
    let waits = "sh -c 'echo wa\"\"it; exec sleep 1000'";
    shell.type_line(waits).await;
    shell.shows("wait\r\n").await;
    shell.send(PtyFrame::Data(b"\x03".as_slice().into())).await;
    shell.type_line("echo still here").await;
    shell.shows("still here\r\n").await;
    shell.type_line("exit 3").await;
    assert_eq!(shell.rest().await.1, Exit::Code(3));
}

// Two threads: the wire goes on while this one waits for the Docker CLI.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_shell_outlives_its_stream() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    let running = || {
        container.exec(&[
            "sh",
            "-c",
            "cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^sleep' ; true",
        ])
    };
    let mut shell = Shell::open(&wire, &["bash"]).await.unwrap();
    // One of them ignores the hang-up.
    shell
        .type_line("nohup sleep 1000 > /dev/null & sleep 1000 & echo be''gun")
        .await;
    shell.shows("begun").await;
    assert_eq!(running(), "2");
    drop(shell);
    for _ in 0..200 {
        if running() == "0" {
            return;
        }
    }
    panic!("{} processes are left", running());
}

// Two threads: the wire goes on while this one waits for the Docker CLI.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_ends_takes_its_shells_along() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    let mut shell = Shell::open(&wire, &["bash"]).await.unwrap();
    shell.type_line("sleep 1000 & echo be''gun").await;
    shell.shows("begun").await;
    drop(wire);
    let running = || {
        container.exec(&[
            "sh",
            "-c",
            "cat /proc/[0-9]*/comm 2>/dev/null | grep -cE '^(sleep|bash|mizzen-superv)' ; true",
        ])
    };
    for _ in 0..200 {
        // PID 1 is the one that stays.
        if running() == "1" {
            return;
        }
    }
    panic!("{} processes are left", running());
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_in_words() {
    let user = format!("{UID}:{UID}");
    let container = Container::run(&["--user", &user, &SCRATCH]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    for (argv, reason) in [
        (&[][..], "there is no shell in this container"),
        (&["htop"], "htop is not installed in this container"),
    ] {
        match Shell::open(&wire, argv).await.map(drop) {
            Err(OpenError::Refused(said)) => assert_eq!(said, reason),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}
