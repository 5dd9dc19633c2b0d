//! Clients without manners hurt themselves only.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use mizzen_core::verb::Verb;
use mizzen_core::view::Settings;
use mizzen_tests::rig::{Mizzen, PATIENCE, until};

fn raw(mizzen: &Mizzen) -> (BufReader<UnixStream>, UnixStream) {
    let stream = UnixStream::connect(mizzen.dirs().control_socket()).expect("the core listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("the core listens");
    let mut lines = BufReader::new(stream.try_clone().expect("the core listens"));
    let mut greeting = String::new();
    lines.read_line(&mut greeting).expect("the core listens");
    assert!(greeting.contains(r#""protocol":1"#), "{greeting}");
    (lines, stream)
}

/// Saves settings again and again, so that every round makes an event.
async fn make_events(mizzen: &Mizzen, rounds: u32) {
    let client = mizzen.client().await;
    let settings = client.snapshot().await.expect("the core listens").settings;
    for round in 0..rounds {
        let settings = Settings {
            max_running: 6 + round % 2,
            ..settings.clone()
        };
        client
            .run(Verb::SaveSettings { settings })
            .await
            .expect("the core listens");
    }
}

#[tokio::test]
async fn a_client_that_never_reads_stalls_nobody_and_is_told_that_it_lagged() {
    let mizzen = Mizzen::new();
    mizzen.client().await;
    let (mut lines, mut deaf) = raw(&mizzen);
    writeln!(deaf, r#"{{"id":1,"call":"follow"}}"#).unwrap();
    // More than its socket, its queue and the backlog hold together.
    make_events(&mizzen, 3000).await;
    let client = mizzen.client().await;
    until(&client, "another follower is served", |_| true).await;

    let mut last = String::new();
    loop {
        last.clear();
        lines.read_line(&mut last).unwrap();
        if !last.contains(r#""item""#) {
            break;
        }
    }
    assert_eq!(last.trim(), r#"{"id":1,"done":"lagged"}"#);
}

#[tokio::test]
async fn nonsense_is_answered_and_a_line_without_end_is_cut() {
    let mizzen = Mizzen::new();
    mizzen.client().await;
    let (mut lines, mut stream) = raw(&mizzen);
    let mut answer = String::new();
    for (said, heard) in [
        (
            r#"{"id":7,"call":"fly"}"#,
            r#"{"id":7,"failed":{"code":"usage""#,
        ),
        ("nonsense", r#"{"id":0,"failed":{"code":"usage""#),
        (
            r#"{"id":8,"call":"snapshot"}"#,
            r#"{"id":8,"done":{"snapshot""#,
        ),
    ] {
        writeln!(stream, "{said}").unwrap();
        answer.clear();
        lines.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(heard), "{said}: {answer}");
    }
    // It may be cut before all of it is written.
    let _cut = stream.write_all(&vec![b'x'; 4 << 20]);
    answer.clear();
    let end = lines.read_line(&mut answer);
    assert!(matches!(end, Ok(0) | Err(_)), "{answer}");
    mizzen
        .client()
        .await
        .snapshot()
        .await
        .expect("others are not disturbed");
}

#[tokio::test]
async fn requests_of_one_connection_run_side_by_side() {
    let mizzen = Mizzen::new();
    mizzen.client().await;
    let (mut lines, mut stream) = raw(&mizzen);
    // The first never ends by itself; the second must not wait for it.
    writeln!(stream, r#"{{"id":1,"call":"follow"}}"#).unwrap();
    writeln!(stream, r#"{{"id":2,"call":"doctor"}}"#).unwrap();
    let mut answer = String::new();
    while !answer.starts_with(r#"{"id":2,"#) {
        answer.clear();
        assert_ne!(lines.read_line(&mut answer).unwrap(), 0, "the core hung up");
    }
    writeln!(stream, r#"{{"id":3,"call":"cancel","request":1}}"#).unwrap();
    writeln!(stream, r#"{{"id":4,"call":"snapshot"}}"#).unwrap();
    while !answer.starts_with(r#"{"id":4,"#) {
        answer.clear();
        assert_ne!(lines.read_line(&mut answer).unwrap(), 0, "the core hung up");
    }
}
