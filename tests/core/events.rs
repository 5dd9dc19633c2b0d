//! Everybody sees the same.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use mizzen_core::verb::{SessionRef, Verb};
use mizzen_core::view::{Event, SessionState};
use mizzen_core::{Client, EventStream};
use mizzen_tests::rig::{Mizzen, find, until, within};

async fn read_to(stream: &mut EventStream, revision: u64) -> Vec<Event> {
    let read = async {
        let mut events: Vec<Event> = Vec::new();
        while events.last().is_none_or(|event| event.revision < revision) {
            events.push(stream.next().await.expect("a core"));
        }
        events
    };
    within("all events arrive", read).await
}

#[tokio::test]
async fn two_clients_see_the_same_events_and_fold_them_to_the_same_snapshot() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let one = mizzen.client().await;
    let other = Client::connect(&mizzen.dirs()).await.unwrap();
    let (mut one_sees, mut one_hears) = one.follow().await.unwrap();
    let (mut other_sees, mut other_hears) = other.follow().await.unwrap();

    mizzen.json(&["up", folder.to_str().unwrap()]);
    other
        .run(Verb::Stop(SessionRef {
            session: "p".into(),
        }))
        .await
        .unwrap();
    let (last, _) = until(&one, "it stopped", |snapshot| {
        find(snapshot, "p").is_some_and(|view| view.state == SessionState::Stopped)
    })
    .await;

    let heard_by_one = read_to(&mut one_hears, last.revision).await;
    let heard_by_other = read_to(&mut other_hears, last.revision).await;
    let common = |event: &&Event| event.revision > one_sees.revision.max(other_sees.revision);
    let of_one: Vec<&Event> = heard_by_one.iter().filter(common).collect();
    let of_other: Vec<&Event> = heard_by_other.iter().filter(common).collect();
    assert!(of_one.len() > 5, "{of_one:?}");
    assert_eq!(of_one, of_other);
    assert!(
        heard_by_one.iter().all(|event| one_sees.apply(event)),
        "no gap"
    );
    assert!(
        heard_by_other.iter().all(|event| other_sees.apply(event)),
        "no gap"
    );
    assert_eq!(one_sees, other_sees);
}

#[test]
fn the_command_line_prints_one_event_a_line() {
    let mizzen = Mizzen::new();
    mizzen.run(&["serve"]);
    let mut command = mizzen.command(["events", "--json"]);
    let mut follower = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let folder = mizzen.project("p");
    mizzen.json(&["up", folder.to_str().unwrap()]);
    let mut last = 0;
    let running = lines.by_ref().map(Result::unwrap).find(|line| {
        let event: Event = serde_json::from_str(line).unwrap();
        assert!(last == 0 || event.revision == last + 1, "{line}");
        last = event.revision;
        line.contains(r#""state":"running""#)
    });
    assert!(running.is_some());
    mizzen.run(&["serve", "--stop"]);
    assert!(
        lines.all(|line| line.is_ok()),
        "the stream ends with the core"
    );
    assert_eq!(follower.wait().unwrap().code(), Some(1));
}
