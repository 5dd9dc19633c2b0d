use std::path::PathBuf;

use mizzen_fsx::write_atomic_with;
use mizzen_tasks::Owner;
use mizzen_wire::{OpenError, Probe, StreamKind, Target, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Reports, UID, folder, tiny};

async fn get(wire: &Wire, target: Target, path: &str) -> String {
    let mut stream = wire.open(StreamKind::Forward(target)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn refusal(wire: &Wire, target: Target) -> String {
    match wire.open(StreamKind::Forward(target)).await {
        Err(OpenError::Refused(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn code_server_answers_through_the_wire_with_the_projects_files() {
    let (reports, workspace) = (Reports::new(), folder());
    write_atomic_with(
        workspace.path().join("hello.rs"),
        b"",
        0o644,
        Some((UID, UID)),
    )
    .unwrap();
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    let health = get(&wire, Target::CodeServer, "/healthz").await;
    assert!(
        health.starts_with("HTTP/1.1 200") && health.contains("\"status\""),
        "{health}"
    );
    let page = get(&wire, Target::CodeServer, "/").await;
    assert!(page.contains("hello.rs"), "{page}");
    let socket = PathBuf::from("/tmp/mizzen/code-server.sock");
    assert!(
        get(&wire, Target::Unix(socket), "/healthz")
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn nobody_there_is_a_refusal_in_words() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    assert_eq!(
        refusal(&wire, Target::Tcp(3000)).await,
        "nothing listens on port 3000"
    );
    let nowhere = Target::Unix(PathBuf::from("/no/such.sock"));
    assert_eq!(
        refusal(&wire, nowhere).await,
        "nothing listens on /no/such.sock"
    );
}

#[tokio::test]
async fn a_development_server_on_loopback_is_reached() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    // Perl comes with Debian. The server says hello to one connection over each family.
    for (address, family) in [("127.0.0.1", "AF_INET"), ("::1", "AF_INET6")] {
        let server = format!(
            "use Socket ':all'; socket(S, {family}, SOCK_STREAM, 0) or die; \
             my ($e, $a) = getaddrinfo('{address}', 4000, {{flags => AI_NUMERICHOST}}); \
             setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1); bind(S, $a->{{addr}}) or exit 9; \
             listen(S, 1); $| = 1; print \"up\\n\"; accept(C, S); print C 'hello'; close C"
        );
        let shell = mizzen_wire::ShellSpec {
            argv: vec!["perl".into(), "-e".into(), server],
            cols: 80,
            rows: 24,
            ..Default::default()
        };
        let mut terminal = wire.open(StreamKind::Shell(shell)).await.unwrap();
        let mut first = [0; 9];
        terminal.read_exact(&mut first).await.unwrap();
        if !first.ends_with(b"up\r\n") {
            // An engine without IPv6 in containers has nothing to reach there.
            assert_eq!(family, "AF_INET6");
            continue;
        }
        let mut stream = wire
            .open(StreamKind::Forward(Target::Tcp(4000)))
            .await
            .unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "hello", "over {family}");
    }
}

#[tokio::test]
async fn megabytes_arrive_whole_both_ways() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    let stream = wire.open(StreamKind::Probe(Probe::Echo)).await.unwrap();
    let sent: Vec<u8> = (0..20_000_000u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    let (mut from, mut to) = tokio::io::split(stream);
    let mut back = Vec::new();
    let (written, read) = tokio::join!(
        async {
            to.write_all(&sent).await?;
            to.shutdown().await
        },
        from.read_to_end(&mut back)
    );
    written.unwrap();
    read.unwrap();
    assert!(back == sent, "{} bytes came back different", back.len());
}
