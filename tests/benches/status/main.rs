//! Figures of the status protocol, for `cargo xtask bench status`.
#![allow(clippy::unwrap_used, reason = "a bench ends where its rig fails")]

mod many;
mod worst;

use std::time::{Duration, Instant};

use mizzen_core::EventStream;
use mizzen_core::view::Change;
use mizzen_tests::figure::Figure;
use mizzen_tests::own;
use mizzen_tests::own_core::{OwnCore, tiny_image};
use mizzen_tests::reported::Container;

/// Single reports, each after the one before was seen.
const REPORTS: u64 = 100;
/// A report that follows another within this time is shown with a later one.
const APART: Duration = Duration::from_millis(300);
/// A report that nobody has seen for so long is not there any more.
const LOST: Duration = Duration::from_secs(2);
/// A container that reports as fast as this, for so long.
const STORM: (u64, Duration) = (1000, Duration::from_secs(10));

#[tokio::main]
async fn main() {
    worst::looks();
    let rig = OwnCore::start_with(&tiny_image().unwrap(), many::SETTINGS)
        .await
        .unwrap();
    let mut sessions = many::Sessions::of(&rig);
    sessions.grow(many::FEW).await;
    let few = sessions.idle().await;
    let (_, mut events) = rig.client.follow().await.unwrap();
    let container = sessions.first();
    single(&container, &mut events).await;
    storm(&container, &mut events).await;
    drop(events);
    sessions.grow(many::MANY).await;
    let many = sessions.idle().await;
    many::print(&few, &many);
    rig.end().await;
}

/// From the write of a report to a client that holds it.
async fn single(container: &Container, events: &mut EventStream) {
    let mut delays = Vec::new();
    for number in 0..REPORTS {
        tokio::time::sleep(APART).await;
        let written = Instant::now();
        container.report(number);
        if until_seen(events, container, number, || true).await.1 {
            delays.push(written.elapsed());
        }
    }
    Figure::of_times(
        "a report, from its write to a client's snapshot",
        "",
        &delays,
    )
    .print();
    delays.sort();
    let p99 = delays[delays.len().saturating_sub(2)];
    Figure::of_times("the same, p99", "", &[p99]).print();
}

/// A container that never stops reporting: what it costs the core and its client, and how often the client hears.
async fn storm(container: &Container, events: &mut EventStream) {
    let (rate, time) = STORM;
    let last = REPORTS + rate * time.as_secs();
    let before = own::processor();
    let writer = container.clone();
    let start = Instant::now();
    let writing = std::thread::spawn(move || {
        let begun = own::processor_of_this_thread();
        for number in REPORTS..=last {
            writer.report(number);
            let due = start + time.mul_f64((number - REPORTS) as f64 / (last - REPORTS) as f64);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        own::processor_of_this_thread() - begun
    });
    let is_over = || writing.is_finished();
    let (heard, _) = until_seen(events, container, last, is_over).await;
    let took = start.elapsed().as_secs_f64();
    let spent = own::processor() - before - writing.join().unwrap();
    let percent = 100.0 * spent.as_secs_f64() / took;
    let name = format!("{rate} reports a second: processor of the core and its client");
    Figure::new(&name, "", &[percent], |percent| format!("{percent:.1} %")).print();
    let each = spent / u32::try_from(last - REPORTS).unwrap();
    Figure::of_times("the same, for each report", "", &[each]).print();
    let name = "the same, changes that a client hears in a second";
    Figure::new(name, "≤ 4", &[heard as f64 / took], |n| format!("{n:.1}")).print();
}

/// The same for a report that the supervisor may write over with its own, as it does every five seconds: it is written
/// again then, once `may` says so. Whether once was enough comes with the count.
async fn until_seen(
    events: &mut EventStream,
    container: &Container,
    number: u64,
    may: impl Fn() -> bool,
) -> (usize, bool) {
    let mut once = true;
    let mut seen = std::pin::pin!(seen(events, container, number));
    loop {
        tokio::select! {
            heard = &mut seen => return (heard, once),
            () = tokio::time::sleep(LOST) => if may() {
                container.report(number);
                once = false;
            },
        }
    }
}

/// Waits until a client sees a report, and counts the changes of its session until then.
async fn seen(events: &mut EventStream, container: &Container, number: u64) -> usize {
    let phase = Container::phase(number);
    let mut heard = 0;
    loop {
        let Change::Session { session } = events.next().await.unwrap().change else {
            continue;
        };
        if session.name != container.session {
            continue;
        }
        heard += 1;
        if session.phase.as_deref() == Some(&phase) {
            return heard;
        }
    }
}
